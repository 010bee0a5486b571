"""The action on the output of a layer that says itself how its channels turn."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from goldstone.actions import (
    Action,
    Context,
    FeatureFieldAction,
    FramesAction,
    GridAction,
    ImageAction,
    LinearAction,
    PointAction,
    Symmetry,
    WallpaperAction,
)
from goldstone.auditing.layer_actions import FeatureMapAction
from goldstone.representations import Representation


@dataclass(frozen=True)
class FibreMapAction:
    """(g·h)(p) = ρ(A) h(g⁻¹p) on a feature map, A the turn or reflection within g.

    Attributes:
        grid: how the points move.
        fibre: ρ, of the channels.
    """

    grid: FeatureMapAction
    fibre: Representation

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Move a feature map and turn its channels."""
        moved = self.grid.act(element, x, context)
        turn = element[1] if isinstance(_inner(self.grid.action), WallpaperAction) else element
        return LinearAction(self.fibre, 1).act(turn, moved, context)


def module_action(
    module: nn.Module, symmetry: Symmetry, motion: Action | None, output: Tensor
) -> Action | None:
    """The action that a layer such as those of :mod:`goldstone.nn` declares by its ``target``.

    None where it has no such attribute, or a representation of another group than the one that is
    audited, or its output is no feature map or vector with those components.

    Args:
        module: the layer.
        symmetry: what is audited.
        motion: of the output's points, from :func:`goldstone.auditing.layer_actions
            .infer_layer_action`.
        output: of the layer.
    """
    fibre = getattr(module, "target", None)
    if not isinstance(fibre, Representation) or output.ndim not in (2, 4):
        return None
    if output.shape[1] != fibre.dimension:
        return None
    if output.ndim == 2:
        return LinearAction(fibre) if fibre.group == symmetry.group else None
    if not isinstance(motion, FeatureMapAction) or _turns(motion.action) != fibre.group:
        return None
    return FibreMapAction(motion, fibre)


def _turns(action: Action) -> Any:
    """The group whose elements turn the fibres."""
    action = _inner(action)
    if isinstance(action, WallpaperAction):
        return action.point.group
    if isinstance(action, (PointAction, GridAction, FeatureFieldAction, ImageAction)):
        return action.group
    return None


def _inner(action: Action) -> Action:
    return _inner(action.action) if isinstance(action, FramesAction) else action
