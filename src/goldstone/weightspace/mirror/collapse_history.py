"""Collapse over the checkpoints of a training."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass

from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.weightspace.mirror.collapse import CollapseReport
from goldstone.weightspace.mirror.weight_collapse import weight_collapse


@dataclass(frozen=True)
class CollapseHistory:
    """The collapse of a model's layers at several times of its training.

    Attributes:
        steps: ascending.
        reports: one for each step, all of the same layers.
    """

    steps: tuple[int, ...]
    reports: tuple[CollapseReport, ...]

    def curve(self, layer: str, quantity: str) -> tuple[float, ...]:
        """A number of one layer over time, such as ``distinct``, ``rank`` or ``effective_rank``.

        Of ``dead`` and ``duplicates`` how many there are.

        Raises:
            InputError: there is no such layer or quantity.
        """
        if self.reports and layer not in self.reports[0].layers:
            raise InputError(f"no layer {layer!r}; there are {list(self.reports[0].layers)}")
        values = []
        for report in self.reports:
            value = getattr(report.layers[layer], quantity, None)
            if value is None:
                raise InputError(f"a layer's collapse has no {quantity!r}")
            values.append(float(len(value) if isinstance(value, tuple) else value))
        return tuple(values)

    def onset(self, layer: str) -> int | None:
        """The first step after which the layer never has all its units different again.

        None if it ends with all units different and alive.
        """
        found = None
        units = self.curve(layer, "units")
        distinct = self.curve(layer, "distinct")
        for step, all_units, different in zip(self.steps, units, distinct, strict=True):
            if different == all_units:
                found = None
            elif found is None:
                found = step
        return found


def collapse_history(
    model: nn.Module,
    checkpoints: Iterable[tuple[int, Mapping[str, Tensor]]],
    measure: Callable[[nn.Module], CollapseReport] = weight_collapse,
) -> CollapseHistory:
    """What :func:`weight_collapse` or another measure finds at each checkpoint.

    Args:
        model: the architecture; a copy of it takes the weights, one checkpoint at a time.
        checkpoints: pairs of step and state_dict, which may be a generator that loads files.
        measure: such as ``lambda model: activation_collapse(model, batches)``.

    Raises:
        InputError: there are no checkpoints, steps repeat, or a state_dict does not fit.
    """
    copy = deepcopy(model)
    found: dict[int, CollapseReport] = {}
    for step, state in checkpoints:
        if step in found:
            raise InputError(f"expected one checkpoint for each step, got two of step {step}")
        try:
            copy.load_state_dict(state)
        except RuntimeError as error:
            raise InputError(f"the checkpoint of step {step} does not fit: {error}") from error
        found[step] = measure(copy)
    if not found:
        raise InputError("expected at least one checkpoint, got none")
    steps = sorted(found)
    return CollapseHistory(tuple(steps), tuple(found[step] for step in steps))
