"""What the catalogue says of a layer, and the tensors that its tests need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.actions import Symmetry

Inputs = tuple[Tensor, ...]

Ability = Literal["autocast", "half", "compile", "export", "onnx", "gradcheck", "meta"]
"""What every layer is tested to do unless its entry says why it cannot:

- ``autocast``: forward and backward under mixed precision of bfloat16 and float16;
- ``half``: ``.to(torch.bfloat16)``;
- ``compile``: ``torch.compile(fullgraph=True)``;
- ``export``: ``torch.export`` with batches of any size;
- ``onnx``: export to ONNX and equal output in onnxruntime;
- ``gradcheck``: derivatives in inputs and parameters are those of differences;
- ``meta``: parameters and buffers on the device ``meta``.
"""


@dataclass(frozen=True)
class Case:
    """One way to make a layer.

    Attributes:
        make: the layer; keywords ``device`` and ``dtype`` are those of its parameters.
        inputs: from the size of a batch to what the symmetry moves, in float64.
        symmetry: how these and the output move.
        before: from these to the arguments of the layer, where they are not the same.
        after: from the layer's output to what the symmetry moves.
        tolerance: of the relative error of equivariance in float32 and in float64.
        power: bounds of the mean square of the output over that of the first input, for new
            weights; None where nothing is promised.
        wrong: from arguments to such of wrong shape, which the layer refuses.
        control: which of the inputs, times a fixed pattern, loses the symmetry; None for no such.
    """

    make: Callable[..., nn.Module]
    inputs: Callable[[int], Inputs]
    symmetry: Symmetry
    before: Callable[..., Inputs] = lambda *x: x
    after: Callable[[Any], Any] = lambda y: y
    tolerance: tuple[float, float] = (1e-5, 1e-11)
    power: tuple[float, float] | None = (0.8, 1.25)
    wrong: tuple[Callable[[Inputs], Inputs], ...] = ()
    control: int | None = 0

    def arguments(self, batch: int, dtype: torch.dtype = torch.float32) -> Inputs:
        """Arguments of the layer."""
        return cast(self.before(*self.inputs(batch)), dtype)


class Whole(nn.Module):
    """What the symmetry is of: a layer between what is done before and after."""

    def __init__(self, case: Case, layer: nn.Module) -> None:
        super().__init__()
        self.case, self.layer = case, layer

    def forward(self, *x: Tensor) -> Any:
        return self.case.after(self.layer(*self.case.before(*x)))


def states(case: Case, dtype: torch.dtype = torch.float64, batch: int = 3) -> Any:
    """What the symmetry moves: a tensor, or several."""
    inputs = cast(case.inputs(batch), dtype)
    return inputs if len(inputs) > 1 else inputs[0]


@dataclass(frozen=True)
class Entry:
    """One layer.

    Attributes:
        layer: its class.
        keeps: groups and what they do, for the page.
        shapes: of input and output, for the page.
        cases: ways to make it, by name; the first is the one that is compiled and exported.
        exact: what of it is exact.
        unable: what it does not do, with the reason.
        measured: the error of what is not exact.
        at_most: its bound.
    """

    layer: type[nn.Module]
    keeps: str
    shapes: str
    cases: Mapping[str, Case]
    exact: str = "exact"
    unable: Mapping[Ability, str] = field(default_factory=dict)
    measured: Callable[[], float] | None = None
    at_most: float = 0.0

    def __post_init__(self) -> None:
        unknown = set(self.unable) - set(get_args(Ability))
        if unknown or not self.cases:
            raise ValueError(f"{self.layer.__name__}: {unknown or 'no case'}")


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Standard normal numbers."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=source, dtype=dtype)


def batches(*shapes: tuple[int, ...], dtype: torch.dtype = torch.float64) -> Any:
    """Inputs of these shapes, batch aside: standard normal."""

    def made(batch: int) -> Inputs:
        return tuple(normal(batch, *s, seed=k, dtype=dtype) for k, s in enumerate(shapes))

    return made


def cast(inputs: Inputs, dtype: torch.dtype) -> Inputs:
    """Floating and complex tensors in another precision."""
    partner = {torch.float32: torch.complex64, torch.float64: torch.complex128}
    return tuple(
        x.to(partner.get(dtype, x.dtype))
        if x.is_complex()
        else x.to(dtype)
        if x.is_floating_point()
        else x
        for x in inputs
    )


def drawn(module: nn.Module, seed: int = 5) -> nn.Module:
    """The module with noise added to its weights, so that none is zero."""
    with torch.no_grad():
        for k, parameter in enumerate(module.parameters()):
            noise = normal(*parameter.shape, seed=seed + k).to(parameter.dtype)
            parameter.add_(0.3 * noise)
    return module


def one_more(axis: int, argument: int = 0) -> Callable[[Inputs], Inputs]:
    """One entry too many along an axis of an argument."""

    def changed(inputs: Inputs) -> Inputs:
        x = inputs[argument]
        longer = torch.cat((x, x.narrow(axis, 0, 1)), axis)
        return (*inputs[:argument], longer, *inputs[argument + 1 :])

    return changed


def unbatched(inputs: Inputs) -> Inputs:
    """The first sample without its axis."""
    return tuple(x[0] for x in inputs)
