"""Tiny networks in float64 for the routines of curvature."""

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """These networks are tiny: threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Unused(nn.Module):
    """Two convolutions, a parameter that no output depends on, and a frozen one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular")
        self.spare = nn.Parameter(torch.ones(4))
        self.second = nn.Conv2d(3, 2, 1)
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.first(x))
        out: Tensor = self.second(hidden) * self.frozen[:, None, None]
        return out


class Spectral(nn.Module):
    """A complex weight on the Fourier modes beside a real one."""

    def __init__(self) -> None:
        super().__init__()
        self.modes = nn.Parameter(torch.randn(2, 2, dtype=torch.complex128) / 2)
        self.local = nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft2(x)
        mixed = torch.einsum("ij,bjxy->bixy", self.modes, spectrum)
        out: Tensor = torch.tanh(torch.fft.irfft2(mixed, s=x.shape[-2:]) + self.local(x))
        return out


class _Square(torch.autograd.Function):
    """x² without a forward derivative and without functorch's set-up."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return 2 * x * grad


class BackwardOnly(nn.Module):
    """An operation that has a derivative in reverse mode alone, and an unused parameter."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _Square.apply(self.inner(x))  # type: ignore[no-untyped-call]
        return out


def _make(name: str) -> nn.Module:
    """The network of this name, the same at every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        inner: nn.Module = Spectral() if "complex" in name else Unused()
        model = BackwardOnly(inner) if "backward-only" in name else inner
        for p in model.parameters():
            p.data = p.data.to(torch.complex128 if p.is_complex() else torch.float64)
        return model


NAMES = ("unused", "complex", "backward-only unused", "backward-only complex")


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> nn.Module:
    return _make(request.param)


@pytest.fixture
def inputs() -> Tensor:
    return torch.randn(5, 2, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def make_model() -> Callable[[str], nn.Module]:
    return _make


def _flat(tensors: list[Tensor]) -> Tensor:
    parts = []
    for t in tensors:
        parts += [torch.stack([t.real, t.imag], -1) if t.is_complex() else t]
    return torch.cat([p.reshape(-1) for p in parts])


def _gradient(model: nn.Module, value_of: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Gradient by ``backward`` on a copy, zeros where there is none."""
    copied = copy.deepcopy(model)
    value_of(copied(x)).backward()
    trainable = [p for p in copied.parameters() if p.requires_grad]
    return _flat([torch.zeros_like(p) if p.grad is None else p.grad for p in trainable])


def _jacobian(model: nn.Module, inputs: Tensor) -> Tensor:
    """(number of outputs, number of parameters), a row by one backward."""
    count = model(inputs).numel()
    rows = [_gradient(model, lambda y, k=k: y.reshape(-1)[k], inputs) for k in range(count)]
    return torch.stack(rows)


@pytest.fixture
def gradient() -> Callable[..., Tensor]:
    return _gradient


@pytest.fixture
def jacobian() -> Callable[[nn.Module, Tensor], Tensor]:
    return _jacobian
