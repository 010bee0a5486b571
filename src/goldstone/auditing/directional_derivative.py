"""J·v of any model, by the best way it allows."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from goldstone.auditing.dual_numbers import NO_DERIVATIVE, dual, moves_smoothly, tangent_of, unpack
from goldstone.auditing.finite_differences import central_difference
from goldstone.auditing.infinitesimal_action import AGREEMENT
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

Way = Literal["forward-mode", "double-backward", "finite-differences"]


@dataclass(frozen=True)
class DirectionalDerivative:
    """(x, v) ↦ J_f(x) v of a model, sample by sample.

    Made by :meth:`choose`. Ways: forward-mode derivatives; two reverse passes, (d/du) (Jᵀu)ᵀv;
    central differences of the model. A way that does not agree with the differences is passed over:
    a model that detaches its input, or leaves torch on the way, has a wrong derivative, and says
    nothing.

    Attributes:
        way: the way taken.
        disagreement: relative difference to finite differences, on the samples tried.
        step_error: relative error of the finite differences, as they estimate it.
    """

    way: Way
    disagreement: float
    step_error: float

    @classmethod
    def choose(
        cls, model: nn.Module, few: Tree, v: Tree, way: Way | None = None
    ) -> "DirectionalDerivative":
        """Try the ways in turn on a few samples; or check the one that is asked for.

        Raises:
            InputError: the way asked for fails.
        """
        by_steps, error = _by_differences(model, few, v)
        size = float(trees.flat(by_steps).double().norm())
        noise = _noise(model, few, v)
        step_error = error / max(size, noise)
        for candidate in ("forward-mode", "double-backward") if way is None else (way,):
            try:
                found = derive(model, few, v, candidate)[1]
            except NO_DERIVATIVE as failure:
                if way is not None:
                    raise InputError(f"{way} fails on this model: {failure}") from failure
                continue
            gap = float((trees.flat(found).double() - trees.flat(by_steps).double()).norm())
            disagreement = gap / max(size, noise)
            if way is not None or disagreement <= AGREEMENT + 10 * step_error:
                return cls(candidate, disagreement, step_error)
        return cls("finite-differences", 0.0, step_error)

    def __call__(self, model: nn.Module, x: Tree, v: Tree) -> tuple[Tree, Tree]:
        """f(x) and J·v."""
        return derive(model, x, v, self.way)


def derive(model: nn.Module, x: Tree, v: Tree, way: Way) -> tuple[Tree, Tree]:
    """f(x) and J_f(x)·v by one of the ways."""
    if way == "forward-mode":
        return _forward(model, x, v)
    if way == "double-backward":
        return _double_backward(model, x, v)
    with torch.no_grad():
        return trees.call_model(model, x), _by_differences(model, x, v)[0]


def _forward(model: nn.Module, x: Tree, v: Tree) -> tuple[Tree, Tree]:
    with torch.no_grad(), forward_ad.dual_level():
        output = trees.call_model(model, dual(x, v))
        values = trees.map_leaves(lambda t: unpack(t)[0].clone(), output)
        return values, trees.map_leaves(tangent_of, output)


def _double_backward(model: nn.Module, x: Tree, v: Tree) -> tuple[Tree, Tree]:
    with torch.enable_grad():
        moving = trees.map_leaves(
            lambda t: t.detach().clone().requires_grad_() if moves_smoothly(t) else t, x
        )
        output = trees.call_model(model, moving)
        leaves = trees.leaves(output)
        weights = [torch.ones_like(leaf, requires_grad=True) for leaf in leaves]
        pairs = [
            (a, b)
            for a, b in zip(trees.leaves(moving), trees.leaves(v), strict=True)
            if moves_smoothly(a)
        ]
        pulled = torch.autograd.grad(
            leaves, [a for a, _ in pairs], weights, create_graph=True, materialize_grads=True
        )
        total = torch.stack(
            [_real_product(g, b) for g, (_, b) in zip(pulled, pairs, strict=True)]
        ).sum()
        pushed = iter(torch.autograd.grad(total, weights, materialize_grads=True))
        result = trees.map_leaves(lambda t: next(pushed).detach().to(t.dtype), output)
    return trees.map_leaves(Tensor.detach, output), result


def _real_product(a: Tensor, b: Tensor) -> Tensor:
    """Re Σ ā b."""
    if a.is_complex():
        return (torch.view_as_real(a) * torch.view_as_real(b.to(a.dtype).resolve_conj())).sum()
    return (a * b).sum()


def _by_differences(model: nn.Module, x: Tree, v: Tree) -> tuple[Tree, float]:
    """Steps relative to the size of x over that of v."""
    length = float(trees.flat(v).double().norm())
    if length == 0.0:
        with torch.no_grad():
            return trees.map_leaves(torch.zeros_like, trees.call_model(model, x)), 0.0
    scale = (float(trees.flat(x).double().norm()) or 1.0) / length

    def curve(t: float) -> Tree:
        moved = trees.map_leaves(
            lambda a, b: a + t * scale * b.to(a.dtype) if moves_smoothly(a) else a, x, v
        )
        return trees.call_model(model, moved)

    with torch.no_grad():
        found, error = central_difference(curve)
    return trees.map_leaves(lambda d: d / scale, found), error / scale


def _noise(model: nn.Module, few: Tree, v: Tree) -> float:
    """A size of derivatives that counts as nothing beside ‖f‖‖v‖/‖x‖, in the model's precision."""
    with torch.no_grad():
        output = trees.flat(trees.call_model(model, few))
    moved, length = (float(trees.flat(tree).double().norm()) for tree in (few, v))
    natural = float(output.double().norm()) * length / (moved or 1.0)
    return 10 * torch.finfo(output.dtype).eps ** 0.5 * natural or torch.finfo(torch.float64).tiny
