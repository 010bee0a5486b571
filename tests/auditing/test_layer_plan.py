"""Lie derivatives by layer of models that do what they like: in place, twice, without gradients."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import FourierTranslation, Symmetry, fourier_shift
from goldstone.auditing import LieDerivativeByLayer, lie_derivative_by_layer
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup

SHIFTS = Symmetry(
    "shifts", AdditiveGroup("shift", 2, "cells"), FourierTranslation(), FourierTranslation()
)
DIRECTION = (1.0, 0.4)


def noise(n: int = 4) -> Tensor:
    source = torch.Generator().manual_seed(1)
    return torch.randn(n, 2, 8, 8, dtype=torch.float64, generator=source)


class InPlace(nn.Module):
    """tanh and an addition, in place or not, as statements whose results nobody takes."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.in_place = in_place
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=in_place)
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.first(x))
        k = self.second(h)
        if self.in_place:
            k.add_(h)
            self.relu(k)
        else:
            k = self.relu(k.add(h))
        return self.out(k) + x


class Grouped(nn.Module):
    """Dilated, grouped, strided, depthwise and transposed convolutions, and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2)
        self.down = nn.Conv2d(4, 6, 2, stride=2)
        self.norm = nn.GroupNorm(2, 6)
        self.depth = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = functional.gelu(self.wide(x))
        b = self.up(functional.silu(self.depth(self.norm(self.down(a)))))
        return self.out(torch.cat([a, b], 1))


class Tokens(nn.Module):
    """Patches with learned positions; attention by hand; one linear layer used twice, tied."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(2, 8, 2, stride=2)
        self.place = nn.Parameter(torch.randn(1, 16, 8) * 0.3)
        self.norm = nn.LayerNorm(8)
        self.into = nn.Linear(8, 24)
        self.mix = nn.Linear(8, 8)
        self.head = nn.Linear(8, 8)
        self.head.weight = self.mix.weight

    def forward(self, x: Tensor) -> Tensor:
        t = self.embed(x).flatten(2).transpose(1, 2) + self.place
        q, k, v = self.into(self.norm(t)).chunk(3, -1)
        t = t + self.mix((q @ k.mT / 3).softmax(-1) @ v)
        t = t + self.mix(torch.tanh(t))
        patches = self.head(t).reshape(-1, 4, 4, 2, 2, 2)
        return patches.permute(0, 3, 1, 4, 2, 5).reshape(x.shape) + x


class Modes(nn.Module):
    """Complex weights on Fourier modes, beside a convolution with zeros around the field."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 2, 8, 5, dtype=torch.complex128) / 2)
        self.out = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        mixed = torch.einsum("ijxy,bjxy->bixy", self.weight, torch.fft.rfft2(x))
        return self.out(torch.tanh(torch.fft.irfft2(mixed, s=x.shape[-2:]) + x))


def seeded(kind: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return kind().double().eval()


def by_differences(model: nn.Module, x: Tensor) -> Tensor:
    """d/dt of shift⁻¹ f(shift x), by the five-point rule."""

    def curve(t: float) -> Tensor:
        moved = model(fourier_shift(x, (t * DIRECTION[0], t * DIRECTION[1])))
        return fourier_shift(moved, (-t * DIRECTION[0], -t * DIRECTION[1]))

    h = 1e-4
    with torch.no_grad():
        return (8 * (curve(h) - curve(-h)) - (curve(2 * h) - curve(-2 * h))) / (12 * h)


@pytest.mark.parametrize("kind", [lambda: InPlace(True), Grouped, Tokens, Modes])
def test_layers_of_unusual_models(kind) -> None:
    model, x = seeded(kind), noise()
    wanted = by_differences(model, x).square().flatten(1).mean(1).mean()
    exact, probed = (
        lie_derivative_by_layer(model, x, SHIFTS, DIRECTION, **how)
        for how in ({"exact": True}, {"probes": 2, "batch": 3})
    )
    assert exact.error.estimate == pytest.approx(float(wanted), rel=1e-7)
    for found in (exact, probed):
        assert found.chain_rule_error < 1e-13
        total = sum(layer.contribution.estimate or 0.0 for layer in found.layers)
        assert total == pytest.approx(float(wanted), rel=1e-7)
    for a, b in zip(exact.layers, probed.layers, strict=True):
        assert a.contribution.estimate == pytest.approx(
            b.contribution.estimate, rel=1e-9, abs=1e-15
        )


def numbers(found: LieDerivativeByLayer) -> list[tuple[float | None, ...]]:
    return [
        (layer.contribution.estimate, layer.error.estimate, layer.local.estimate)
        for layer in found.layers
    ]


@pytest.mark.parametrize("how", [{"exact": True}, {"probes": 3}])
def test_changes_in_place_are_layers_like_others(how) -> None:
    """Also where the code does not take the result, but goes on with what was changed."""
    one, two = (
        lie_derivative_by_layer(InPlace(kind).double(), noise(), SHIFTS, DIRECTION, **how)
        for kind in (True, False)
    )
    assert [layer.name for layer in one.layers] == [layer.name for layer in two.layers]
    for a, b in zip(numbers(one), numbers(two), strict=True):
        assert a == pytest.approx(b, rel=1e-9, abs=1e-20)
    relu = next(layer for layer in one.layers if layer.name == "relu")
    assert relu.error.estimate is not None
    assert relu.error.estimate > 1e-3


class Frozen(nn.Module):
    """Its first layer runs without gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(2, 2, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            h = torch.tanh(self.first(x))
        return self.second(h) + x


def test_what_has_no_gradient_is_not_missed_in_silence() -> None:
    model = seeded(Frozen)
    with pytest.raises(InputError, match="a part of the model has no gradient"):
        lie_derivative_by_layer(model, noise(), SHIFTS, DIRECTION, probes=2)
    exact = lie_derivative_by_layer(model, noise(), SHIFTS, DIRECTION, exact=True)
    assert exact.chain_rule_error < 1e-13


def test_frozen_parameters_change_nothing() -> None:
    model = seeded(Grouped)
    free = lie_derivative_by_layer(model, noise(), SHIFTS, DIRECTION, probes=2)
    model.requires_grad_(False)
    assert lie_derivative_by_layer(model, noise(), SHIFTS, DIRECTION, probes=2) == free
    assert not any(p.requires_grad for p in model.parameters())


def test_a_model_that_cannot_be_pulled_back_is_refused() -> None:
    class Spoiled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            h = torch.tanh(x).exp()
            h.mul_(0.5)
            return torch.tanh(h)

    with pytest.raises(InputError, match="reverse pass"):
        lie_derivative_by_layer(Spoiled(), noise(), SHIFTS, DIRECTION, probes=1)
    found = lie_derivative_by_layer(Spoiled(), noise(), SHIFTS, DIRECTION, exact=True)
    assert found.chain_rule_error < 1e-13


class Branch(nn.Module):
    """A strided layer whose output goes two ways, one of them through an nn.Identity or not."""

    def __init__(self, identity: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.down = nn.Conv2d(2, 4, 2, stride=2)
        self.skip: Callable[[Tensor], Tensor] = nn.Identity() if identity else (lambda x: x)
        self.norm = nn.GroupNorm(2, 4)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.down(x)
        return self.out(self.up(self.skip(h) + self.norm(h)))


@pytest.mark.parametrize("how", [{"exact": True}, {"probes": 3}])
def test_a_tensor_handed_on_belongs_to_who_made_it(how) -> None:
    """And not to the nn.Identity that one branch takes it from, or to the other branch's layer."""
    one, two = (
        lie_derivative_by_layer(Branch(identity).double(), noise(), SHIFTS, DIRECTION, **how)
        for identity in (True, False)
    )
    assert [layer.name for layer in one.layers] == [layer.name for layer in two.layers]
    for a, b in zip(numbers(one), numbers(two), strict=True):
        assert a == pytest.approx(b, rel=1e-9, abs=1e-20)
    breaks = {layer.name for layer in one.layers if (layer.error.estimate or 0.0) > 1e-20}
    assert breaks == {"down", "up"}
    assert one.merged == ()


def test_the_input_itself_is_no_layer() -> None:
    """Handed on by an nn.Identity it moves as the input does, not as scalars would."""
    model = nn.Sequential(nn.Identity(), nn.Conv2d(2, 2, 3, padding=1)).double()
    found = lie_derivative_by_layer(model, noise(), SHIFTS, DIRECTION, exact=True)
    assert [layer.name for layer in found.layers] == ["1"]
