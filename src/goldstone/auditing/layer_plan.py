"""The layers of a model whose outputs move by a known action."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from goldstone.actions import Action, Symmetry
from goldstone.auditing.dual_numbers import dual, unpack
from goldstone.auditing.infinitesimal_action import Derivative, InfinitesimalAction
from goldstone.auditing.layer_actions import infer_layer_action, spatial_part
from goldstone.auditing.layer_walk import LayerWalk, Visit
from goldstone.auditing.lie_derivative import DirectionFrame, lie_group_of
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

Source = Literal["declared", "inferred", "output"]
_FEW = 2


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

    def walk(self, model: nn.Module, x: Tree, visit: Visit) -> Tree:
        """The model's output, with every node shown to ``visit``."""
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
