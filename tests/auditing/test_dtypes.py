"""Complex and half-precision models through a whole audit."""

import pytest
import torch
from torch import nn

from goldstone.actions import LinearAction, Symmetry
from goldstone.auditing import AuditSettings, audit
from goldstone.auditing.forward import distances, norms
from goldstone.auditing.subject import steady_loss
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.representations import PermutationRepresentation
from goldstone.systems.losses import mse

METRICS = (
    "euclidean",
    "galerkin",
    "randomised-gauss-newton",
    "gauss-newton-diagonal",
    "kfac",
    "empirical-fisher",
)


def cycles() -> Symmetry:
    group = CyclicGroup(6)
    table = (tuple((i + 1) % 6 for i in range(6)),)
    action = LinearAction(PermutationRepresentation(group, table))
    return Symmetry("cycles", group, action, action)


def settings(**changes):
    small = {"trajectories": 12, "samples": 12, "reference": 4, "damping": 1e-2}
    return AuditSettings(**(small | {"bootstrap": 400, "permutations": 200} | changes))


@pytest.fixture(scope="module")
def trained():
    """A float32 network that has learned a map that does not commute with cycles."""
    source = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, 6, generator=source)
    targets = torch.tanh(inputs.roll(1, 1) * inputs) * torch.linspace(0.5, 1.5, 6)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 6))
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(400):
        optimiser.zero_grad()
        (model(inputs) - targets).square().mean().backward()
        optimiser.step()
    return model, (inputs, targets)


class Circular(nn.Module):
    """z ↦ w ∗ z around the circle, weights w complex: equivariant under cycles."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(2)
        start = torch.randn(6, dtype=torch.complex128, generator=source)
        self.weight = nn.Parameter(start.to(dtype) / 4)

    def forward(self, z):
        return sum(self.weight[k] * z.roll(k, -1) for k in range(6))


class Lopsided(Circular):
    """The same with one place of its own: complex, and not equivariant."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__(dtype)
        self.gain = nn.Parameter(torch.linspace(0.2, 2.0, 6).to(dtype))

    def forward(self, z):
        return super().forward(z) * self.gain


@pytest.fixture(scope="module")
def complex_pairs():
    source = torch.Generator().manual_seed(1)
    z = torch.randn(40, 6, dtype=torch.complex128, generator=source)
    noise = torch.randn(40, 6, dtype=torch.complex128, generator=source)
    with torch.no_grad():
        return z, Circular(torch.complex128)(z) + 0.1 * noise


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_a_complex_model_with_built_in_symmetry_transports_exactly(complex_pairs, dtype):
    small = settings(metrics=("euclidean", "galerkin", "gauss-newton", "empirical-fisher"))
    result = audit(Circular(dtype), complex_pairs, cycles(), settings=small)
    assert result.provenance.dtype == {8: "float32", 16: "float64"}[dtype.itemsize]
    assert result.model.parameters in (6, 12)
    tolerance = 1e-4 if dtype == torch.complex64 else 1e-9
    for element in result.elements[1:]:
        assert element.grade == "exact"
        assert element.transports == "yes"
        for metric in small.metrics:
            loose = 1e-2 if metric == "gauss-newton" else tolerance
            assert element.orbit_coherence[metric].estimate == pytest.approx(1, abs=loose)
            assert element.probe_coherence[metric].estimate == pytest.approx(1, abs=loose)


def test_complex_gradients_are_their_real_and_imaginary_parts(complex_pairs):
    """Against the model written with real numbers alone."""

    class Real(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.weight = nn.Parameter(torch.view_as_real(model.weight.detach()).clone())
            self.gain = nn.Parameter(torch.view_as_real(model.gain.detach()).clone())

        def forward(self, z):
            w, gain = torch.view_as_complex(self.weight), torch.view_as_complex(self.gain)
            return sum(w[k] * z.roll(k, -1) for k in range(6)) * gain

    model = Lopsided(torch.complex128)
    small = settings(metrics=("euclidean", "galerkin"))
    ours = audit(model, complex_pairs, cycles(), settings=small)
    theirs = audit(Real(model), complex_pairs, cycles(), settings=small)
    for a, b in zip(ours.elements[1:], theirs.elements[1:], strict=True):
        for metric in small.metrics:
            for name in ("orbit_coherence", "raw_orbit_coherence", "probe_coherence"):
                found, wanted = getattr(a, name)[metric], getattr(b, name)[metric]
                assert found.estimate == pytest.approx(wanted.estimate, abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_half_precision_model_gives_the_numbers_of_its_single_precision_twin(trained, dtype):
    model, data = trained
    small = settings(metrics=METRICS)
    half = nn.Sequential(nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 6)).to(dtype)
    half.load_state_dict(model.state_dict())
    # Half precision's weights in single precision: the same function but for rounding on the way.
    twin = nn.Sequential(nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 6))
    twin.load_state_dict({name: v.float() for name, v in half.state_dict().items()})
    rounded = tuple(x.to(dtype).float() for x in data)
    found, wanted = (audit(m, rounded, cycles(), settings=small) for m in (half, twin))
    assert found.provenance.dtype == str(dtype).removeprefix("torch.")
    assert found.model.numerical_floor >= torch.finfo(dtype).eps
    assert wanted.model.numerical_floor < 1e-5
    allowed = 0.12 if dtype == torch.bfloat16 else 0.02
    for a, b in zip(found.elements[1:], wanted.elements[1:], strict=True):
        assert a.holds == b.holds == "no"
        for metric in METRICS:
            gap = a.orbit_coherence[metric].estimate - b.orbit_coherence[metric].estimate
            assert abs(gap) < allowed, (a.name, metric)
            low, high = a.orbit_coherence[metric].low, a.orbit_coherence[metric].high
            assert low < a.orbit_coherence[metric].estimate < high


def test_half_gradients_are_sketched_in_single_precision(trained):
    _, data = trained
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        half = nn.Sequential(nn.Linear(6, 120), nn.Tanh(), nn.Linear(120, 120), nn.Linear(120, 6))
    half = half.bfloat16()
    whole = audit(half, data, cycles(), settings=settings())
    memory = whole.provenance.memory["whole"] // 2
    result = audit(half, data, cycles(), settings=settings(memory=memory))
    assert "streamed" in result.provenance.gradient_path
    for a, b in zip(whole.elements[1:], result.elements[1:], strict=True):
        for metric, details in result.metrics.items():
            gap = a.orbit_coherence[metric].estimate - b.orbit_coherence[metric].estimate
            assert abs(gap) <= 5.4 * details.sketch_error


def test_conjugate_gradients_refuse_half_precision(trained):
    _, data = trained
    half = nn.Sequential(nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 6)).bfloat16()
    small = settings(metrics=("euclidean", "gauss-newton"))
    with pytest.raises(InputError, match=r"audit model\.float\(\)"):
        audit(half, data, cycles(), settings=small)


def test_an_operation_that_half_precision_lacks_is_named(trained):
    class Spectral(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(4))

        def forward(self, x):
            return torch.fft.irfft(torch.fft.rfft(x) * self.gain, n=6)

    _, data = trained
    with pytest.raises(InputError, match=r"(?i)bfloat16"):
        audit(Spectral().bfloat16(), data, cycles(), settings=settings())


def test_small_differences_of_half_precision_do_not_vanish_in_their_squares():
    y = torch.full((2, 10), 1e-4, dtype=torch.float16)
    assert norms(y).tolist() == pytest.approx([1e-4 * 10**0.5] * 2, rel=1e-3)
    assert distances(y, -y).tolist() == pytest.approx([2e-4 * 10**0.5] * 2, rel=1e-3)
    loss = steady_loss(mse)(y, torch.zeros_like(y))
    assert loss.tolist() == pytest.approx([1e-8] * 2, rel=1e-2)
    assert norms(1e3 * torch.ones_like(y)).isfinite().all()
