"""Floor 4: layers that are equivariant by construction."""

from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.equivariant_bilinear import EquivariantBilinear
from goldstone.nn.equivariant_linear import EquivariantLinear
from goldstone.nn.equivariant_mlp import EquivariantMLP
from goldstone.nn.gated_activation import GatedActivation
from goldstone.nn.hidden_representation import hidden_representation
from goldstone.nn.invariant_norm import InvariantNorm
from goldstone.nn.kernel_basis import kernel_basis
from goldstone.nn.norm_activation import NormActivation
from goldstone.nn.padding import circular_pad
from goldstone.nn.pointwise_activation import PointwiseActivation
from goldstone.nn.steerable_convolution import SteerableConv2d
from goldstone.nn.tensor_product_activation import TensorProductActivation

__all__ = [
    "BlockWeights",
    "EquivariantBilinear",
    "EquivariantLinear",
    "EquivariantMLP",
    "GatedActivation",
    "InvariantNorm",
    "NormActivation",
    "PointwiseActivation",
    "SteerableConv2d",
    "TensorProductActivation",
    "circular_pad",
    "hidden_representation",
    "kernel_basis",
]
