"""Many networks, each moved towards the mean of the others."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Progress, SilentProgress, generator, trees
from goldstone.weightspace.matching.steps import Step, merged_steps
from goldstone.weightspace.matching.weight_matching import (
    checked_states,
    weight_distance,
    weight_matching,
)
from goldstone.weightspace.symmetries.parameter_symmetries import ParameterSymmetries
from goldstone.weightspace.symmetries.parameter_symmetry import (
    Kind,
    ParameterSymmetry,
    StateDict,
)

SMALLEST_GAIN = 1e-6


@dataclass(frozen=True, eq=False)
class ManyAlignments:
    """Networks that were moved towards one another.

    Attributes:
        state_dicts: of the moved networks; the first is as given.
        steps: of each, (symmetry, element) in the order in which they act on the original.
        mean: the mean of the moved networks; running statistics need to be reset.
        spread: √(Σᵢ‖θᵢ − mean‖²) after the start, and after every round.
        spread_before: of the networks as given.
    """

    state_dicts: tuple[dict[str, Tensor], ...]
    steps: tuple[tuple[Step, ...], ...]
    mean: dict[str, Tensor]
    spread: tuple[float, ...]
    spread_before: float


def merge_many(
    models: Sequence[nn.Module],
    symmetries: ParameterSymmetries | Sequence[ParameterSymmetry],
    *,
    kinds: Sequence[Kind] | None = None,
    rounds: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> ManyAlignments:
    """Move networks along their symmetries to where they are nearest to their mean.

    Git Re-Basin, Algorithm 3 (MergeMany): all are matched to the first; then, in random order, each
    to the mean of the others, by :func:`weight_matching`, until the spread Σ‖θᵢ − mean‖² falls no
    further. A match that does not lower it is not made. The first network stays in place, so that
    the others end in its gauge.

    Args:
        models: two or more, of one architecture; not changed.
        symmetries: of this architecture.
        kinds: as for :func:`weight_matching`.
        rounds: the most rounds after the first match.
        seed: of the order.
        progress: told of rounds.

    Raises:
        InputError: there are fewer than two, or as :func:`weight_matching`.
    """
    if len(models) < 2:
        raise InputError(f"expected two or more networks to merge, got {len(models)}")
    first = models[0]
    given = [checked_states(first, model)[1] for model in models]
    states = [dict(given[0])]
    steps: list[tuple[Step, ...]] = [()]
    stream = generator(seed, "merge many")
    with (progress or SilentProgress()).task("merging networks", rounds) as task:
        for model in models[1:]:
            alignment = weight_matching(first, model, symmetries, kinds=kinds, seed=seed)
            states.append(alignment.state_dict)
            steps.append(alignment.steps)
        spread = [_spread(first, states)]
        for _ in range(rounds if len(models) > 2 else 0):
            for k in (torch.randperm(len(models) - 1, generator=stream) + 1).tolist():
                others = _with(first, mean_state([x for i, x in enumerate(states) if i != k]))
                alignment = weight_matching(
                    others, _with(first, states[k]), symmetries, kinds=kinds, seed=seed
                )
                tried = [alignment.state_dict if i == k else x for i, x in enumerate(states)]
                if _spread(first, tried) < _spread(first, states):
                    states = tried
                    steps[k] = merged_steps((*steps[k], *alignment.steps))
            spread.append(_spread(first, states))
            task.advance()
            if spread[-2] - spread[-1] <= SMALLEST_GAIN * spread[-2]:
                break
    return ManyAlignments(
        tuple(states), tuple(steps), mean_state(states), tuple(spread), _spread(first, given)
    )


def mean_state(states: Sequence[StateDict]) -> dict[str, Tensor]:
    """The mean of real and complex tensors; integers are those of the first."""
    return {
        name: torch.stack([state[name] for state in states]).mean(0)
        if trees.is_continuous(x)
        else x
        for name, x in states[0].items()
    }


def _with(model: nn.Module, state: StateDict) -> nn.Module:
    model = copy.deepcopy(model)
    model.load_state_dict(dict(state))
    return model


def _spread(model: nn.Module, states: Sequence[StateDict]) -> float:
    mean = mean_state(states)
    return float(sum(weight_distance(model, mean, state) ** 2 for state in states) ** 0.5)
