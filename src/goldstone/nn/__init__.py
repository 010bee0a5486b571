"""Floor 4: layers that are equivariant by construction."""

from goldstone.nn.augmented_dataset import AugmentedDataset
from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.blur_pool import BlurPool2d, BlurPool3d
from goldstone.nn.canonicalised import Canonicalised, Canonicaliser
from goldstone.nn.equivariant_bilinear import EquivariantBilinear
from goldstone.nn.equivariant_linear import EquivariantLinear
from goldstone.nn.equivariant_mlp import EquivariantMLP
from goldstone.nn.exactness import LayerExactness, exactness
from goldstone.nn.field_dropout import FieldDropout
from goldstone.nn.fourier_activation import FourierActivation
from goldstone.nn.frame_average import Frame, FrameAverage
from goldstone.nn.gated_activation import GatedActivation
from goldstone.nn.gram_schmidt_canonicaliser import GramSchmidtCanonicaliser
from goldstone.nn.group_convolution import GroupConv2d, LiftingConv2d, ProjectingConv2d
from goldstone.nn.group_convolution_3d import GroupConv3d, LiftingConv3d, ProjectingConv3d
from goldstone.nn.group_pool import GroupPool
from goldstone.nn.harmonic_kernels import harmonic_kernel_basis
from goldstone.nn.hidden_representation import hidden_representation
from goldstone.nn.invariant_norm import InvariantNorm
from goldstone.nn.kernel_basis import kernel_basis
from goldstone.nn.lie_convolution import LieConv
from goldstone.nn.lie_lifting import lift_features, lift_points, lower_features
from goldstone.nn.lie_pool import LiePool
from goldstone.nn.local_permutation import LocalPermutationConv1d
from goldstone.nn.moving_each import move_each
from goldstone.nn.nearest_elements import nearest_elements
from goldstone.nn.norm_activation import NormActivation
from goldstone.nn.norm_pool import NormPool
from goldstone.nn.orbit_agreement import orbit_agreement_loss
from goldstone.nn.orbit_augmentation import OrbitAugmentation
from goldstone.nn.orbit_average import OrbitAverage
from goldstone.nn.orbit_batch_norm import OrbitBatchNorm2d, OrbitBatchNorm3d
from goldstone.nn.orbit_group_norm import OrbitGroupNorm2d, OrbitGroupNorm3d
from goldstone.nn.padding import circular_pad
from goldstone.nn.pca_frame import PCAFrame
from goldstone.nn.permutation_linear import PermutationLinear
from goldstone.nn.permutation_pool import PermutationPool
from goldstone.nn.plain_network import to_plain
from goldstone.nn.point_convolution import PointConv
from goldstone.nn.point_edges import PointEdges, point_edges
from goldstone.nn.point_pair_frame import PointPairFrame
from goldstone.nn.point_vectors import PointVectors
from goldstone.nn.pointwise_activation import PointwiseActivation
from goldstone.nn.radial_basis import RadialBasis, smooth_cutoff
from goldstone.nn.relative_logarithms import relative_logarithms
from goldstone.nn.relative_positions import RelativeBias, RotaryPositions
from goldstone.nn.restricted import Restricted
from goldstone.nn.scale_convolution import ScaleConv2d, ScaleLiftingConv2d
from goldstone.nn.scale_exactness import ScaleExactness, scale_exactness
from goldstone.nn.scale_filters import ScaleFilters
from goldstone.nn.scale_pool import ScalePool
from goldstone.nn.scoring_canonicaliser import ScoringCanonicaliser
from goldstone.nn.sequence_attention import SequenceAttention
from goldstone.nn.sequence_convolution import SequenceConv1d
from goldstone.nn.set_attention import SetAttention
from goldstone.nn.set_cross_attention import SetCrossAttention
from goldstone.nn.spherical_kernels import spherical_kernel_basis
from goldstone.nn.steerable_convolution import SteerableConv2d
from goldstone.nn.steerable_convolution_3d import SteerableConv3d
from goldstone.nn.subsample_elements import subsample_elements
from goldstone.nn.symmetrised import Posed, SymmetrisedModel
from goldstone.nn.tensor_product_activation import TensorProductActivation

__all__ = [
    "AugmentedDataset",
    "BlockWeights",
    "BlurPool2d",
    "BlurPool3d",
    "Canonicalised",
    "Canonicaliser",
    "EquivariantBilinear",
    "EquivariantLinear",
    "EquivariantMLP",
    "FieldDropout",
    "FourierActivation",
    "Frame",
    "FrameAverage",
    "GatedActivation",
    "GramSchmidtCanonicaliser",
    "GroupConv2d",
    "GroupConv3d",
    "GroupPool",
    "InvariantNorm",
    "LayerExactness",
    "LieConv",
    "LiePool",
    "LiftingConv2d",
    "LiftingConv3d",
    "LocalPermutationConv1d",
    "NormActivation",
    "NormPool",
    "OrbitAugmentation",
    "OrbitAverage",
    "OrbitBatchNorm2d",
    "OrbitBatchNorm3d",
    "OrbitGroupNorm2d",
    "OrbitGroupNorm3d",
    "PCAFrame",
    "PermutationLinear",
    "PermutationPool",
    "PointConv",
    "PointEdges",
    "PointPairFrame",
    "PointVectors",
    "PointwiseActivation",
    "Posed",
    "ProjectingConv2d",
    "ProjectingConv3d",
    "RadialBasis",
    "RelativeBias",
    "Restricted",
    "RotaryPositions",
    "ScaleConv2d",
    "ScaleExactness",
    "ScaleFilters",
    "ScaleLiftingConv2d",
    "ScalePool",
    "ScoringCanonicaliser",
    "SequenceAttention",
    "SequenceConv1d",
    "SetAttention",
    "SetCrossAttention",
    "SteerableConv2d",
    "SteerableConv3d",
    "SymmetrisedModel",
    "TensorProductActivation",
    "circular_pad",
    "exactness",
    "harmonic_kernel_basis",
    "hidden_representation",
    "kernel_basis",
    "lift_features",
    "lift_points",
    "lower_features",
    "move_each",
    "nearest_elements",
    "orbit_agreement_loss",
    "point_edges",
    "relative_logarithms",
    "scale_exactness",
    "smooth_cutoff",
    "spherical_kernel_basis",
    "subsample_elements",
    "to_plain",
]
