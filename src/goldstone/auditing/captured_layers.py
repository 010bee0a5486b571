"""The layers of a model that an equivariance error is measured at, and what they give."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from goldstone.actions import Action, Symmetry, TrivialAction
from goldstone.auditing.dual_numbers import moves_smoothly
from goldstone.auditing.fitted_layers import can_fit
from goldstone.auditing.inspection import predict
from goldstone.auditing.layer_actions import (
    has_channels_last,
    infer_layer_action,
    only_shifts,
    spatial_part,
)
from goldstone.auditing.module_actions import module_action
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.nn import BlockWeights

LayerSource = Literal["declared", "inferred", "fitted"]


@dataclass(frozen=True, eq=False)
class LayerActions:
    """The action of every measured layer, in the order in which they are first called.

    Attributes:
        actions: on the layer's output; of a fitted layer, on its points alone.
        sources: where each comes from.
        unmeasured: layers that were asked for and have no action.
        outputs: of the fitted layers, for two samples.
    """

    actions: Mapping[str, Action]
    sources: Mapping[str, LayerSource]
    unmeasured: tuple[str, ...]
    outputs: Mapping[str, Tensor]

    def fitted(self) -> dict[str, Action]:
        """The fitted layers."""
        return {n: action for n, action in self.actions.items() if self.sources[n] == "fitted"}


def layer_actions_of(
    model: nn.Module,
    inputs: Tree,
    symmetry: Symmetry,
    layers: Sequence[str] | Literal["declared", "all"],
    fit: bool | None,
) -> LayerActions:
    """Choose the layers, and the action of each.

    A layer's action is the one of ``symmetry.on_layers``, else of its own ``target``, else that of
    scalars on its grid; with ``fit`` the last is taken for the motion of the points alone (None:
    for all layers under all but shifts).

    Raises:
        InputError: a layer does not exist, or a declared one gives no tensor.
    """
    modules = dict(model.named_modules())
    wanted = list(symmetry.on_layers)
    if layers == "all":
        wanted += _basic_layers(modules)
    elif layers != "declared":
        wanted = [layers] if isinstance(layers, str) else list(layers)
    wanted = list(dict.fromkeys(wanted))
    unknown = [name for name in wanted if name not in modules]
    if unknown:
        raise InputError(
            f"the model has no layer {', '.join(map(repr, unknown))}; it has "
            f"{', '.join(repr(n) for n in list(modules)[1:9])} …"
        )
    few = trees.take(inputs, slice(2))
    with captured(model, wanted) as outputs:
        predict(model, few)
    spatial = spatial_part(symmetry.on_input, few)
    if fit is None:
        fit = layers == "all" and not (spatial is not None and only_shifts(spatial[0]))
    found: dict[str, tuple[Action, LayerSource]] = {}
    for name in wanted:
        output = outputs.get(name)
        if name in symmetry.on_layers:
            if output is None:
                raise InputError(f"layer {name!r} is not called, or gives no tensor")
            found[name] = symmetry.on_layers[name], "declared"
        elif output is not None and len(output) == trees.batch_size(few) and _varies(output):
            action = _undeclared(modules[name], symmetry, spatial, output, fit)
            if action is not None:
                found[name] = action
    return LayerActions(
        {name: found[name][0] for name in outputs if name in found},
        {name: found[name][1] for name in outputs if name in found},
        tuple(name for name in wanted if name not in found),
        {name: outputs[name] for name, (_, source) in found.items() if source == "fitted"},
    )


def _undeclared(
    module: nn.Module,
    symmetry: Symmetry,
    spatial: tuple[Action, tuple[int, int]] | None,
    output: Tensor,
    fit: bool,
) -> tuple[Action, LayerSource] | None:
    """The action on a layer that ``symmetry.on_layers`` does not name."""
    motion = (
        infer_layer_action(*spatial, tuple(output.shape), has_channels_last(module))
        if spatial is not None
        else None
    )
    own = module_action(module, symmetry, motion, output)
    if own is not None:
        return own, "declared"
    if motion is None and fit and output.ndim == 2:
        motion = TrivialAction()  # one vector of a sample, at no point
    if motion is None or (fit and not can_fit(output)):
        return None
    return motion, "fitted" if fit else "inferred"


def _basic_layers(modules: Mapping[str, nn.Module]) -> list[str]:
    """Those without modules inside, where an equivariant layer counts as one."""
    found: list[str] = []
    inside: tuple[str, ...] = ()
    for name, part in modules.items():
        if isinstance(part, BlockWeights):
            inside += (f"{name}." if name else "",)
        elif next(part.children(), None) is not None:
            continue
        if name and not name.startswith(inside) and not isinstance(part, _LISTS):
            found.append(name)
    return found


def _varies(output: Tensor) -> bool:
    return output.ndim > 1 and moves_smoothly(output)


_LISTS = (nn.ParameterList, nn.ParameterDict)


@contextmanager
def captured(model: nn.Module, names: Sequence[str] | Mapping[str, Action]) -> Iterator[Any]:
    """The tensors that named modules give at their first call; the hooks go at the end."""
    outputs: dict[str, Tensor] = {}
    handles = []
    modules = dict(model.named_modules())
    for name in names:

        def keep(_: nn.Module, __: Any, output: Any, name: str = name) -> None:
            first = output[0] if isinstance(output, tuple) and output else output
            if isinstance(first, Tensor) and name not in outputs:
                # A copy, as the next layer may work in place.
                outputs[name] = first.detach().clone()

        handles.append(modules[name].register_forward_hook(keep))
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
