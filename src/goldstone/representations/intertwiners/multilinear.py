"""Equivariant multilinear maps and invariant vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.elementary import TrivialRepresentation
from goldstone.representations.intertwiners.basis import IntertwinerBasis
from goldstone.representations.intertwiners.solve import Choice, intertwiner_basis
from goldstone.representations.irrep import Irrep
from goldstone.representations.representation import Representation
from goldstone.representations.tensor_product import TensorProduct


@dataclass(frozen=True, eq=False)
class MultilinearBasis:
    """A basis of the equivariant maps V₁ × … × V_r → W that are linear in each argument.

    Attributes:
        sources: V₁, …, V_r.
        target: W.
        intertwiners: the same maps as intertwiners V₁ ⊗ … ⊗ V_r → W.
    """

    sources: tuple[Representation, ...]
    target: Representation
    intertwiners: IntertwinerBasis

    def __len__(self) -> int:
        return len(self.intertwiners)

    def dense(self) -> Tensor:
        """The maps, orthonormal: (k, dim W, dim V₁, …, dim V_r)."""
        maps = self.intertwiners.dense()
        return maps.reshape(*maps.shape[:2], *(v.dimension for v in self.sources))

    def __call__(self, *vectors: Tensor) -> Tensor:
        """All maps at vectors (*batch, dim V_i), batches broadcast: (*batch, k, dim W).

        To evaluate them often, contract :meth:`dense` once made.

        Raises:
            InputError: there are not r vectors, or they have other dimensions.
        """
        dimensions = [source.dimension for source in self.sources]
        if [vector.shape[-1:] for vector in vectors] != [(d,) for d in dimensions]:
            raise InputError(
                f"expected {len(self.sources)} vectors of dimensions {dimensions}, got shapes "
                f"{[tuple(vector.shape) for vector in vectors]}"
            )
        axes = ascii_lowercase[: len(vectors)]
        inputs = ",".join(f"...{axis}" for axis in axes)
        maps = self.dense()
        dtype = maps.dtype
        for vector in vectors:
            dtype = torch.promote_types(dtype, vector.dtype)
        arguments = [vector.to(dtype) for vector in vectors]
        return torch.einsum(f"YZ{axes},{inputs}->...YZ", maps.to(dtype), *arguments)


def multilinear_basis(
    sources: Sequence[Representation], target: Representation, method: Choice = "auto"
) -> MultilinearBasis:
    """A basis of the maps f with f(ρ₁(g)v₁, …, ρ_r(g)v_r) = ρ_W(g) f(v₁, …, v_r).

    They are the intertwiners V₁ ⊗ … ⊗ V_r → W. With the trivial W they are the invariant
    multilinear forms, for r = 2 the invariant bilinear forms.

    Raises:
        InputError: there are no sources, they are of different groups, or
            :func:`intertwiner_basis` fails.
    """
    sources = tuple(sources)
    product = sources[0] if len(sources) == 1 else TensorProduct(target.group, sources)
    return MultilinearBasis(sources, target, intertwiner_basis(product, target, method))


def invariant_vectors(representation: Representation, method: Choice = "auto") -> Tensor:
    """An orthonormal basis (rows) of the vectors v with ρ(g) v = v for all g: (k, dimension).

    The intertwiners from the trivial representation. Real if the representation is; in echelon
    form with positive leading entries, hence unique.

    Raises:
        InputError: :func:`intertwiner_basis` fails.
    """
    if isinstance(representation, Irrep) and representation.dimension > 1:
        # An invariant vector would span a smaller representation.
        return torch.zeros(0, representation.dimension, dtype=representation.dtype)
    trivial = TrivialRepresentation(representation.group)
    return intertwiner_basis(trivial, representation, method).dense()[..., 0]
