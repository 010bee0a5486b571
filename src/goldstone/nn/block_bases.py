"""Bases of the equivariant blocks between two parts of representations, and their combination."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from goldstone.nn.constants import Constants


class BlockBasis(Constants, ABC):
    """An orthonormal basis of the equivariant maps (or kernels) from one part to another.

    What it holds are :class:`Constants` in double precision, to be cast. None has four axes or
    more: torch takes such buffers for images when it changes a module's memory format.

    Attributes:
        count: the number of maps in the basis.
    """

    count: int

    @abstractmethod
    def blocks(self, coefficients: Tensor) -> Tensor:
        """Σ_b c[o, i, b] K_b for every pair of copies o, i.

        Args:
            coefficients: (out copies, in copies, count).

        Returns:
            (out copies, out dimension, in copies, in dimension, *kernel).
        """

    def dense(self) -> Tensor:
        """The basis, (count, out dimension, in dimension, *kernel)."""
        number = next(buffer for buffer in self.buffers() if buffer.dtype != torch.int64)
        one = torch.eye(self.count, dtype=number.dtype, device=number.device)
        return self.blocks(one[:, None]).squeeze(2)


class DenseBasis(BlockBasis):
    """A basis as it is.

    Args:
        basis: (count, out dimension, in dimension, *kernel).
    """

    basis: Tensor

    def __init__(self, basis: Tensor) -> None:
        super().__init__()
        self.count, self.shape = len(basis), basis.shape[1:]
        self.register_constant("basis", basis.flatten(1))

    def blocks(self, coefficients: Tensor) -> Tensor:
        each = torch.einsum("oib,bq->oiq", coefficients, self.basis)
        return each.reshape(*each.shape[:2], *self.shape).transpose(1, 2)

    def dense(self) -> Tensor:
        return self.basis.reshape(self.count, *self.shape)


class OrbitBasis(BlockBasis):
    """Maps between permutation representations: constant on the orbits of entries.

    Args:
        labels: (out dimension, in dimension), int64, the number of the map that is nonzero there.
        count: the number of maps.
    """

    labels: Tensor
    scale: Tensor

    def __init__(self, labels: Tensor, count: int) -> None:
        super().__init__()
        self.count, self.shape = count, labels.shape
        sizes = torch.bincount(labels.flatten(), minlength=count)
        self.register_constant("labels", labels.flatten())
        self.register_constant("scale", sizes.double().rsqrt())

    def blocks(self, coefficients: Tensor) -> Tensor:
        outs, ins, _ = coefficients.shape
        # A row of blocks at a time, so that all entries come to lie in their order.
        rows = (outs, self.shape[0], ins)
        sources = (coefficients * self.scale)[:, None].expand(*rows, -1)
        labels = self.labels.reshape(1, self.shape[0], 1, -1).expand(*rows, -1)
        return sources.gather(-1, labels).reshape(*rows, *self.shape[1:])


class FactorisedBasis(BlockBasis):
    """Maps through irreps: for each irrep that both parts contain, Q_a E_e P_b.

    Q_a and P_b are its copies in the target and its coordinates in the source, both with
    orthonormal rows or columns, and E_e an orthonormal basis of its endomorphisms. They take
    (m + n)·d numbers in place of count·m·n.

    Args:
        factors: Q (m, copies, d), E (endomorphisms, d, d) and P (copies, d, n) of each irrep.
    """

    def __init__(self, factors: Sequence[tuple[Tensor, Tensor, Tensor]]) -> None:
        super().__init__()
        self.shapes = [(q.shape[1], p.shape[0], e.shape[0]) for q, e, p in factors]
        self.count = sum(prod(shape) for shape in self.shapes)
        for k, (q, e, p) in enumerate(factors):
            self.register_constant(f"out_copies_{k}", q)
            self.register_constant(f"endomorphisms_{k}", e)
            self.register_constant(f"in_copies_{k}", p)

    def blocks(self, coefficients: Tensor) -> Tensor:
        result, start = None, 0
        for k, shape in enumerate(self.shapes):
            part = coefficients[..., start : start + prod(shape)]
            part = part.reshape(*part.shape[:2], *shape)
            start += prod(shape)
            inner = torch.einsum("oiabe,eds->oadibs", part, getattr(self, f"endomorphisms_{k}"))
            inner = torch.einsum("oadibs,bsn->oadin", inner, getattr(self, f"in_copies_{k}"))
            block = torch.einsum("mad,oadin->omin", getattr(self, f"out_copies_{k}"), inner)
            result = block if result is None else result + block
        if result is None:
            raise ValueError("a factorised basis needs an irrep that both parts contain")
        return result
