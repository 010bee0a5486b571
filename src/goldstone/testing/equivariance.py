"""Equivariance of a model, asserted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, generator, trees
from goldstone.core.trees import Tree
from goldstone.groups import FiniteGroup, Group
from goldstone.testing.errors import Errors, Outputs
from goldstone.testing.laws import LawError, default_tolerance

_MOST_TESTED = 1000


def assert_equivariant(
    model: nn.Module | Callable[..., Tree],
    symmetry: Symmetry,
    x: Tree,
    context: Context | None = None,
    tolerance: float | None = None,
    *,
    elements: Sequence[Any] = (),
    samples: int = 8,
    seed: int = 0,
) -> None:
    """Assert ‖f(g·x) − g·f(x)‖/‖f(x)‖ ≤ tolerance for every tested element g, in every output.

    The elements are those given, or ``symmetry.elements``, or all of a finite group of order up to
    1,000 but the identity. Of other groups they are the generators and ``samples`` random ones, by
    Haar measure where the group is compact. The output lies ``context.step + 1`` steps after the
    model's input.

    Modules that ``symmetry.on_layers`` names are held to the same at their own outputs, at every
    call, under the action given there. A norm is over all samples; where an output is a tree, each
    of its tensors is judged by its own.

    The model is called as it is, without gradients: put it in ``eval()`` mode first if it behaves
    otherwise in training. Buffers and torch's random state are put back.

    Args:
        model: a module, or any function of the inputs.
        symmetry: how the group acts on input and output.
        x: a batch of inputs: a tensor, sample axis first, or tuples and dicts of tensors; a tuple
            goes to the model as positional arguments, a dict as keyword arguments.
        context: the frame of the input; the default is ``Context()``.
        tolerance: largest allowed relative error; by default that of the coarsest dtype among
            inputs and outputs, 1e-10 for float64, 1e-5 for float32 and 3e-2 for half precisions.
        elements: elements to test, as values of the group.
        samples: number of random elements of an infinite or large group.
        seed: of the random elements.

    Raises:
        LawError: an ``AssertionError`` that names the worst element and its error, and the layers
            that fail, in the order of the model's calls.
        InputError: nothing to test, outputs that are zero or differ from call to call, or a name in
            ``on_layers`` that the model does not have or call.
    """
    __tracebackhide__ = True
    frame = context or Context()
    tested = _elements(symmetry, elements, samples, seed)
    with _left_as_found(model, x), torch.no_grad():
        watch = _Watch(model, symmetry)
        plain = watch.run(x)
        allowed = tolerance if tolerance is not None else _tolerance(x, plain.output)
        if plain.is_zero:
            raise InputError("the model's output is zero everywhere, so it tells nothing")
        again = Errors.between(watch.run(x), plain, plain)
        # An infinite one is that of a NaN, which every element will show.
        if allowed < again.worst < inf:
            raise InputError(
                f"two calls on the same input differ by {again.worst:.1e}: the model is "
                "stochastic; call model.eval() first, or fix its seed"
            )
        found = {}
        for g in tested:
            moved = watch.run(symmetry.on_input.act(g, x, frame))
            expected = plain.moved(symmetry, g, frame)
            found[symmetry.group.element_name(g)] = Errors.between(moved, expected, plain)
    failing = {name: errors for name, errors in found.items() if not errors.worst <= allowed}
    if failing:
        raise LawError(_message(symmetry.name, failing, len(tested), allowed))


def _elements(symmetry: Symmetry, given: Sequence[Any], samples: int, seed: int) -> tuple[Any, ...]:
    group: Group[Any] = symmetry.group
    for element in given:
        group.check_contains(element)
    chosen = tuple(given) or symmetry.elements
    if not chosen and isinstance(group, FiniteGroup) and group.order <= _MOST_TESTED:
        chosen = group.elements()
    if not chosen:
        drawn = group.sample(generator(seed, "equivariance"), (samples,))
        chosen = (*group.generators(), *group.values(drawn))
    tested = tuple(dict.fromkeys(g for g in chosen if g != group.identity))
    if not tested:
        raise InputError(f"the symmetry {symmetry.name!r} has no element to test but the identity")
    return tested


def _tolerance(x: Tree, output: Tree) -> float:
    """Of the coarsest floating or complex dtype; integers among them are exact."""
    leaves = [*trees.leaves(x), *trees.leaves(output)]
    dtypes = {leaf.dtype.to_real() for leaf in leaves if leaf.is_complex()}
    dtypes |= {leaf.dtype for leaf in leaves if leaf.is_floating_point()}
    return max((default_tolerance(dtype) for dtype in dtypes), default=0.0)


def _message(name: str, failing: dict[str, Errors], tested: int, allowed: float) -> str:
    # Errors count NaN as infinite in ``worst``, so it comes first.
    worst = max(failing, key=lambda g: failing[g].worst)
    size = failing[worst].describe(allowed)
    text = (
        f"the model is not equivariant under {name}: {len(failing)} of {tested} elements fail, the "
        f"worst is {worst} with a relative error of {size} (allowed {allowed:.0e})"
    )
    layers = failing[worst].layers(allowed)
    if layers:
        shown = ", ".join(f"{layer} by {size:.1e}" for layer, size in layers[:8])
        text += f"; layers that fail at {worst}, in the order of the calls: {shown}"
        text += f" and {len(layers) - 8} more" if len(layers) > 8 else ""
    return text


class _Watch:
    """Runs the model and keeps the outputs of the layers that ``on_layers`` names."""

    def __init__(self, model: nn.Module | Callable[..., Tree], symmetry: Symmetry) -> None:
        self.model = model
        modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
        absent = [name for name in symmetry.on_layers if name not in modules]
        if absent:
            known = ", ".join(name for name in modules if name) or "none, it is a function"
            raise InputError(
                f"on_layers names {', '.join(absent)}, which the model does not have; its modules "
                f"are {known}"
            )
        self.layers = {name: modules[name] for name in symmetry.on_layers}

    def run(self, x: Tree) -> Outputs:
        found: list[tuple[str, Tree]] = []
        handles = []
        for name, module in self.layers.items():

            def keep(_: nn.Module, __: Any, output: Tree, name: str = name) -> None:
                # A later operation may change it in place.
                found.append((name, trees.map_leaves(torch.clone, output)))

            handles.append(module.register_forward_hook(keep))
        try:
            output = trees.call_model(self.model, x)
        finally:
            for handle in handles:
                handle.remove()
        unused = set(self.layers) - {name for name, _ in found}
        if unused:
            raise InputError(f"on_layers names {', '.join(sorted(unused))}, never called")
        return Outputs(output, tuple(found))


@contextmanager
def _left_as_found(model: object, x: Tree) -> Iterator[None]:
    module = model if isinstance(model, nn.Module) else nn.Module()
    buffers = list(module.buffers())
    kept: list[Tensor] = [buffer.detach().clone() for buffer in buffers]
    devices = {t.device for t in (*module.parameters(), *buffers, *trees.leaves(x))}
    with torch.random.fork_rng(devices=[d for d in devices if d.type == "cuda"]):
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, value in zip(buffers, kept, strict=True):
                    buffer.copy_(value)
