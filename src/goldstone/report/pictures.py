"""Scalar fields as small PNG pictures with a colour scale."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.core import require

LARGEST_SIDE = 160
_SEQUENTIAL, _DIVERGING, _DIFFERENCE = "viridis", "RdBu_r", "PuOr_r"


@dataclass(frozen=True)
class ColourScale:
    """Values from ``low`` to ``high`` onto a matplotlib colour map."""

    low: float
    high: float
    colours: str

    def picture(self, values: NDArray[np.float64]) -> str:
        """A PNG data URI of ``values`` (X, Y): x to the right, y upwards.

        Grids above 160 cells a side are thinned by whole strides. NaN is drawn grey.
        """
        stride = max(1, -(-max(values.shape) // LARGEST_SIDE))
        image = values[::stride, ::stride].T[::-1]
        span = (self.high - self.low) or 1.0
        finite = np.isfinite(image)
        level = np.clip((np.where(finite, image, self.low) - self.low) / span, 0, 1)
        return _png(np.where(finite, np.rint(level * 254), 255).astype(np.uint8), self.colours)

    def bar(self) -> str:
        """A PNG data URI of the scale itself, low to high from left to right."""
        return _png(np.arange(255, dtype=np.uint8)[None, :], self.colours)


def field_scale(pictures: list[NDArray[np.float64]], signed: bool) -> ColourScale:
    """One scale for all ``pictures``, from their 0.5 % and 99.5 % quantiles."""
    values = np.concatenate([p.ravel() for p in pictures])
    values = values[np.isfinite(values)]
    if not values.size:
        return ColourScale(0.0, 1.0, _SEQUENTIAL)
    if signed:
        top = float(np.quantile(np.abs(values), 0.995)) or 1.0
        return ColourScale(-top, top, _DIVERGING)
    low, high = (float(q) for q in np.quantile(values, [0.005, 0.995]))
    return ColourScale(low, high if high > low else low + 1.0, _SEQUENTIAL)


def difference_scale(pictures: list[NDArray[np.float64]], fields: ColourScale) -> ColourScale:
    """One symmetric scale for all differences, never finer than 1 % of the fields' own.

    The bound keeps rounding noise from looking like an error.
    """
    values = np.concatenate([p.ravel() for p in pictures])
    values = np.abs(values[np.isfinite(values)])
    largest = float(np.quantile(values, 0.995)) if values.size else 0.0
    top = max(largest, 0.01 * (fields.high - fields.low) / 2)
    return ColourScale(-top, top, _DIFFERENCE)


def _png(levels: NDArray[np.uint8], colours: str) -> str:
    colormaps = require("matplotlib", "report").colormaps
    images = require("PIL.Image", "report")
    palette = np.full((256, 3), 128, dtype=np.uint8)
    palette[:255] = np.rint(255 * colormaps[colours](np.linspace(0, 1, 255))[:, :3])
    image = images.fromarray(levels)
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
