"""The null space of intertwiner constraints in two steps: a semisimple part first."""

import torch
from torch import Tensor

from goldstone.core import InputError, generator
from goldstone.representations.intertwiners.constraints import IntertwinerConstraints
from goldstone.representations.intertwiners.isotypic_splitting import isotypic_splitting
from goldstone.representations.intertwiners.null_space import ZERO, NullSpace, null_space_of_matrix

_MOST_ENTRIES = 2**28


def reduced_null_space(constraints: IntertwinerConstraints, seed: int = 0) -> NullSpace:
    """The null space of groups with a semisimple part, such as SE(n), Galilei and Poincaré.

    The equations that are closed under adjoints (rotations, boosts of Lorentz) are solved by
    :func:`isotypic_splitting`. On the k maps that these leave, random combinations of the others
    (translations) are solved by singular value decomposition, m·n·k² each in place of (m·n)³, until
    all hold. One combination is mostly enough, as rotations carry it to the rest.

    Raises:
        InputError: no equations are closed under adjoints, they leave too many maps, or the
            singular values leave the rank unclear.
    """
    part = constraints.adjoint_closed_part()
    if not part:
        raise InputError("no generators are unitary or closed under adjoints; use method='krylov'")
    split = isotypic_splitting(constraints.part(part))
    k = sum(pair.dimension for pair in split.pairs)
    if k * constraints.unknowns > _MOST_ENTRIES:
        raise InputError(
            f"the generators that are closed under adjoints leave {k} maps of "
            f"{constraints.unknowns} entries, too many; use method='krylov'"
        )
    empty = torch.zeros(0, constraints.unknowns, dtype=constraints.dtype)
    rows = torch.cat([pair.rows() for pair in split.pairs]) if k else empty
    rest = constraints.part(sorted(set(range(len(constraints.source))) - set(part)))
    noise = generator(seed, "reduced null space")
    largest_zero, smallest = split.largest_zero, None
    for _ in range(len(rest.source)):
        if _holds(rest, rows, noise):
            break
        # (C A)_i is linear in the coefficients; its triangular factor has the same null space.
        maps = rows.reshape(-1, *constraints.shape)
        columns = _random_combination(rest, noise).apply(maps)[0].flatten(1).mT
        triangle = torch.linalg.qr(columns, mode="r").R
        found = null_space_of_matrix(triangle, constraints.scale)
        rows = found.rows @ rows
        largest_zero = max(largest_zero, found.largest_zero)
        known = [s for s in (smallest, found.smallest_nonzero) if s is not None]
        smallest = min(known) if known else None
    return NullSpace(
        rows,
        largest_zero,
        smallest,
        f"the generators closed under adjoints leave {k} maps; all singular values of combinations "
        "of the others on these are known",
    )


def _random_combination(
    constraints: IntertwinerConstraints, noise: torch.Generator
) -> IntertwinerConstraints:
    c = torch.randn(len(constraints.source), generator=noise, dtype=torch.float64)
    c = c / c.norm()
    source, target = (
        torch.einsum("c,cij->ij", c.to(a.dtype), a)[None]
        for a in (constraints.source, constraints.target)
    )
    return IntertwinerConstraints(source, target)


def _holds(constraints: IntertwinerConstraints, rows: Tensor, noise: torch.Generator) -> bool:
    """Whether a Gaussian map of the space solves the equations: then all do, with probability 1."""
    if not len(rows):
        return True
    c = torch.randn(len(rows), generator=noise, dtype=rows.dtype)
    one = (c @ rows / c.norm()).reshape(1, *constraints.shape)
    return constraints.residual(one) < ZERO * constraints.scale
