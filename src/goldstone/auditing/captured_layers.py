"""The layers of a model that an equivariance error is measured at, and what they give."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from torch import Tensor, nn

from goldstone.actions import Action, Symmetry
from goldstone.auditing.dual_numbers import moves_smoothly
from goldstone.auditing.inspection import predict
from goldstone.auditing.layer_actions import (
    has_channels_last,
    infer_layer_action,
    spatial_part,
)
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree


def layer_actions_of(
    model: nn.Module,
    inputs: Tree,
    symmetry: Symmetry,
    layers: Sequence[str] | Literal["declared", "all"],
) -> tuple[dict[str, Action], dict[str, Literal["declared", "inferred"]], tuple[str, ...]]:
    """The action of every measured layer, where it comes from, and the layers without one."""
    modules = dict(model.named_modules())
    wanted = list(symmetry.on_layers)
    if layers == "all":
        wanted += [n for n, part in modules.items() if n and not next(part.children(), None)]
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
    actions: dict[str, Action] = {}
    sources: dict[str, Literal["declared", "inferred"]] = {}
    unmeasured: list[str] = []
    for name in wanted:
        output = outputs.get(name)
        if name in symmetry.on_layers:
            if output is None:
                raise InputError(f"layer {name!r} is not called, or gives no tensor")
            actions[name], sources[name] = symmetry.on_layers[name], "declared"
            continue
        inferred = (
            infer_layer_action(*spatial, tuple(output.shape), has_channels_last(modules[name]))
            if spatial is not None and output is not None and moves_smoothly(output)
            else None
        )
        if inferred is None:
            unmeasured.append(name)
        else:
            actions[name], sources[name] = inferred, "inferred"
    return actions, sources, tuple(unmeasured)


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
