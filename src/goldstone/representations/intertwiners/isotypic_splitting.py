"""Hom(V, W) of semisimple pairs by a random element of the algebra of the group."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError, generator
from goldstone.representations.intertwiners.constraints import IntertwinerConstraints

_EQUAL, _DISTINCT = 1e-9, 1e-7
"""Differences of eigenvalues, relative to the largest, that may be zero and that are not."""
_LINKED = 1e-12
"""Squared blocks smaller than this, relative to the largest, may be zero."""
_EXACT = 1e-10
_ATTEMPTS = 3

_Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class IsotypicPair:
    """The copies of one irrep, of dimension d, in the source (p copies) and the target (q).

    Both are given in one basis of the irrep, so that the intertwiners between them are the maps
    A = Σ_k T_k C S_kᴴ / √d with any matrix C of shape (q, p), and ‖A‖ = ‖C‖.

    Attributes:
        source: S, (n, d, p), orthonormal columns.
        target: T, (m, d, q), orthonormal columns.
    """

    source: Tensor = field(repr=False)
    target: Tensor = field(repr=False)

    @property
    def dimension(self) -> int:
        """q·p, the number of free coefficients."""
        return self.target.shape[-1] * self.source.shape[-1]

    def map(self, coefficients: Tensor) -> Tensor:
        """The maps (*batch, m, n) of coefficients C (*batch, q, p)."""
        root = self.source.shape[1] ** 0.5
        scaled = coefficients.to(self.target.dtype) / root
        maps: Tensor = torch.einsum("mkq,...qp,nkp->...mn", self.target, scaled, self.source.conj())
        return maps

    def coefficients(self, maps: Tensor) -> Tensor:
        """The C (*batch, q, p) of maps (*batch, m, n): their orthogonal projection."""
        root = self.source.shape[1] ** 0.5
        scaled = maps.to(self.target.dtype) / root
        found: Tensor = torch.einsum(
            "mkq,...mn,nkp->...qp", self.target.conj(), scaled, self.source
        )
        return found

    def rows(self) -> Tensor:
        """The maps of the unit matrices C, (q·p, m·n), orthonormal."""
        one = self.target.permute(2, 0, 1)[:, None] / self.source.shape[1] ** 0.5
        maps: Tensor = one @ self.source.conj().permute(2, 1, 0)[None]
        return maps.flatten(0, 1).flatten(1)


@dataclass(frozen=True)
class IsotypicSplitting:
    """All isotypic pairs, with the numbers that certify them.

    Attributes:
        pairs: one for each irrep in both source and target.
        residual: a bound on ‖B_i A − A D_i‖ for every generator and every intertwiner A of norm 1.
        largest_zero, smallest_nonzero: the largest difference of eigenvalues that counted as
            equal, and the smallest that did not, relative to the largest eigenvalue.
    """

    pairs: tuple[IsotypicPair, ...]
    residual: float
    largest_zero: float
    smallest_nonzero: float | None


def isotypic_splitting(constraints: IntertwinerConstraints, seed: int = 0) -> IsotypicSplitting:
    """The irreps that source and target share, each in matched bases.

    A random Hermitian X in the algebra that the generators span has, in each irrep, distinct
    eigenvalues, and every intertwiner maps its eigenspaces in V to those in W (Dixon 1970,
    "Computing irreducible representations of groups"; Murota, Kanno, Kojima & Kojima 2010, "A
    numerical algorithm for block-diagonal decomposition of matrix *-algebras"). A second random
    element Y links the eigenspaces of one irrep to each other: its blocks fix the whole map once
    it is known on one eigenspace, so there are not more maps than are returned; that each of them
    is one is checked on the generators. Costs (m + n)³ for each generator, whatever the number of
    maps. Real representations are split over the reals if all irreps in question are of real
    type, else over the complex numbers.

    Raises:
        InputError: the equations are not closed under adjoints (see
            :meth:`IntertwinerConstraints.is_adjoint_closed`), or no draw gave a clear splitting.
    """
    if not constraints.is_adjoint_closed():
        raise InputError(
            "the isotypic method needs representations whose generators are unitary, or closed "
            "under adjoints; use method='krylov' or 'direct'"
        )
    dtypes = [constraints.dtype] * _ATTEMPTS
    if not constraints.dtype.is_complex:
        dtypes = [torch.float64] + [torch.complex128] * _ATTEMPTS
    for attempt, dtype in enumerate(dtypes):
        source = generator(seed, "isotypic splitting", attempt)
        both = (constraints.source.to(dtype), constraints.target.to(dtype))
        found = _attempt(both, source, constraints.scale)
        if found is not None:
            return found
    raise InputError(
        "no random element of the group's algebra separates the irreps clearly; use "
        "method='krylov' or 'direct'"
    )


def _attempt(both: _Pair, source: torch.Generator, scale: float) -> IsotypicSplitting | None:
    x, y = (_random_element(both, source) for _ in range(2))
    (values_v, basis_v), (values_w, basis_w) = (torch.linalg.eigh(a) for a in x)
    values = torch.cat((values_v, values_w))
    order = values.argsort()
    steps = values[order].diff() / values.abs().max().clamp_min(1e-300)
    is_new = steps > _EQUAL
    if bool((is_new & (steps < _DISTINCT)).any()):
        return None
    equal, distinct = steps[~is_new], steps[is_new]
    largest_zero = float(equal.max()) if len(equal) else 0.0
    cluster = torch.zeros_like(order)
    cluster[order[1:]] = is_new.long().cumsum(0)
    groups_v, groups_w = cluster[: len(values_v)], cluster[len(values_v) :]
    linked = (basis_v.mH @ y[0] @ basis_v, basis_w.mH @ y[1] @ basis_w)
    # Eigenvalues ascend, so the vectors of an eigenspace lie side by side, in order of clusters.
    count = int(cluster.max()) + 1
    sizes = [torch.bincount(g, minlength=count) for g in (groups_v, groups_w)]
    strength = _block_norms(linked[0], groups_v, count) + _block_norms(linked[1], groups_w, count)
    pairs, bounds = [], []
    for tree in _spanning_trees(strength):
        members = torch.tensor([new for new, _ in tree])
        multiplicities = torch.stack([size[members] for size in sizes])
        if not bool((multiplicities == multiplicities[:, :1]).all()):
            return None
        if not int(multiplicities.min()):
            continue
        pair = IsotypicPair(
            *(
                _aligned(basis, link, size, tree)
                for basis, link, size in zip((basis_v, basis_w), linked, sizes, strict=True)
            )
        )
        pairs.append(pair)
        bounds.append(_residual_bounds(both, pair))
    # Bounds on parts that are orthogonal to each other, for each generator.
    residuals = torch.stack(bounds).square().sum(0).sqrt() if bounds else torch.zeros(0)
    residual = float(residuals.max()) if len(residuals) else 0.0
    if residual > _EXACT * scale * max(len(values_v), len(values_w)):
        return None
    smallest = float(distinct.min()) if len(distinct) else None
    return IsotypicSplitting(tuple(pairs), residual, largest_zero, smallest)


def _random_element(both: _Pair, source: torch.Generator) -> _Pair:
    """One random Hermitian polynomial in the generators and adjoints, in both representations."""

    def linear() -> _Pair:
        a, b = torch.randn(2, len(both[0]), generator=source, dtype=both[0].dtype)
        v, w = (torch.einsum("c,cij->ij", a, s) + torch.einsum("c,cij->ij", b, s.mH) for s in both)
        return v, w

    result = linear()
    for _ in range(4):
        v, w = (r @ f + t for r, f, t in zip(result, linear(), linear(), strict=True))
        # Both are scaled alike: they must stay one polynomial.
        size = max(float(v.norm()) / len(v) ** 0.5, float(w.norm()) / len(w) ** 0.5, 1e-300)
        result = (v / size, w / size)
    v, w = result
    return v + v.mH, w + w.mH


def _block_norms(a: Tensor, groups: Tensor, count: int) -> Tensor:
    """The squared norms of a's blocks, (count, count)."""
    member = torch.nn.functional.one_hot(groups, count).to(torch.float64)
    return member.mT @ a.abs().square() @ member


def _spanning_trees(strength: Tensor) -> list[list[tuple[int, int]]]:
    """For each connected set of eigenspaces the pairs (new, known) of its strongest tree.

    The first pair is (root, root). Strong links lose the fewest digits.
    """
    # Here, because it takes as long to import as all of goldstone.
    from scipy.sparse.csgraph import (
        breadth_first_order,
        connected_components,
        minimum_spanning_tree,
    )

    relative = strength / strength.max().clamp_min(1e-300)
    weights = torch.where(relative > _LINKED, 1.0 - relative.clamp_min(_LINKED).log(), 0.0)
    forest = minimum_spanning_tree(weights.fill_diagonal_(0.0).numpy())
    count, component = connected_components(forest, directed=False)
    trees = []
    for number in range(count):
        root = int((component == number).argmax())
        order, known = breadth_first_order(forest, root, directed=False)
        trees.append([(root, root)] + [(int(new), int(known[new])) for new in order[1:]])
    return trees


def _aligned(basis: Tensor, linked: Tensor, sizes: Tensor, tree: list[tuple[int, int]]) -> Tensor:
    """Bases of a tree's eigenspaces that Y carries into each other: (n, d, copies)."""
    ends = sizes.cumsum(0).tolist()
    place = {k: slice(ends[k] - int(sizes[k]), ends[k]) for k, _ in tree}
    turned = {tree[0][0]: basis[:, place[tree[0][0]]]}
    turns = {tree[0][0]: torch.eye(int(sizes[tree[0][0]]), dtype=basis.dtype)}
    for new, known in tree[1:]:
        left, _, right = torch.linalg.svd(linked[place[new], place[known]] @ turns[known])
        turns[new] = left @ right
        turned[new] = basis[:, place[new]] @ turns[new]
    return torch.stack([turned[k] for k, _ in tree], 1)


def _residual_bounds(both: _Pair, pair: IsotypicPair) -> Tensor:
    """For each generator a bound on ‖B A − A D‖ over the pair's maps of norm 1, (c).

    With ρ the matrix in the irrep, B A − A D = (B T − T ρ) C Sᴴ − T C (Sᴴ D − ρ Sᴴ), over √d.
    """
    moved_v, moved_w = (
        torch.einsum("cij,jdp->cidp", a, basis)
        for a, basis in zip(both, (pair.source, pair.target), strict=True)
    )
    back = torch.einsum("cji,jdp->cidp", both[0].conj(), pair.source)
    traces = torch.einsum("idp,ciep->cde", pair.source.conj(), moved_v)
    traces = traces + torch.einsum("idp,ciep->cde", pair.target.conj(), moved_w)
    rho = traces / (pair.source.shape[-1] + pair.target.shape[-1])
    wrong_w = moved_w - torch.einsum("idp,cde->ciep", pair.target, rho)
    wrong_v = back - torch.einsum("idp,ced->ciep", pair.source, rho.conj())
    root = pair.source.shape[1] ** 0.5
    bounds: Tensor = (wrong_w.flatten(1).norm(dim=1) + wrong_v.flatten(1).norm(dim=1)) / root
    return bounds
