"""Layers whose channels turn in an unknown way: their errors up to the best linear map."""

from collections.abc import Mapping
from math import ceil

import torch
from torch import Tensor

from goldstone.actions import Action, ImageAction, ImageScaling
from goldstone.auditing.fitted_actions import cross_fitted_error
from goldstone.auditing.layer_actions import FeatureMapAction, TokenMapAction
from goldstone.auditing.statistics import Bootstrap, by_trajectory, interval, quartiles
from goldstone.core import Statistic, generator

MOST_CHANNELS = 1024
MOST_OUTPUTS = 256
ROWS = 4096
ROWS_PER_CHANNEL = 8
MEMORY = 2**29
IDENTITY_BOUND = 1e-3
"""A fit from so many samples counts if it also finds that features are a map of themselves."""


def can_fit(output: Tensor) -> bool:
    """Whether a map of so many channels is affordable."""
    return max(output.shape[1], output.shape[-1] if output.ndim == 3 else 0) <= MOST_CHANNELS


class FittedLayers:
    """Features of x and g·x at some points of each layer, and what fits between them.

    At most :data:`ROWS` rows are kept of a layer, or :data:`ROWS_PER_CHANNEL` per channel, at
    points drawn once and the same in all samples. Of images only points in the inscribed disc
    count, as the corners leave the image under rotation.

    Args:
        actions: how the points of each layer move.
        outputs: of each layer, for any few samples.
        of: (n,) the trajectory of each sample.
        seed: of the points and of the split of trajectories.
    """

    def __init__(
        self, actions: Mapping[str, Action], outputs: Mapping[str, Tensor], of: Tensor, seed: int
    ) -> None:
        self.names = tuple(actions)
        # One trajectory leaves none to judge the fit on.
        self.unfit = dict.fromkeys(actions if int(of.max()) < 1 else ())
        self.nulls: dict[str, Statistic] = {}
        self._of, self._seed = of, seed
        self._layouts = {
            name: _Rows(action, outputs[name], len(of), seed, name)
            for name, action in actions.items()
        }
        self._rows: dict[tuple[int, str], list[tuple[Tensor, Tensor]]] = {}
        numbers = sum(len(of) * layout.numbers for layout in self._layouts.values())
        self.at_once = max(1, MEMORY // (8 * max(1, numbers)))

    def add(self, element: int, name: str, moved: Tensor, expected: Tensor) -> None:
        """Keep rows of a batch: features of g·x, and those of x with the points moved."""
        if name not in self.unfit:
            layout = self._layouts[name]
            rows = layout(moved)[..., layout.outputs], layout(expected)
            self._rows.setdefault((element, name), []).append(rows)

    def errors(self, element: int, bootstrap: Bootstrap) -> dict[str, Statistic]:
        """The error of each layer under one element, whose rows are then let go.

        The first time it also fits wrong pairs (:attr:`nulls`), and leaves out layers where so many
        samples would not even show that features are a linear map of themselves (:attr:`unfit`).
        """
        found = {}
        for name in self.names:
            if name in self.unfit:
                self._rows.pop((element, name), None)
                continue
            batches = self._rows.pop((element, name))
            moved, expected = (torch.cat(parts) for parts in zip(*batches, strict=True))
            if name not in self.nulls:
                outputs = self._layouts[name].outputs
                itself = self._error(expected[..., outputs], expected, bootstrap).estimate
                if itself is not None and itself > IDENTITY_BOUND:
                    self.unfit[name] = None
                    continue
                other = expected[another_trajectory(self._of, self._seed)]
                self.nulls[name] = self._error(moved, other, bootstrap)
            found[name] = self._error(moved, expected, bootstrap)
        return found

    def _error(self, moved: Tensor, expected: Tensor, bootstrap: Bootstrap) -> Statistic:
        """The root of residual over variation; None of a layer that does not vary."""
        fit = cross_fitted_error(moved, expected, self._of, self._seed)
        typical = fit.variation.mean()
        size = moved.double().square().sum((1, 2)).mean()
        if not typical > size * (10 * torch.finfo(moved.dtype).eps) ** 2:
            return Statistic(None, n=bootstrap.n)
        residual, variation = (
            by_trajectory(part, self._of) for part in (fit.residual, fit.variation)
        )
        replicates = ((bootstrap.counts @ residual) / (bootstrap.counts @ variation)).sqrt()
        return Statistic(
            float((residual.sum() / variation.sum()).sqrt()),
            *interval(replicates, bootstrap.n),
            bootstrap.n,
            *quartiles((fit.residual / typical).sqrt()),
        )


def another_trajectory(of: Tensor, seed: int) -> Tensor:
    """(n,) for each sample the index of one from the trajectory that follows in a random order."""
    n = int(of.max()) + 1
    order = torch.randperm(n, generator=generator(seed, "wrong pairs", n))
    members = [(of == t).nonzero()[:, 0] for t in range(n)]
    found = torch.empty_like(of)
    for t, other in zip(order.tolist(), order.roll(-1).tolist(), strict=True):
        places = torch.arange(len(members[t])) % len(members[other])
        found[members[t]] = members[other][places]
    return found


class _Rows:
    """Where the points and channels of a layer's output lie, and which are taken."""

    def __init__(self, action: Action, output: Tensor, samples: int, seed: int, name: str) -> None:
        self._first, self._last = 0, False
        if output.ndim == 2:
            grid: tuple[int, ...] = (1,)
        elif isinstance(action, TokenMapAction):
            grid, self._first, self._last = action.grid, action.leading, action.channels_last
        else:
            grid = tuple(output.shape[2:])
        channels = output.shape[-1 if self._last else 1] * (2 if output.is_complex() else 1)
        inside = _points(action, grid)
        most = ceil(max(ROWS, ROWS_PER_CHANNEL * channels) / samples)
        drawn = torch.randperm(len(inside), generator=generator(seed, "points", name))[:most]
        self._points = inside[drawn.sort().values] + self._first
        step = ceil(channels / MOST_OUTPUTS)
        self.outputs = slice(None, None, step)
        self.numbers = len(self._points) * (channels + ceil(channels / step))

    def __call__(self, output: Tensor) -> Tensor:
        """(batch, point, channel), real."""
        maps = output.transpose(1, 2) if self._last else output[..., None]
        rows = maps.flatten(2)[:, :, self._points.to(maps.device)].transpose(1, 2).cpu()
        if rows.is_complex():
            rows = torch.cat((rows.real, rows.imag), -1)
        return rows if rows.dtype == torch.float64 else rows.float()


def _points(action: Action, grid: tuple[int, ...]) -> Tensor:
    """The flat indices of the points that may be taken."""
    everywhere = torch.arange(torch.Size(grid).numel())
    inner = action.action if isinstance(action, (FeatureMapAction, TokenMapAction)) else action
    if len(grid) != 2 or not isinstance(inner, (ImageAction, ImageScaling)):
        return everywhere
    x, y = (torch.linspace(-1, 1, size + 1)[:-1] + 1 / size for size in grid)
    return everywhere[(torch.hypot(x[:, None], y) <= 1).flatten()]
