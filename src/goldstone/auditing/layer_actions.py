"""How a symmetry of the input moves feature maps: scalars on the layer's own grid."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import (
    Action,
    Context,
    FeatureFieldAction,
    Field,
    FieldLayout,
    FourierTranslation,
    FramesAction,
    GridAction,
    GridShift,
    ImageAction,
    ImageScaling,
    PointAction,
    ShiftAction,
    TreeAction,
    WallpaperAction,
    fourier_shift,
)
from goldstone.core.trees import Tree
from goldstone.groups import (
    AdditiveGroup,
    EuclideanGroup,
    LinearGroup,
    SpecialEuclideanGroup,
)

Grid = tuple[int, int]
_PERIODIC = (FourierTranslation, ShiftAction, PointAction, WallpaperAction, GridAction)


@dataclass(frozen=True)
class FeatureMapAction:
    """The channels of a feature map (batch, channel, X′, Y′) stay, its points move as the input's.

    Shifts by a cells of the input are shifts by a·X′/X cells of the layer's grid. An input's action
    in time (a boost) has no counterpart.

    Attributes:
        action: how the input moves.
        scale: X′/X.
    """

    action: Action
    scale: float

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Move a feature map."""
        action = self.action
        scalars = FieldLayout(tuple(Field(f"channel {i}", "scalar") for i in range(x.shape[1])))
        if isinstance(action, FramesAction):
            return FeatureMapAction(action.action, self.scale).act(element, x, context)
        if isinstance(action, FourierTranslation):
            return fourier_shift(x, self._scaled(element))
        if isinstance(action, ShiftAction):
            return self._shift(element, x)
        if isinstance(action, WallpaperAction):
            shift, turn = element
            turned = replace(action.point, layout=scalars).act(turn, x, context)
            return self._shift(shift, turned)
        if isinstance(action, GridShift):
            shifts = AdditiveGroup("shift", len(action.axes), "cells")
            return replace(action, group=shifts).act(self._scaled(element), x, context)
        if isinstance(action, ImageAction):
            return replace(action, layout=scalars).act(self._motion(action, element), x, context)
        if isinstance(action, ImageScaling):
            return replace(action, channels=x.shape[1], weight=0.0).act(element, x, context)
        if isinstance(action, FeatureFieldAction):
            return GridAction(action.group, action.pivot).act(element, x, context)
        if isinstance(action, PointAction):
            return replace(action, layout=scalars).act(element, x, context)
        return action.act(element, x, context)

    def _scaled(self, element: Any) -> Any:
        if isinstance(element, Tensor):
            return element.to(torch.float64) * self.scale
        return tuple(float(a) * self.scale for a in element)

    def _shift(self, element: Any, x: Tensor) -> Tensor:
        """By whole cells of this grid exactly, else by the Fourier interpolant."""
        cells = tuple(float(a) * self.scale for a in element)
        if all(a.is_integer() for a in cells):
            return x.roll(tuple(int(a) for a in cells), (-2, -1))
        return fourier_shift(x, cells)

    def _motion(self, action: ImageAction, element: Any) -> Any:
        """A rigid motion with its shift in cells of this grid."""
        group = action.group
        if self.scale == 1.0 or not isinstance(group, (SpecialEuclideanGroup, EuclideanGroup)):
            return element
        factors = torch.ones(3, 3, dtype=torch.float64)
        factors[:2, 2] = self.scale
        if isinstance(element, Tensor):
            return element * factors.to(element.device)
        return group.value(group.tensor((element,))[0] * factors)


@dataclass(frozen=True)
class TokenMapAction:
    """Tokens that are the patches of a grid, rows first, move with it.

    They lie as (batch, token, channel), or flattened behind the channels, (batch, channel, point).

    Attributes:
        action: how the input moves.
        scale: grid of tokens over grid of the input.
        grid: of the tokens.
        leading: tokens before the patches, such as that of the class, which stay.
        channels_last: which of the two ways they lie.
    """

    action: Action
    scale: float
    grid: Grid
    leading: int
    channels_last: bool = True

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Move the patches."""
        if not self.channels_last:
            return self._moved(element, x, context)
        fixed, patches = x[:, : self.leading], x[:, self.leading :]
        moved = self._moved(element, patches.transpose(1, 2), context)
        return torch.cat((fixed, moved.transpose(1, 2)), 1)

    def _moved(self, element: Any, flat: Tensor, context: Context) -> Tensor:
        fields = flat.reshape(*flat.shape[:2], *self.grid)
        return FeatureMapAction(self.action, self.scale).act(element, fields, context).flatten(2)


def spatial_part(action: Action, inputs: Tree) -> tuple[Action, Grid] | None:
    """The first action among those of the input's parts that moves a planar grid, and that grid."""
    if isinstance(action, TreeAction):
        parts: Any = action.parts
        for key in parts if isinstance(parts, Mapping) else range(len(parts)):
            found = spatial_part(parts[key], inputs[key])
            if found is not None:
                return found
        return None
    inner = action.action if isinstance(action, FramesAction) else action
    if not isinstance(inputs, Tensor) or inputs.ndim < 4 or not _is_planar(inner, inputs.ndim):
        return None
    return action, (inputs.shape[-2], inputs.shape[-1])


def infer_layer_action(
    action: Action, grid: Grid, shape: tuple[int, ...], channels_last: bool | None = None
) -> Action | None:
    """The action on a feature map of ``shape``, None where none can be inferred.

    Inferred are maps (batch, channel, X′, Y′) on a grid that divides the input's or is divided by
    it (for bounded images: of about a whole ratio); tokens (batch, token, channel) that are as many
    as the patches of a division of the grid, with or without one token before them; and flattened
    maps (batch, channel, point). Where the latter two cannot be told apart, none is. The channels
    are taken for scalars: of a layer whose channels turn with the grid say so in
    ``Symmetry.on_layers``.

    Args:
        action: of the input, see :func:`spatial_part`.
        grid: of the input.
        shape: of the feature map.
        channels_last: whether the last axis is that of the channels; None if it is not known.
    """
    if len(shape) == 4 and not channels_last:
        scale = _ratio(grid, (shape[2], shape[3]), exact=_is_periodic(action))
        return None if scale is None else FeatureMapAction(action, scale)
    if len(shape) == 3:
        second, third = _tokens(grid, shape[1]), _tokens(grid, shape[2])
        last = channels_last if channels_last is not None else third is None
        found, other = (second, third) if last else (third, second)
        if found is not None and (other is None or channels_last is not None):
            tokens, leading = found
            if last or leading == 0:
                return TokenMapAction(action, tokens[0] / grid[0], tokens, leading, last)
    return None


def only_shifts(action: Action) -> bool:
    """Whether every element shifts the grid: then channels stay what they are."""
    inner = action.action if isinstance(action, FramesAction) else action
    return isinstance(inner, (FourierTranslation, ShiftAction, GridShift))


def has_channels_last(module: nn.Module) -> bool | None:
    """Whether the last axis of a module's output is that of the channels, if its kind tells."""
    if isinstance(module, (nn.Linear, nn.LayerNorm, nn.Embedding, nn.MultiheadAttention)):
        return True
    if isinstance(module, (nn.modules.conv._ConvNd, nn.modules.batchnorm._BatchNorm, nn.GroupNorm)):
        return False
    return None


def _is_planar(action: Action, ndim: int) -> bool:
    if isinstance(action, GridShift):
        return ndim == 4 and max(action.axes) <= 1
    if isinstance(action, (GridAction, FeatureFieldAction)):
        return isinstance(action.group, LinearGroup) and action.group.degree == 2
    planar = (FourierTranslation, ShiftAction, WallpaperAction, PointAction)
    return isinstance(action, (*planar, ImageAction, ImageScaling))


def _is_periodic(action: Action) -> bool:
    if isinstance(action, FramesAction):
        return _is_periodic(action.action)
    return isinstance(action, _PERIODIC) or getattr(action, "boundary", "periodic") == "periodic"


def _ratio(grid: Grid, layer: Grid, exact: bool) -> float | None:
    """X′/X as a whole number or one over it, the same along both axes."""
    ratios = set()
    for n, m in zip(grid, layer, strict=True):
        if min(n, m) < 2:
            return None
        large, small = max(n, m), min(n, m)
        if exact and large % small:
            return None
        whole = round(large / small)
        ratios.add(1 / whole if m < n else float(whole))
    return ratios.pop() if len(ratios) == 1 else None


def _tokens(grid: Grid, tokens: int) -> tuple[Grid, int] | None:
    for leading in (0, 1):
        count = tokens - leading
        if count < 4 or (grid[0] * grid[1]) % count:
            continue
        patch = isqrt(grid[0] * grid[1] // count)
        if grid[0] % patch == 0 and grid[1] % patch == 0 and patch**2 * count == grid[0] * grid[1]:
            return (grid[0] // patch, grid[1] // patch), leading
    return None
