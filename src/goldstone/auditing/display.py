"""The fields that a report shows, for one audited sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.subject import Subject

MOST_SHOWN = 8


def display_arrays(
    few: Subject, symmetry: Symmetry, elements: Sequence[Any]
) -> dict[str, NDArray[Any]]:
    """x, y, f(x) and for up to eight elements g·x, f(g·x), g·f(x), g·y, as float32.

    Nothing but grid fields is shown: other data have no one picture.
    """
    everything = (few.samples.inputs, few.samples.targets, few.predictions)
    if not all(isinstance(t, Tensor) and t.ndim == 4 and t.is_floating_point() for t in everything):
        return {}
    shown = list(elements)[:MOST_SHOWN]
    x, y, p = few.samples.inputs[:1], few.samples.targets[:1], few.predictions[:1]
    before = few.samples.context
    after = before.at(1)
    result = {
        "display_input": _numpy(x[0]),
        "display_target": _numpy(y[0]),
        "display_prediction": _numpy(p[0]),
        "display_elements": np.array([symmetry.group.element_name(g) for g in shown], np.str_),
    }
    if shown:
        moved = torch.cat([symmetry.on_input.act(g, x, before) for g in shown])
        result["display_moved_input"] = _numpy(moved)
        result["display_prediction_of_moved"] = _numpy(few.predict(moved))
        result["display_moved_prediction"] = _numpy(
            torch.cat([symmetry.on_output.act(g, p, after) for g in shown])
        )
        result["display_moved_target"] = _numpy(
            torch.cat([symmetry.target_action.act(g, y, after) for g in shown])
        )
    return result


def _numpy(field: Tensor) -> NDArray[Any]:
    return field.detach().float().cpu().numpy()
