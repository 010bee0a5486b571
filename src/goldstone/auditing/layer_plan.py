"""The layers of a model whose outputs move by a known action, and what each adds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from goldstone.actions import Action, Symmetry
from goldstone.auditing.dual_numbers import dual, tangent_of, unpack, with_tangent
from goldstone.auditing.infinitesimal_action import Derivative, InfinitesimalAction
from goldstone.auditing.layer_actions import infer_layer_action, spatial_part
from goldstone.auditing.layer_walk import LayerWalk
from goldstone.auditing.lie_derivative import DirectionFrame, lie_group_of
from goldstone.core import InputError, generator, trees
from goldstone.core.trees import Tree

Source = Literal["declared", "inferred", "output"]
_FEW = 2


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


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """The nodes of a model whose outputs move by a known action.

    Attributes:
        names: the layer of each node.
        moves: X· on the output of each node that has an action.
        sources: of each layer's action, the output last.
        output: the name of the layer that gives the model's output.
    """

    frame: DirectionFrame
    names: tuple[str, ...]
    moves: dict[int, InfinitesimalAction]
    sources: dict[str, Source]
    merged: tuple[str, ...]
    output: str
    watched: frozenset[str]

    @classmethod
    def make(
        cls,
        model: nn.Module,
        inputs: Tree,
        symmetry: Symmetry,
        frame: DirectionFrame,
        infer: bool,
        derivative: Derivative,
    ) -> "LayerPlan":
        """Walk through once to see what the nodes are."""
        few = trees.take(inputs, slice(_FEW))
        watched = frozenset(symmetry.on_layers)
        met: list[tuple[int, int, bool]] = []
        values: list[Tensor] = []

        def note(_: int, output: Tensor) -> Tensor:
            # Kept alive, so that no other tensor gets its identity.
            values.append(output)
            depends = unpack(output)[1] is not None
            met.append((id(output), output._version, depends))
            return output

        walk = LayerWalk(model, note, watched)
        # Dual levels do not nest: what moves is found before they are entered.
        motion = frame.on_input(few)
        with torch.no_grad(), forward_ad.dual_level():
            result = walk.run(dual(few, motion))
            last = {(id(leaf), leaf._version) for leaf in trees.leaves(result)}
            values = [unpack(value)[0] for value in values]
        unknown = watched - set(walk.names)
        if unknown:
            raise InputError(
                f"no layer of the model is called {', '.join(sorted(unknown))}, or it gives no "
                f"tensor; the first layers are {', '.join(dict.fromkeys(walk.names[:8]))}"
            )
        actions = _actions(symmetry, few, walk, values, infer)
        moves: dict[int, InfinitesimalAction] = {}
        sources: dict[str, Source] = {}
        later: set[tuple[int, int]] = set(last)
        # Of feature maps of one shape the ways to differentiate are chosen once.
        alike: dict[tuple[tuple[int, ...], bool | None], InfinitesimalAction] = {}
        # Backwards: of nodes that hand on the same tensor, the last with an action names it.
        for i in reversed(range(len(met))):
            key, action = met[i][:2], actions[i]
            if not met[i][2] or action is None or key in later:
                continue
            declared = walk.names[i] in watched
            kind = (tuple(values[i].shape), walk.channels_last[i])
            try:
                moves[i] = (not declared and alike.get(kind)) or InfinitesimalAction.choose(
                    action,
                    lie_group_of(symmetry),
                    frame.on_input.direction,
                    frame.on_input.context,
                    values[i],
                    derivative,
                )
            except InputError:
                if declared:
                    raise
                continue
            if not declared:
                alike[kind] = moves[i]
            later.add(key)
            sources[walk.names[i]] = "declared" if declared else "inferred"
        final = [walk.names[i] for i in range(len(met)) if met[i][:2] in last]
        output = final[-1] if len(set(final)) == 1 and final[-1] not in sources else "output"
        measured = {name: sources[name] for name in dict.fromkeys(walk.names) if name in sources}
        merged = [name for name in dict.fromkeys(walk.names) if name not in (*sources, output)]
        return cls(
            frame,
            tuple(walk.names),
            moves,
            {**measured, output: "output"},
            tuple(merged),
            output,
            watched,
        )

    def measure(
        self, model: nn.Module, x: Tree, rows: slice, n: int, probes: int, seed: int
    ) -> LayerPart:
        """Contributions of all layers on one batch, exact if there are no probes."""
        whole = self.frame.measure(model, x)
        defects, at_output = self._defects(model, x)
        lie = whole.derivative.double()
        names = list(self.sources)
        shape = (len(names), len(lie))
        signed, squares, local = (torch.zeros(shape, dtype=torch.float64) for _ in range(3))
        for i, defect in defects.items():
            of_layer = trees.flat(defect).double()
            local[names.index(self.names[i])] += of_layer.square().mean(1).cpu()
        local[names.index(self.output)] += at_output.square().mean(1).cpu()
        gap = 0.0
        if probes == 0:
            pushed = self._push(model, x, defects)
            pushed[self.output] = at_output
            for k, name in enumerate(names):
                c = pushed.get(name, torch.zeros_like(lie))
                signed[k] = (c * lie).sum(1).cpu()
                squares[k] = c.square().sum(1).cpu()
            gap = float((sum(pushed.values(), torch.zeros_like(lie)) - lie).square().sum())
        else:
            signs = [_signs(n, lie.shape[1], seed, k)[rows].to(lie.device) for k in range(probes)]
            pull = self._pull(model, x, defects, at_output)
            signed = pull(lie)
            for v in signs:
                squares += pull(v).square() / probes
        motion = whole.pushed.double().square().sum() + whole.moved.double().square().sum()
        total = lie.square().sum(1).cpu()
        return LayerPart(signed, squares, local, total, gap, float(motion), lie.shape[1])

    def _defects(self, model: nn.Module, x: Tree) -> tuple[dict[int, Tensor], Tensor]:
        """L_l of every node, by one pass with tangents that are reset at each; and the output's."""
        values: dict[int, Tensor] = {}
        defects: dict[int, Tensor] = {}

        def keep(i: int, output: Tensor) -> Tensor:
            if i in self.moves:
                values[i] = output.clone()
            return output

        with torch.no_grad():
            output = self._walk(model, x, keep)
        moved = {i: self.moves[i](value) for i, value in values.items()}
        motion = self.frame.on_input(x)
        of_output = trees.flat(self.frame.on_output(output)).double()

        def reset(i: int, output: Tensor) -> Tensor:
            if i not in moved:
                return output
            defects[i] = tangent_of(output) - moved[i]
            return with_tangent(unpack(output)[0], moved[i])

        with torch.no_grad(), forward_ad.dual_level():
            result = self._walk(model, dual(x, motion), reset)
            arrived = trees.flat(trees.map_leaves(tangent_of, result)).double()
        return defects, arrived - of_output

    def _push(self, model: nn.Module, x: Tree, defects: dict[int, Tensor]) -> dict[str, Tensor]:
        """C_l of every layer, (b, outputs), by a forward pass each."""
        pushed: dict[str, Tensor] = {}
        for node, defect in defects.items():

            def inject(i: int, output: Tensor, node: int = node, d: Tensor = defect) -> Tensor:
                return with_tangent(output, d) if i == node else output

            with torch.no_grad(), forward_ad.dual_level():
                result = self._walk(model, x, inject)
                c = trees.flat(trees.map_leaves(tangent_of, result)).double()
            name = self.names[node]
            pushed[name] = pushed[name] + c if name in pushed else c
        return pushed

    def _pull(
        self, model: nn.Module, x: Tree, defects: dict[int, Tensor], at_output: Tensor
    ) -> Callable[[Tensor], Tensor]:
        """v, (b, outputs), ↦ vᵀC_l of every layer, (k, b), by one reverse pass."""
        handles: dict[int, Tensor] = {}

        def attach(i: int, output: Tensor) -> Tensor:
            if i not in defects:
                return output
            # A zero to be added, whose gradient no later change in place can touch.
            handles[i] = torch.zeros_like(output).requires_grad_()
            return output + handles[i]

        with torch.enable_grad():
            output = self._walk(model, x, attach)
        names = list(self.sources)

        def pull(v: Tensor) -> Tensor:
            products = torch.zeros(len(names), len(v), dtype=torch.float64)
            products[names.index(self.output)] = (at_output * v).sum(1).cpu()
            differentiable = [
                (leaf, w)
                for leaf, w in zip(trees.leaves(output), _unflatten(v, output), strict=True)
                if leaf.requires_grad
            ]
            if not handles or not differentiable:
                return products
            found = torch.autograd.grad(
                [leaf for leaf, _ in differentiable],
                list(handles.values()),
                [w for _, w in differentiable],
                retain_graph=True,
                allow_unused=True,
            )
            for i, gradient in zip(handles, found, strict=True):
                if gradient is not None:
                    product = trees.flat(gradient).double() * trees.flat(defects[i]).double()
                    products[names.index(self.names[i])] += product.sum(1).cpu()
            return products

        return pull

    def _walk(self, model: nn.Module, x: Tree, visit: Callable[[int, Tensor], Tensor]) -> Tree:
        return LayerWalk(model, visit, self.watched).run(x)


def _actions(
    symmetry: Symmetry, few: Tree, walk: LayerWalk, values: Sequence[Tensor], infer: bool
) -> list[Action | None]:
    """The action on every node's output, None where it is not known."""
    spatial = spatial_part(symmetry.on_input, few) if infer else None
    found: list[Action | None] = []
    for name, last, value in zip(walk.names, walk.channels_last, values, strict=True):
        if name in symmetry.on_layers:
            found.append(symmetry.on_layers[name])
        elif spatial is not None and len(value) == trees.batch_size(few):
            found.append(infer_layer_action(*spatial, tuple(value.shape), last))
        else:
            found.append(None)
    return found


def _signs(n: int, outputs: int, seed: int, probe: int) -> Tensor:
    """Random signs (n, outputs), the same whatever the batch size."""
    source = generator(seed, "reverse probes", probe)
    return torch.randint(2, (n, outputs), generator=source).double() * 2 - 1


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
