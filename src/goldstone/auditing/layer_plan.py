"""The layers of a model whose outputs move by a known action."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from goldstone.actions import Action, Symmetry
from goldstone.auditing.direction_frame import DirectionFrame, lie_group_of
from goldstone.auditing.dual_numbers import dual, unpack
from goldstone.auditing.infinitesimal_action import Derivative, InfinitesimalAction
from goldstone.auditing.layer_actions import infer_layer_action, spatial_part
from goldstone.auditing.layer_walk import LayerWalk, Visit
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

Source = Literal["declared", "inferred", "output"]
Key = tuple[int, int]
_FEW = 2


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """The nodes of a model whose outputs move by a known action.

    Attributes:
        names: the layer of each node that has an action.
        moves: X· on its output.
        sources: of each layer's action, the output last.
        output: the name of the layer that gives the model's output.
    """

    frame: DirectionFrame
    names: dict[int, str]
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
        met: list[tuple[Key, bool]] = []
        values: list[Tensor] = []

        def note(_: int, output: Tensor) -> Tensor:
            # Kept alive, so that no other tensor gets its identity.
            values.append(output)
            met.append((_key(output), unpack(output)[1] is not None))
            return output

        walk = LayerWalk(model, note, watched)
        # Dual levels do not nest: what moves is found before they are entered.
        motion = frame.on_input(few)
        with torch.no_grad(), forward_ad.dual_level():
            start = dual(few, motion)
            first = {_key(leaf) for leaf in trees.leaves(start)}
            last = {_key(leaf) for leaf in trees.leaves(walk.run(start))}
            values = [unpack(value)[0] for value in values]
        unknown = watched - set(walk.names)
        if unknown:
            raise InputError(
                f"no layer of the model is called {', '.join(sorted(unknown))}, or it gives no "
                f"tensor; the first layers are {', '.join(dict.fromkeys(walk.names[:8]))}"
            )
        actions = _actions(symmetry, few, walk, values, infer)
        # Some modules, such as nn.Identity, hand on a tensor that another node has made. It moves
        # where it is made, for whoever takes it from either.
        nodes: dict[Key, list[int]] = {}
        for i, (key, depends) in enumerate(met):
            if depends and key not in last:
                nodes.setdefault(key, []).append(i)
        moves: dict[int, InfinitesimalAction] = {}
        names: dict[int, str] = {}
        sources: dict[str, Source] = {}
        merged: list[str] = []
        # Of feature maps of one shape the ways to differentiate are chosen once.
        alike: dict[tuple[tuple[int, ...], bool | None], InfinitesimalAction] = {}
        for key, same in nodes.items():
            declared = [i for i in same if walk.names[i] in watched]
            inferred = [] if key in first else [i for i in same if actions[i] is not None]
            node = next(iter((*declared[::-1], *inferred)), same[0])
            kind = (tuple(values[node].shape), walk.channels_last[node])
            move = None if declared else alike.get(kind)
            action = actions[node] if declared or inferred else None
            try:
                if move is None and action is not None:
                    move = InfinitesimalAction.choose(
                        action,
                        lie_group_of(symmetry),
                        frame.on_input.direction,
                        frame.on_input.context,
                        values[node],
                        derivative,
                    )
            except InputError:
                if declared:
                    raise
            if action is None or move is None:
                if key not in first:
                    merged.append(walk.names[node])
                continue
            if not declared:
                alike[kind] = move
            moves[same[0]], names[same[0]] = move, walk.names[node]
            sources[walk.names[node]] = "declared" if declared else "inferred"
        final = [walk.names[i] for i, (key, _) in enumerate(met) if key in last]
        output = final[-1] if len(set(final)) == 1 and final[-1] not in sources else "output"
        unnamed = [name for name in dict.fromkeys(merged) if name not in (*sources, output)]
        sources[output] = "output"
        return cls(frame, names, moves, sources, tuple(unnamed), output, watched)

    def walk(self, model: nn.Module, x: Tree, visit: Visit) -> Tree:
        """The model's output, with every node shown to ``visit``."""
        return LayerWalk(model, visit, self.watched).run(x)


def _key(tensor: Tensor) -> Key:
    """What tells a tensor from others, and from itself before a change in place."""
    return id(tensor), tensor._version


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
