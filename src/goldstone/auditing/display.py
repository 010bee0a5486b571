"""The fields that a report shows, for one audited sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.auditing.forward import target_action
from goldstone.auditing.inspection import predict
from goldstone.auditing.samples import Samples

MOST_SHOWN = 8


def display_arrays(
    model: nn.Module,
    symmetry: Symmetry,
    elements: Sequence[Any],
    samples: Samples,
    predictions: Tensor,
) -> dict[str, NDArray[Any]]:
    """x, y, f(x) and for up to eight elements g·x, f(g·x), g·f(x), g·y, as float32."""
    shown = list(elements)[:MOST_SHOWN]
    index = int(samples.gradient[0])
    one = slice(index, index + 1)
    x, y, p = samples.inputs[one], samples.targets[one], predictions[one]
    after = samples.context.at(1)
    moved = [symmetry.on_input.act(g, x, samples.context) for g in shown]
    arrays = {
        "display_input": x[0],
        "display_target": y[0],
        "display_prediction": p[0],
    }
    result = {name: _numpy(field) for name, field in arrays.items()}
    result["display_elements"] = np.array(
        [symmetry.group.element_name(g) for g in shown], dtype=np.str_
    )
    if shown:
        rows = {
            "display_moved_input": [m[0] for m in moved],
            "display_prediction_of_moved": [predict(model, m)[0] for m in moved],
            "display_moved_prediction": [symmetry.on_output.act(g, p, after)[0] for g in shown],
            "display_moved_target": [target_action(symmetry).act(g, y, after)[0] for g in shown],
        }
        result |= {name: np.stack([_numpy(f) for f in fields]) for name, fields in rows.items()}
    return result


def _numpy(field: Tensor) -> NDArray[Any]:
    return field.detach().float().cpu().numpy()
