"""What each layer adds to the Lie derivative of a model."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.autograd.graph import GradientEdge, get_gradient_edge

from goldstone.auditing.dual_numbers import (
    dual,
    moves_smoothly,
    tangent_of,
    unpack,
    with_tangent,
)
from goldstone.auditing.layer_plan import LayerPlan
from goldstone.core import InputError, generator, trees
from goldstone.core.trees import Tree

Values = dict[int, Tree]
"""Outputs by node; that of the model under −1."""

Pull = Callable[[Tensor, dict[int, Tensor], Tensor], Tensor]
"""(v, (b, outputs); L_l of the nodes; that of the output) ↦ vᵀC_l of every layer, (k, b)."""

_OUTPUT = -1


@dataclass(frozen=True, eq=False)
class LayerPart:
    """One batch of b samples and k layers; rows of (k, b) are layers, all in float64."""

    signed: Tensor
    squares: Tensor
    local: Tensor
    total: Tensor
    gap: float
    motion: float
    outputs: int
    dtype: torch.dtype


def measure_layers(
    plan: LayerPlan, model: nn.Module, x: Tree, first: int, probes: int, seed: int
) -> LayerPart:
    """Contributions of all layers on one batch, exact if there are no probes."""
    whole = plan.frame.measure(model, x)
    values, pull = _reverse(plan, model, x) if probes else (_values(plan, model, x), None)
    defects, at_output = _defects(plan, model, x, values)
    lie = whole.derivative.double()
    names = list(plan.sources)
    shape = (len(names), len(lie))
    signed, squares, local = (torch.zeros(shape, dtype=torch.float64) for _ in range(3))
    for i, defect in defects.items():
        of_layer = trees.flat(defect).double()
        local[names.index(plan.names[i])] += of_layer.square().mean(1).cpu()
    local[names.index(plan.output)] += at_output.square().mean(1).cpu()
    gap = 0.0
    if pull is None:
        pushed = _push(plan, model, x, defects)
        pushed[plan.output] = at_output
        for k, name in enumerate(names):
            c = pushed.get(name, torch.zeros_like(lie))
            signed[k] = (c * lie).sum(1).cpu()
            squares[k] = c.square().sum(1).cpu()
        gap = float((sum(pushed.values(), torch.zeros_like(lie)) - lie).square().sum())
    else:
        signed = pull(lie, defects, at_output)
        for k in range(probes):
            v = _signs(lie.shape, seed, k, first).to(lie.device)
            squares += pull(v, defects, at_output).square() / probes
    motion = whole.pushed.double().square().sum() + whole.moved.double().square().sum()
    total = lie.square().sum(1).cpu()
    return LayerPart(
        signed, squares, local, total, gap, float(motion), lie.shape[1], whole.output.dtype
    )


def _values(plan: LayerPlan, model: nn.Module, x: Tree) -> Values:
    """The output of every node with an action, and that of the model under the key −1."""
    values: Values = {}

    def keep(i: int, output: Tensor) -> Tensor:
        if i in plan.moves:
            # A copy, as the next layer may work in place.
            values[i] = output.clone()
        return output

    with torch.no_grad():
        values[_OUTPUT] = plan.walk(model, x, keep)
    return values


def _defects(
    plan: LayerPlan, model: nn.Module, x: Tree, values: Values
) -> tuple[dict[int, Tensor], Tensor]:
    """L_l of every node, by one pass with tangents that are reset at each; and the output's."""
    defects: dict[int, Tensor] = {}
    moved = {i: move(values[i]) for i, move in plan.moves.items() if i in values}
    motion = plan.frame.on_input(x)
    of_output = trees.flat(plan.frame.on_output(values[_OUTPUT])).double()

    def reset(i: int, output: Tensor) -> Tensor:
        if i not in moved:
            return output
        defects[i] = tangent_of(output) - moved[i]
        return with_tangent(unpack(output)[0], moved[i])

    with torch.no_grad(), forward_ad.dual_level():
        result = plan.walk(model, dual(x, motion), reset)
        arrived = trees.flat(trees.map_leaves(tangent_of, result)).double()
    return defects, arrived - of_output


def _push(
    plan: LayerPlan, model: nn.Module, x: Tree, defects: dict[int, Tensor]
) -> dict[str, Tensor]:
    """C_l of every layer, (b, outputs), by a forward pass each."""
    pushed: dict[str, Tensor] = {}
    for node, defect in defects.items():

        def inject(i: int, output: Tensor, node: int = node, d: Tensor = defect) -> Tensor:
            return with_tangent(output, d) if i == node else output

        with torch.no_grad(), forward_ad.dual_level():
            result = plan.walk(model, x, inject)
            c = trees.flat(trees.map_leaves(tangent_of, result)).double()
        name = plan.names[node]
        pushed[name] = pushed[name] + c if name in pushed else c
    return pushed


def _reverse(plan: LayerPlan, model: nn.Module, x: Tree) -> tuple[Values, Pull]:
    """The values, and v ↦ vᵀC_l of every layer by one reverse pass through one graph."""
    edges: dict[int, GradientEdge] = {}
    values: Values = {}

    def keep(i: int, output: Tensor) -> Tensor:
        if i in plan.moves:
            values[i] = output.detach().clone()
            if output.requires_grad:
                # A place in the graph, which later changes in place do not move.
                edges[i] = get_gradient_edge(output)
        return output

    with torch.enable_grad():
        # So that all that moves with the input has a gradient, also in frozen models. Copies,
        # as a model may change its input in place.
        moving = trees.map_leaves(
            lambda t: t.detach().requires_grad_().clone() if moves_smoothly(t) else t, x
        )
        output = plan.walk(model, moving, keep)
    values[_OUTPUT] = trees.map_leaves(Tensor.detach, output)
    names = list(plan.sources)

    def pull(v: Tensor, defects: dict[int, Tensor], at_output: Tensor) -> Tensor:
        products = torch.zeros(len(names), len(v), dtype=torch.float64)
        products[names.index(plan.output)] = (at_output * v).sum(1).cpu()
        differentiable = [
            (leaf, w)
            for leaf, w in zip(trees.leaves(output), _unflatten(v, output), strict=True)
            if leaf.requires_grad
        ]
        if not edges or not differentiable:
            return products
        try:
            found = torch.autograd.grad(
                [leaf for leaf, _ in differentiable],
                list(edges.values()),
                [w for _, w in differentiable],
                retain_graph=True,
                allow_unused=True,
            )
        except RuntimeError as failure:
            raise InputError(
                f"a reverse pass through the model fails: {failure}; use exact=True, which "
                "needs none"
            ) from failure
        for i, gradient in zip(edges, found, strict=True):
            if gradient is not None:
                product = trees.flat(gradient).double() * trees.flat(defects[i]).double()
                products[names.index(plan.names[i])] += product.sum(1).cpu()
        return products

    return values, pull


def _signs(shape: torch.Size, seed: int, probe: int, first: int) -> Tensor:
    """Random signs (b, outputs) for samples ``first``, …: the same whatever the batch size."""
    rows = [
        torch.randint(2, shape[1:], generator=generator(seed, "reverse probes", probe, first + i))
        for i in range(shape[0])
    ]
    return torch.stack(rows).double() * 2 - 1


def _unflatten(rows: Tensor, like: Tree) -> list[Tensor]:
    """The inverse of :func:`goldstone.core.trees.flat`, leaf by leaf."""
    found, start = [], 0
    for leaf in trees.leaves(like):
        size = leaf[0].numel() * (2 if leaf.is_complex() else 1)
        part = rows[:, start : start + size]
        start += size
        if leaf.is_complex():
            part = torch.view_as_complex(part.reshape(*leaf.shape, 2).contiguous())
        found.append(part.reshape(leaf.shape).to(leaf.dtype))
    return found
