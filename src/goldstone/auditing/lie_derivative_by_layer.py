"""The Lie derivative of a model, layer by layer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from goldstone.actions import Action, Context, Symmetry
from goldstone.auditing.dual_numbers import dual, tangent_of, unpack, with_tangent
from goldstone.auditing.infinitesimal_action import (
    AGREEMENT,
    Derivative,
    InfinitesimalAction,
)
from goldstone.auditing.layer_actions import infer_layer_action, spatial_part
from goldstone.auditing.layer_walk import LayerWalk
from goldstone.auditing.lie_derivative import (
    DirectionFrame,
    directions_of,
    lie_group_of,
)
from goldstone.auditing.probed_model import Model, probed, trajectories_of
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import InputError, Statistic, generator, trees
from goldstone.core.trees import Tree

Source = Literal["declared", "inferred", "output"]
_CONTEXT = Context()
_FEW = 2


@dataclass(frozen=True)
class LayerError:
    """What one layer adds to the Lie derivative of the model.

    With C_l = J_{l+1:} L_l, the layer's own Lie derivative pushed to the output:

    Attributes:
        name: of the module, or ``module: function``.
        source: whether the action on its output is declared, inferred, or that of the model's.
        contribution: E⟨C_l, L_X f⟩/dim(out), signed; these sum to the error of the model.
        error: E‖C_l‖²/dim(out); these do not sum, as contributions of layers may cancel.
        local: E‖L_l‖²/dim(l), before it is pushed on.
    """

    name: str
    source: Source
    contribution: Statistic
    error: Statistic
    local: Statistic


@dataclass(frozen=True)
class LieDerivativeByLayer:
    """The Lie derivative along one direction, decomposed.

    Attributes:
        symmetry: its name.
        direction: coordinates of X.
        error: E‖L_X f‖²/dim(out), measured end to end.
        layers: in the order of the first call.
        merged: nodes without a known action; their errors are in those of the next ones that have.
        chain_rule_error: |Σ_l C_l − L_X f| relative to the motions of which the latter is the
            difference (of signed contributions if probes were used): rounding, if all is well.
        probes: random reverse probes for ``error``; 0 for the exact mode.
    """

    symmetry: str
    direction: tuple[float, ...]
    error: Statistic
    layers: tuple[LayerError, ...]
    merged: tuple[str, ...]
    chain_rule_error: float
    probes: int


def lie_derivative_by_layer(
    model: Model,
    inputs: Tree,
    symmetry: Symmetry,
    direction: Sequence[float],
    *,
    probes: int = 8,
    exact: bool = False,
    infer: bool = True,
    trajectory: Tensor | None = None,
    context: Context = _CONTEXT,
    derivative: Derivative = "auto",
    batch: int = 8,
    replicates: int = 2000,
    seed: int = 0,
) -> LieDerivativeByLayer:
    """L_X f = Σ_l J_{l+1:} L_l with L_l = J_l (X·inputs of l) − X·(output of l).

    The layers are every module without children and every function of feature maps that the forward
    code of others calls, residual additions among them: the sum holds for any graph of
    operations. The action on a layer's output is that of ``symmetry.on_layers`` under its name, or
    inferred, where the output is a feature map on a grid; else the layer counts as part of the next
    one with an action.

    Signed contributions come from one reverse pass from the output vector L_X f, which serves all
    layers at once; ‖C_l‖² = E_v (vᵀC_l)² from ``probes`` more, v of random signs, one for each
    sample. ``exact`` takes a forward pass for each layer instead and is the oracle of both.

    Args:
        model: a module or a function with forward-mode derivatives.
        inputs: n samples: a tensor, sample axis first, or a tree of tensors; integers do not move.
        symmetry: its group is a Lie group.
        direction: coordinates of X in the Lie algebra.
        probes: number of random reverse probes, 1 or more.
        exact: a forward pass for each layer.
        infer: infer actions on feature maps that have none declared.
        trajectory: (n,) which trajectory each sample comes from, the unit of the bootstrap.
        context: the frame of the inputs; outputs lie one model step later.
        derivative: how actions are differentiated.
        batch: samples evaluated together; all feature maps of a batch are kept.
        replicates: of the bootstrap.
        seed: of the probes and the bootstrap.

    Raises:
        InputError: as :func:`goldstone.auditing.lie_derivative`; the model has no forward-mode
            derivative, or one that disagrees with finite differences; a declared layer does not
            exist; or no probes are asked for.

    References:
        Gruver et al. (2023), The Lie derivative for measuring learned equivariance, ICLR, eq. 7;
        here with functions that are no modules, such as residual additions.
    """
    (chosen,) = directions_of(symmetry, [direction])
    if probes < 1 and not exact:
        raise InputError(f"expected one or more probes, got {probes}; or exact=True")
    n = trees.batch_size(inputs)
    with probed(model, inputs) as module:
        of = trajectories_of(trajectory, n)
        bootstrap = Bootstrap.draw(int(of.max()) + 1, replicates, seed)
        frame = DirectionFrame.choose(
            module, inputs, symmetry, chosen, context, derivative, "forward-mode"
        )
        if frame.pushes.disagreement > AGREEMENT + 10 * frame.pushes.step_error:
            raise InputError(
                "the model's forward-mode derivative differs from finite differences by "
                f"{frame.pushes.disagreement:.1e}: it detaches tensors or leaves torch on the way; "
                "use lie_derivative, end to end"
            )
        plan = _Plan.make(module, inputs, symmetry, frame, infer)
        parts, start = [], 0
        for chunk in trees.chunks(inputs, batch):
            rows = slice(start, start + trees.batch_size(chunk))
            parts.append(plan.measure(module, chunk, rows, n, 0 if exact else probes, seed))
            start = rows.stop

    def mean(values: Tensor) -> Statistic:
        return mean_statistic(values, of, bootstrap)[0]

    signed, squares, local = (
        torch.cat([getattr(part, name) for part in parts], 1)
        for name in ("signed", "squares", "local")
    )
    gap = sum(float(part.gap) for part in parts)
    motion = sum(float(part.motion) for part in parts)
    # A probe sees the gap along L_X f; the exact mode all of it.
    total = torch.cat([part.total for part in parts])
    missed = (gap / motion) ** 0.5 if exact else abs(float((signed.sum(0) - total).sum())) / motion
    return LieDerivativeByLayer(
        symmetry=symmetry.name,
        direction=chosen,
        error=mean(total / parts[0].outputs),
        layers=tuple(
            LayerError(
                name,
                plan.sources[name],
                mean(signed[i] / parts[0].outputs),
                mean(squares[i] / parts[0].outputs),
                mean(local[i]),
            )
            for i, name in enumerate(plan.sources)
        ),
        merged=plan.merged,
        chain_rule_error=missed if motion > 0 else 0.0,
        probes=0 if exact else probes,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """One batch of b samples and k layers; rows of (k, b) are layers, all in float64."""

    signed: Tensor
    squares: Tensor
    local: Tensor
    total: Tensor
    gap: float
    motion: float
    outputs: int


@dataclass(frozen=True, eq=False)
class _Plan:
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
    ) -> "_Plan":
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
    ) -> _Part:
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
        return _Part(signed, squares, local, total, gap, float(motion), lie.shape[1])

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
