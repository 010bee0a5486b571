"""Floor 4: layers that are equivariant by construction."""

from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.blur_pool import BlurPool2d
from goldstone.nn.equivariant_bilinear import EquivariantBilinear
from goldstone.nn.equivariant_linear import EquivariantLinear
from goldstone.nn.equivariant_mlp import EquivariantMLP
from goldstone.nn.exactness import LayerExactness, exactness
from goldstone.nn.gated_activation import GatedActivation
from goldstone.nn.group_convolution import GroupConv2d, LiftingConv2d, ProjectingConv2d
from goldstone.nn.group_pool import GroupPool
from goldstone.nn.harmonic_kernels import harmonic_kernel_basis
from goldstone.nn.hidden_representation import hidden_representation
from goldstone.nn.invariant_norm import InvariantNorm
from goldstone.nn.kernel_basis import kernel_basis
from goldstone.nn.local_permutation import LocalPermutationConv1d
from goldstone.nn.norm_activation import NormActivation
from goldstone.nn.orbit_batch_norm import OrbitBatchNorm2d
from goldstone.nn.orbit_group_norm import OrbitGroupNorm2d
from goldstone.nn.padding import circular_pad
from goldstone.nn.permutation_linear import PermutationLinear
from goldstone.nn.permutation_pool import PermutationPool
from goldstone.nn.plain_network import to_plain
from goldstone.nn.pointwise_activation import PointwiseActivation
from goldstone.nn.relative_positions import RelativeBias, RotaryPositions
from goldstone.nn.sequence_attention import SequenceAttention
from goldstone.nn.sequence_convolution import SequenceConv1d
from goldstone.nn.set_attention import SetAttention
from goldstone.nn.steerable_convolution import SteerableConv2d
from goldstone.nn.tensor_product_activation import TensorProductActivation

__all__ = [
    "BlockWeights",
    "BlurPool2d",
    "EquivariantBilinear",
    "EquivariantLinear",
    "EquivariantMLP",
    "GatedActivation",
    "GroupConv2d",
    "GroupPool",
    "InvariantNorm",
    "LayerExactness",
    "LiftingConv2d",
    "LocalPermutationConv1d",
    "NormActivation",
    "OrbitBatchNorm2d",
    "OrbitGroupNorm2d",
    "PermutationLinear",
    "PermutationPool",
    "PointwiseActivation",
    "ProjectingConv2d",
    "RelativeBias",
    "RotaryPositions",
    "SequenceAttention",
    "SequenceConv1d",
    "SetAttention",
    "SteerableConv2d",
    "TensorProductActivation",
    "circular_pad",
    "exactness",
    "harmonic_kernel_basis",
    "hidden_representation",
    "kernel_basis",
    "to_plain",
]
