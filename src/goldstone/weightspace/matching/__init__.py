"""Networks moved along their symmetries towards one another, and the paths between them."""

from goldstone.weightspace.matching.activation_matching import activation_matching
from goldstone.weightspace.matching.bezier_path import BezierPath, bezier_path
from goldstone.weightspace.matching.gauge import canonical_gauge
from goldstone.weightspace.matching.learned_matching import (
    LearnedAlignment,
    learned_matching,
)
from goldstone.weightspace.matching.loss_barrier import LossBarrier, loss_barrier
from goldstone.weightspace.matching.merge_many import ManyAlignments, merge_many
from goldstone.weightspace.matching.merging import interpolated, merged, reset_running_statistics
from goldstone.weightspace.matching.output_difference import output_difference
from goldstone.weightspace.matching.semi_permutation_matching import (
    SemiPermutation,
    SemiPermutationAlignment,
    semi_permutation_matching,
)
from goldstone.weightspace.matching.weight_matching import Alignment, weight_matching
from goldstone.weightspace.matching.widened import widened

__all__ = [
    "Alignment",
    "BezierPath",
    "LearnedAlignment",
    "LossBarrier",
    "ManyAlignments",
    "SemiPermutation",
    "SemiPermutationAlignment",
    "activation_matching",
    "bezier_path",
    "canonical_gauge",
    "interpolated",
    "learned_matching",
    "loss_barrier",
    "merge_many",
    "merged",
    "output_difference",
    "reset_running_statistics",
    "semi_permutation_matching",
    "weight_matching",
    "widened",
]
