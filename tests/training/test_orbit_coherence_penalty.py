"""Orbit coherence as a term of a loss: the audit's value, finite differences, known answers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from goldstone.actions import Context, Field, FieldLayout, image_symmetry
from goldstone.auditing import AuditSettings, Samples, Subject, measure_layer_coherence
from goldstone.auditing.coherence import orbit_coherence
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.probe_fields import random_outputs
from goldstone.core import InputError, generator
from goldstone.systems.losses import cross_entropy, mse
from goldstone.training import orbit_coherence_penalty, probe_coherence_penalty
from goldstone.training.orbit_coherence_penalty import coherence_of

TURNS = image_symmetry("quarter-turns", (4, 4), 1)
SETTINGS = AuditSettings(metrics=("euclidean",), bootstrap=100, permutations=20)
VECTORS = FieldLayout((Field("velocity", "vector"),))


def perceptron(seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.Tanh(), nn.Linear(5, 3))
    return layers.to(dtype).eval()


def pairs(n: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    source = generator(seed, "pairs")
    x = torch.randn(n, 1, 4, 4, generator=source, dtype=torch.float64)
    return x, torch.randint(3, (n,), generator=source)


class Averaged(nn.Module):
    """Invariant for all weights: the mean of a network over the four turns."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = perceptron(1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.inner(x.rot90(k, (2, 3))) for k in range(4)]).mean(0)


class Vectors(nn.Module):
    """Fields to fields, equivariant under nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular", dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x).tanh()


def penalty(model: nn.Module, unit: bool = True, names: list[str] | None = None) -> Tensor:
    x, y = pairs()
    return orbit_coherence_penalty(
        model, cross_entropy, TURNS, 1, x, y, parameters=names, unit=unit
    )


def test_value_is_that_of_the_audit() -> None:
    model = perceptron()
    subject = Subject.of(model, *pairs(), cross_entropy, settings=SETTINGS)
    found = measure_layer_coherence(subject, TURNS, ["r"])["r"]
    expected = found.total.orbit.estimate
    assert expected is not None
    assert abs(expected) < 0.99
    assert float(penalty(model).detach()) == pytest.approx(1 - expected, abs=1e-10)
    # Cut to one layer: coherence there, gradients divided by their norms there.
    last = found.groups["3"].coherence.orbit.estimate
    cut = penalty(model, names=["3.weight", "3.bias"])
    assert last is not None
    assert last != pytest.approx(expected, abs=1e-3)
    assert float(cut.detach()) == pytest.approx(1 - last, abs=1e-10)
    raw = found.groups["3"].raw_orbit.estimate
    assert raw is not None
    cut = penalty(model, unit=False, names=["3.weight", "3.bias"])
    assert float(cut.detach()) == pytest.approx(1 - raw, abs=1e-10)


def test_probe_value_is_that_of_the_audit() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Vectors()
    symmetry = image_symmetry("quarter-turns", (6, 6), VECTORS, output="same")
    x = torch.randn(8, 2, 6, 6, dtype=torch.float64, generator=generator(0, "fields"))
    samples = Samples(x, x, torch.arange(8), Context())
    subject = Subject.measure(model, samples, mse, SETTINGS)
    probe = GradientProbe(subject, symmetry, x[:2])
    a, b = (probe.probe_gradients(g) for g in (0, 1))
    expected = orbit_coherence(probe.products(a, b)["euclidean"].unit)
    v = random_outputs(subject.predictions, SETTINGS.seed)
    found = float(probe_coherence_penalty(model, symmetry, "r", x, v).detach())
    assert expected is not None
    assert 0.02 < abs(expected) < 0.95
    assert found == pytest.approx(1 - expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["unit", "raw", "cut", "probe"])
def test_gradient_against_finite_differences(kind: str) -> None:
    model = perceptron()
    x, _ = pairs()
    v = torch.randn(8, 3, generator=generator(0, "v"), dtype=torch.float64)

    def value() -> Tensor:
        if kind == "probe":
            return probe_coherence_penalty(model, TURNS, 1, x, v)
        return penalty(model, kind != "raw", ["1.weight"] if kind == "cut" else None)

    value().backward()  # type: ignore[no-untyped-call]
    step = 1e-5
    for name, p in model.named_parameters():
        direction = torch.randn(p.shape, generator=generator(0, name), dtype=torch.float64)
        given = p.data.clone()
        p.data = given + step * direction
        above = value().detach()
        p.data = given - step * direction
        below = value().detach()
        p.data = given
        # The last bias moves no gradient of a probe: its own is none at all, or zero.
        slope = float((p.grad * direction).sum()) if p.grad is not None else 0.0
        assert float((above - below) / (2 * step)) == pytest.approx(slope, abs=1e-7)
        # Parameters whose gradients are not compared are in the graph nevertheless.
        assert kind == "probe" or slope != 0


def test_equivariant_for_all_weights_gives_zero_and_no_gradient() -> None:
    model = Averaged()
    x, y = pairs()
    v = torch.randn(8, 3, generator=generator(0, "v"), dtype=torch.float64)
    for found in (
        orbit_coherence_penalty(model, cross_entropy, TURNS, "r", x, y),
        probe_coherence_penalty(model, TURNS, "r", x, v),
    ):
        assert abs(float(found.detach())) < 1e-12
        model.zero_grad()
        found.backward()  # type: ignore[no-untyped-call]
        assert all(p.grad is None or p.grad.abs().max() < 1e-10 for p in model.parameters())


def test_descent_raises_coherence_and_ascent_lowers_it() -> None:
    values = {}
    for sign in (1.0, -1.0):
        model = perceptron()
        optimiser = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(40):
            optimiser.zero_grad()
            (sign * penalty(model)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        values[sign] = float(penalty(model).detach())
    start = float(penalty(perceptron()).detach())
    assert values[1.0] < start - 0.2
    assert values[-1.0] > start + 0.2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_coherence_laws(seed: int, of_a: float, of_b: float) -> None:
    source = generator(seed, "rows")
    a, b, common = (torch.randn(*s, 7, generator=source).double() for s in ((6,), (6,), (1,)))
    rho = coherence_of(a, b, unit=False)
    assert abs(float(rho)) <= 1 + 1e-12
    # Symmetric; blind to scales and to what all gradients of a side have in common.
    same = coherence_of(of_b * b + common, of_a * a - 2 * common, unit=False)
    assert float(same) == pytest.approx(float(rho), abs=1e-8)
    assert float(coherence_of(a, a)) == pytest.approx(1)
    assert float(coherence_of(a, -a, unit=False)) == pytest.approx(-1)
    # All pairings together have none.
    shifts = torch.stack([coherence_of(a, b.roll(k, 0), unit=False) for k in range(6)])
    assert abs(float(shifts.mean())) < 1e-12


def test_gradients_of_zero_stay_zero() -> None:
    rows = torch.randn(5, 4, generator=generator(0, "zero"), dtype=torch.float64)
    rows[0] = 0
    rows.requires_grad_()
    value = coherence_of(rows, rows.detach().roll(1, 1))
    value.backward()  # type: ignore[no-untyped-call]
    assert rows.grad is not None
    assert torch.isfinite(rows.grad).all()
    alike = torch.ones(5, 4, requires_grad=True)
    assert float(coherence_of(alike, rows.detach().float()).detach()) == 0


def test_the_model_is_left_as_found() -> None:
    model = perceptron()
    before = {name: p.clone() for name, p in model.state_dict().items()}
    penalty(model)
    assert all(torch.equal(p, before[name]) for name, p in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_bad_input_is_refused() -> None:
    model, (x, y) = perceptron(), pairs()

    def call(module: nn.Module = model, **changes: object) -> None:
        given = {"inputs": x, "targets": y, "element": 1, "parameters": None, **changes}
        orbit_coherence_penalty(module, cross_entropy, TURNS, **given)  # type: ignore[arg-type]

    with pytest.raises(InputError, match="two samples or more"):
        call(inputs=x[:1], targets=y[:1])
    with pytest.raises(InputError, match="as many targets"):
        call(targets=y[:3])
    with pytest.raises(InputError, match="names of trainable parameters"):
        call(parameters=["head"])
    with pytest.raises(InputError, match="no element is called"):
        call(element="s")
    for layer in (nn.Dropout(0.5), nn.BatchNorm1d(3, dtype=torch.float64)):
        stack = nn.Sequential(model, layer).train()
        with pytest.raises(InputError, match="training mode"):
            call(stack)
        call(stack.eval())
    batch = nn.BatchNorm1d(3, track_running_stats=False, dtype=torch.float64)
    with pytest.raises(InputError, match="no running statistics"):
        call(nn.Sequential(model, batch).eval())
