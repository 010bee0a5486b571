"""Checks of the tensors that actions move."""

from torch import Tensor

from goldstone.core import InputError

AXES = "XYZUVW"


def check_numbers(x: Tensor, name: str) -> None:
    """Raise unless x holds real or complex floating-point numbers.

    Raises:
        InputError: it does not.
    """
    if not (x.is_floating_point() or x.is_complex()):
        raise InputError(
            f"{name}: expected floating-point or complex numbers, got {x.dtype}; call .float()"
        )


def check_axes(x: Tensor, dimensions: int) -> None:
    """Raise unless x is a (batch, channel, X, Y, …) tensor of so many dimensions.

    Raises:
        InputError: it has another number of axes.
    """
    if x.ndim != dimensions + 2:
        raise InputError(
            "fields: expected a tensor of shape (batch, channel, "
            f"{', '.join(AXES[:dimensions])}), got {tuple(x.shape)}"
        )


def check_fields(x: Tensor, channels: int, dimensions: int) -> None:
    """Raise unless x is a real or complex (batch, ``channels``, X, Y, …) tensor.

    Raises:
        InputError: another number of axes or channels, or a dtype without fractions.
    """
    check_axes(x, dimensions)
    check_numbers(x, "fields")
    if x.shape[1] != channels:
        raise InputError(
            f"fields: expected {channels} channels as declared, got {x.shape[1]}; declare the "
            "fields of the data or choose its channels"
        )
