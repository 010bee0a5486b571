"""What the caller of an audit gave: made explicit, and checked before any long work."""

from collections.abc import Callable
from typing import Any, Literal

from torch import Tensor

from goldstone.actions import FieldLayout, Symmetry, flow_symmetry
from goldstone.auditing.orbit_metrics import Metric
from goldstone.auditing.samples import Samples
from goldstone.auditing.subject import Loss
from goldstone.auditing.usual_loss import usual_loss as usual_loss
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.systems.flows import GroundTruth, Trajectories
from goldstone.systems.flows import ground_truth as named_ground_truth

Data = Trajectories | tuple[Tree, Tree]
Step = Callable[[Tree], Tree]


def tensors_of(data: Any) -> Tree:
    """The numbers of the data as one tree.

    Raises:
        InputError: they are neither trajectories nor a pair of inputs and targets.
    """
    if isinstance(data, Trajectories):
        return data.fields
    if isinstance(data, tuple) and len(data) == 2:
        return data
    came = f"a tuple of {len(data)}" if isinstance(data, tuple) else f"a {type(data).__name__}"
    raise InputError(
        "expected data as goldstone.systems.flows.Trajectories or as a pair (inputs, targets) of "
        f"tensors or trees of tensors, got {came}; of a DataLoader concatenate the batches"
    )


def layout_and_symmetry(
    data: Data, symmetry: Symmetry | str, speed: float
) -> tuple[FieldLayout | None, Symmetry]:
    """What the channels are, if they are declared, and the symmetry, if it was named.

    ``speed`` is the scale of boosts.
    """
    layout = None if isinstance(data, tuple) else data.layout
    if isinstance(symmetry, Symmetry):
        acted = getattr(symmetry.on_output, "layout", None)
        # One layout speaks for inputs and targets, or none.
        same = acted == getattr(symmetry.on_input, "layout", None)
        return layout or (acted if same else None), symmetry
    if isinstance(data, tuple) or layout is None:
        raise InputError(
            f"the short name {symmetry!r} needs to know what the channels are: give Trajectories "
            "with a field layout, or a Symmetry"
        )
    return layout, flow_symmetry(symmetry, layout, data.grid, speed=speed)


def check_channels(symmetry: Symmetry, samples: Samples) -> None:
    """What declares a layout of grid fields gets grid fields of so many channels."""
    for name, action, x in (
        ("inputs", symmetry.on_input, samples.inputs),
        ("targets", symmetry.target_action, samples.targets),
    ):
        layout = getattr(action, "layout", None)
        if not isinstance(layout, FieldLayout):
            continue
        check_grid(name, x)
        if layout.channels != x.shape[1]:
            raise InputError(
                f"the symmetry {symmetry.name!r} acts on {layout.channels} channels "
                f"({', '.join(layout.channel_names())}), the data have {x.shape[1]}"
            )


def check_grid(name: str, x: Tree) -> None:
    """Raise unless x are fields on a plane grid."""
    if not isinstance(x, Tensor) or x.ndim != 4 or not x.dtype.is_floating_point:
        raise InputError(
            f"{name}: expected floating-point fields of shape (sample, channel, X, Y), got "
            f"{trees.describe(x)}" + (f" of {x.dtype}" if isinstance(x, Tensor) else "")
        )


def usual_metric(predictions: Tree, targets: Tree, loss: Loss) -> Metric:
    """``"accuracy"`` for class labels beside scores (n, class, …), and else the loss."""
    if (
        isinstance(predictions, Tensor)
        and isinstance(targets, Tensor)
        and not trees.is_continuous(targets)
        and (*predictions.shape[:1], *predictions.shape[2:]) == targets.shape
        and predictions.ndim > 1
    ):
        return "accuracy"
    return loss


def true_step(
    data: Data,
    ground_truth: GroundTruth | Step | Literal["auto"] | None,
) -> Step | None:
    """The ground truth as a function from a state to the one a step later."""
    if ground_truth == "auto":
        if isinstance(data, tuple) or data.system == "unknown":
            return None
        ground_truth = named_ground_truth(data.system, data.parameters, data.lengths)
    if ground_truth is None or not hasattr(ground_truth, "advance"):
        return ground_truth
    if isinstance(data, tuple):
        raise InputError(
            "a solver with advance(state, duration) needs trajectories, which say the time of a "
            "step; with a pair of tensors give a function from a state to the next one"
        )
    advance, dt = ground_truth.advance, data.dt
    return lambda x: advance(x, dt)


def truth_name(
    data: Data,
    ground_truth: GroundTruth | Step | Literal["auto"] | None,
) -> str:
    """What the symmetry is verified against, in words."""
    if ground_truth == "auto" and isinstance(data, Trajectories):
        return f"the solver of {data.system} that the data name"
    return getattr(ground_truth, "system", None) or "a function given by the caller"
