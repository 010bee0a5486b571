"""Normalisation of fields by one scale per field, which commutes with the point group."""

import torch
from torch import Tensor, nn

from goldstone.actions import FieldLayout
from goldstone.core import InputError, check_finite, check_grid_fields


class Normaliser(nn.Module):
    """``normalise(x) = (x − mean) / scale`` per channel, and its inverse.

    A normaliser is part of what the model computes, so it has to transform with the group: both
    components of a vector share one scale, and only fields that no group element turns or negates
    (scalar, density, energy) have their mean removed. Vectors and pseudoscalars keep mean zero.

    Args:
        layout: the fields of the channels.
        mean: (channel,) or None for zeros; must be 0 for vectors and pseudoscalars.
        scale: (channel,) or None for ones; positive and equal for both components of a vector.

    Raises:
        InputError: mean or scale is of another length, or would break the symmetry.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, layout: FieldLayout, mean: Tensor | None = None, scale: Tensor | None = None
    ) -> None:
        super().__init__()
        mean = torch.zeros(layout.channels) if mean is None else mean
        scale = torch.ones(layout.channels) if scale is None else scale
        for name, value in (("mean", mean), ("scale", scale)):
            if value.shape != (layout.channels,):
                raise InputError(
                    f"normaliser: expected a {name} of {layout.channels} channels, got shape "
                    f"{tuple(value.shape)}"
                )
        if not bool((scale > 0).all()):
            raise InputError(f"normaliser: expected positive scales, got {scale.tolist()}")
        for field, channels in layout.slices():
            if not _has_mean(field.fibre) and bool((mean[channels] != 0).any()):
                raise InputError(
                    f"normaliser: the {field.fibre} field {field.name!r} turns or changes sign "
                    f"under the group, so its mean must be 0, got {mean[channels].tolist()}"
                )
            if bool((scale[channels] != scale[channels][0]).any()):
                raise InputError(
                    f"normaliser: the components of {field.name!r} need one common scale, got "
                    f"{scale[channels].tolist()}"
                )
        self.layout = layout
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    @classmethod
    def fit(cls, layout: FieldLayout, fields: Tensor) -> "Normaliser":
        """Mean and standard deviation (for vectors: root mean square) of each field.

        Sums are taken in float64. A field that is constant in the data gets scale 1.

        Args:
            layout: the fields of the channels.
            fields: (batch, channel, X, Y).

        Raises:
            InputError: wrong shape, NaN or infinite values.
        """
        check_grid_fields(fields, layout.channels, "normaliser data")
        check_finite(fields, "normaliser data")
        mean = torch.zeros(layout.channels, dtype=torch.float64)
        scale = torch.ones(layout.channels, dtype=torch.float64)
        for field, channels in layout.slices():
            values = fields[:, channels].double()
            if _has_mean(field.fibre):
                mean[channels] = values.mean()
                values = values - values.mean()
            size = float(values.square().mean().sqrt())
            # Rounding leaves a constant field a size of about 1e-17, not 0.
            if size > 1e-12 * (1 + float(mean[channels][0].abs())):
                scale[channels] = size
        return cls(layout, mean.to(fields), scale.to(fields))

    def normalise(self, x: Tensor) -> Tensor:
        """Fields in physical units to fields of about unit size."""
        return (x - self.mean[:, None, None]) / self.scale[:, None, None]

    def denormalise(self, x: Tensor) -> Tensor:
        """The inverse of :meth:`normalise`."""
        return x * self.scale[:, None, None] + self.mean[:, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """The same as :meth:`normalise`."""
        return self.normalise(x)


def _has_mean(fibre: str) -> bool:
    return fibre in ("scalar", "density", "energy")
