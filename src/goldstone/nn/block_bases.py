"""Bases of the equivariant blocks between two parts of representations, and their combination."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class BlockBasis(nn.Module, ABC):
    """An orthonormal basis of the equivariant maps (or kernels) from one part to another.

    What it holds are non-persistent buffers: a module that uses it has the same ``state_dict``
    whether or not they are there.

    Attributes:
        count: the number of maps in the basis.
    """

    count: int

    def cast(self, device: torch.device | str | None, dtype: torch.dtype) -> "BlockBasis":
        """Move the buffers, numbers to a real or complex dtype; itself."""
        # Not Module.to, which warns of complex dtypes.
        for name, buffer in list(self.named_buffers()):
            is_number = buffer.is_floating_point() or buffer.is_complex()
            setattr(self, name, buffer.to(device, dtype if is_number else None))
        return self

    @abstractmethod
    def blocks(self, coefficients: Tensor) -> Tensor:
        """Σ_b c[o, i, b] K_b for every pair of copies o, i.

        Args:
            coefficients: (out copies, in copies, count).

        Returns:
            (out copies, out dimension, in copies, in dimension, *kernel).
        """


class DenseBasis(BlockBasis):
    """A basis as it is, (count, out dimension, in dimension, *kernel)."""

    basis: Tensor

    def __init__(self, basis: Tensor) -> None:
        super().__init__()
        self.count = len(basis)
        self.register_buffer("basis", basis, persistent=False)

    def blocks(self, coefficients: Tensor) -> Tensor:
        return torch.einsum("oib,bmn...->omin...", coefficients, self.basis)
