"""The laws of representations, checked on given elements."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from goldstone.core import generator
from goldstone.groups import FiniteGroup, Group, LieGroup
from goldstone.groups.matrix.exponential import matrix_exponential
from goldstone.representations import Representation
from goldstone.testing.laws import LawError

_MOST_LISTED = 24
_SAMPLES = 4


def check_representation_laws(
    representation: Representation, elements: Sequence[Any] = (), tolerance: float = 1e-9
) -> None:
    """Check ρ(e) = 1, ρ(gh) = ρ(g)ρ(h), ρ(g⁻¹) = ρ(g)⁻¹, and for a Lie group those of dρ.

    Those are dρ(ax + by) = a dρ(x) + b dρ(y), ρ(exp x) = exp dρ(x) and dρ([x, y]) =
    [dρ(x), dρ(y)], on the basis of the Lie algebra.

    Args:
        representation: ρ, of a finite or a Lie group.
        elements: the elements to combine, as values; every pair is tried. The default is all
            elements of a finite group of order up to 24, else the generators, the identity and a
            few random elements.
        tolerance: largest allowed |left − right|, entry by entry, relative to the largest entry of
            both sides or to 1.

    Raises:
        LawError: an ``AssertionError`` that names the law, the worst elements and the size.
        InputError: an element does not lie in the group.
    """
    group = representation.group
    chosen = tuple(elements) or _some_elements(group)
    for a in chosen:
        group.check_contains(a)
    named = [group.element_name(a) for a in chosen]
    g = group.tensor(chosen)
    check = _Check(representation, tolerance)
    matrices = representation.matrix(g)
    n = representation.dimension
    if matrices.shape != (len(g), n, n) or matrices.dtype != representation.dtype:
        raise LawError(
            f"{check.name}: expected matrices of shape {(len(g), n, n)} and dtype "
            f"{representation.dtype}, got {tuple(matrices.shape)} and {matrices.dtype}"
        )
    one = torch.eye(n, dtype=representation.dtype)
    check("ρ(e) = 1", representation.matrix(group.identity)[None], one[None], ["e"])
    check("ρ(g⁻¹)ρ(g) = 1", representation.matrix(group.inverse(g)) @ matrices, one, named)
    trace = matrices.diagonal(dim1=-2, dim2=-1).sum(-1)[:, None]
    check("χ(g) = tr ρ(g)", representation.character(g)[:, None], trace, named)
    for a, left, name in zip(g, matrices, named, strict=True):
        products = representation.matrix(group.compose(a.expand_as(g), g))
        pairs = [f"{name}, {other}" for other in named]
        check("ρ(gh) = ρ(g)ρ(h)", products, left @ matrices, pairs)
    if isinstance(group, LieGroup):
        _check_derivative(representation, group, check)


def _check_derivative(
    representation: Representation, group: LieGroup[Any], check: "_Check"
) -> None:
    d = group.dimension
    basis = torch.eye(d, dtype=torch.float64)
    names = [f"x = X{i + 1}" for i in range(d)]
    derivatives = representation.derivative(basis)
    weights = torch.randn(2, d, generator=generator(0, "laws"), dtype=torch.float64)
    mixed = torch.einsum("ak,kij->aij", weights.to(derivatives.dtype), derivatives)
    check("dρ is linear", representation.derivative(weights), mixed, ["random x", "random x"])
    exponentials = matrix_exponential(derivatives)
    check("ρ(exp x) = exp dρ(x)", representation.matrix(group.exp(basis)), exponentials, names)
    for i in range(d):
        brackets = representation.derivative(group.bracket(basis[i].expand(d, d), basis))
        products = derivatives[i] @ derivatives - derivatives @ derivatives[i]
        pairs = [f"x = X{i + 1}, y = X{j + 1}" for j in range(d)]
        check("dρ([x, y]) = [dρ(x), dρ(y)]", brackets, products, pairs)


class _Check:
    """Compares batches of both sides of a law; the worst case is named."""

    def __init__(self, representation: Representation, tolerance: float) -> None:
        self.name = f"{type(representation).__name__} of {representation.group.name}"
        self.tolerance = tolerance

    def __call__(self, law: str, left: Tensor, right: Tensor, named: Sequence[str]) -> None:
        left, right = left.expand_as(left + right), right.expand_as(left + right)
        scale = torch.maximum(left.abs(), right.abs()).flatten(1).amax(1).clamp(min=1.0)
        errors = (left - right).abs().flatten(1).amax(1) / scale
        # A NaN must fail, and compares with nothing.
        errors = torch.nan_to_num(errors, nan=torch.inf)
        worst = int(errors.argmax())
        if errors[worst] > self.tolerance:
            raise LawError(
                f"{self.name}: {law} fails for {named[worst]} by {float(errors[worst]):.1e} "
                f"(allowed {self.tolerance:.0e})"
            )


def _some_elements(group: Group[Any]) -> tuple[Any, ...]:
    if isinstance(group, FiniteGroup) and group.order <= _MOST_LISTED:
        return group.elements()
    samples = group.sample(generator(0, "representation laws"), (_SAMPLES,))
    return (group.identity, *group.generators(), *group.values(samples))
