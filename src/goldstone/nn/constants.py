"""Buffers that a module's arguments determine: never stored, and exact in every precision."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import ParamSpec, Self

import torch
from torch import Tensor, nn

from goldstone.core import InputError

_EXACT = (torch.float64, torch.complex128, torch.int64)

Arguments = ParamSpec("Arguments")


class Constants(nn.Module):
    """A module with constants, such as bases of equivariant maps and numbers of channels.

    They are buffers outside the ``state_dict``. A plain buffer would be rounded by ``half()`` and
    stay rounded after ``float()``, which loses equivariance, and would be left empty by
    ``to_empty`` on its way from the meta device; these are taken anew from exact copies on the CPU.
    """

    def __init__(self) -> None:
        super().__init__()
        self._exact: dict[str, Tensor] = {}

    def register_constant(self, name: str, value: Tensor | None) -> None:
        """Add a buffer, as it is (see :meth:`cast`); None is an ordinary attribute.

        Raises:
            InputError: the value is not in double precision or int64.
        """
        if value is None:  # Not a buffer: torch.export miscounts those that are None.
            setattr(self, name, None)
            return
        if value.dtype not in _EXACT:
            raise InputError(
                f"expected a constant in float64, int64 or complex128, got {value.dtype}"
            )
        self._exact[name] = value.cpu()
        self.register_buffer(name, value, persistent=False)

    def cast(self, device: torch.device | str | None, dtype: torch.dtype) -> Self:
        """Move the constants, numbers to a real or complex dtype; itself."""
        # Not Module.to, which warns of complex dtypes.
        for name, exact in self._exact.items():
            is_number = exact.dtype != torch.int64
            setattr(self, name, exact.to(device, dtype if is_number else None))
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = {name: getattr(self, name) for name in self._exact}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, exact in self._exact.items():
            old, new = before[name], getattr(self, name)
            if not new.is_meta and (old.is_meta or old.dtype != new.dtype):
                setattr(self, name, exact.to(new.device, new.dtype))
        return self


def computed_on_cpu(
    constructor: Callable[Arguments, None],
) -> Callable[Arguments, None]:
    """Have a constructor compute on the CPU whatever torch's default device is.

    Constants need real numbers, which the meta device has not. ``device=None`` becomes the default
    device outside.
    """

    @wraps(constructor)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        default = torch.get_default_device()
        if kwargs.get("device") is None:
            kwargs["device"] = default
        # The context costs as much again as what small tensors are computed for.
        with nullcontext() if default.type == "cpu" else torch.device("cpu"):
            constructor(*args, **kwargs)

    return wrapped
