"""Splitting representations for convolutions in groups of channels."""

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.nn.parts import flat_parts
from goldstone.representations import DirectSum, Representation


def grouped_block(source: Representation, target: Representation, groups: int) -> Representation:
    """The representation of the input that one group of channels sees.

    Raises:
        InputError: the source does not consist of ``groups`` equal runs of parts, or the target's
            parts do not split in so many runs of one dimension.
    """
    if not is_count(groups, 0):
        raise InputError(f"expected a number of groups of channels, got {groups!r}")
    if groups == 1:
        return source
    parts = flat_parts(source)
    size = len(parts) // max(groups, 1)
    runs = [parts[k * size : (k + 1) * size] for k in range(groups)] if groups > 0 else []
    if groups < 1 or len(parts) != size * groups or any(run != runs[0] for run in runs):
        raise InputError(
            f"groups={groups} needs a source of as many equal runs of parts, got {len(parts)} "
            "parts; use copies of one representation in a multiple of groups"
        )
    starts, start = {0}, 0
    for part in flat_parts(target):
        start += part.dimension
        starts.add(start)
    if target.dimension % groups or any(
        k * target.dimension // groups not in starts for k in range(groups)
    ):
        raise InputError(
            f"groups={groups} needs a target whose parts split in as many runs of one dimension, "
            f"got {target.dimension} channels; use a multiple of groups copies"
        )
    return DirectSum(source.group, runs[0])
