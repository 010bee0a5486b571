"""Models whose answer is known, audited from end to end."""

import pytest
import torch
from torch import nn

import goldstone
from goldstone.systems.flows import NavierStokes2d
from goldstone.systems.losses import mse

BOTH = ("euclidean", "galerkin")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_equivariant_network_has_coherence_one_at_initialisation(flows, network, quick, dtype):
    data = flows(dtype=dtype)
    settings = quick(samples=6, trajectories=6)
    result = goldstone.audit(network("equivariant", data), data, "d4", settings=settings)
    assert len(result.elements) == 8
    for element in result.elements:
        assert element.grade == "exact"
        assert element.equivariance_error.estimate < 2e-6
        assert abs(element.log_loss_ratio.estimate) < 1e-4
        for metric in BOTH:
            for found in (element.pair_coherence, element.orbit_coherence, element.probe_coherence):
                assert found[metric].estimate == pytest.approx(1.0, abs=1e-4)
            assert element.null[metric].estimate < 0.99
    # Exact, and still nothing is learned.
    assert not result.model.has_skill
    for axis in (result.verdict.holds, result.verdict.transports):
        assert axis.answer == "undetermined"
        assert [h.name for h in axis.residual_low] == ["1"]
        assert [h.name for h in axis.residual_up] == ["D4"]


def test_a_strided_network_is_exact_at_multiples_of_its_stride(flows, network, quick):
    data = flows(dtype=torch.float32)
    settings = quick(samples=6, trajectories=6)
    result = goldstone.audit(network("unet", data), data, "shifts", settings=settings)
    for element in result.elements[1:]:
        steps = max(
            int(n) for n in element.name.removeprefix("shift(").removesuffix(")").split(",")
        )
        exact = steps % 4 == 0
        assert (element.grade == "exact") == exact
        for metric in BOTH:
            for found in (element.pair_coherence, element.orbit_coherence):
                value = found[metric].estimate
                assert value == pytest.approx(1.0, abs=1e-4) if exact else value < 0.9


def test_learned_positions_are_not_exact_under_shifts(flows, network, quick):
    data = flows()
    settings = quick(metrics=("euclidean",))
    result = goldstone.audit(network("vit", data), data, "shifts", settings=settings)
    for element in result.elements[1:]:
        assert element.grade == "undetermined"
        assert element.equivariance_error.estimate > 1e-3
        assert element.orbit_coherence["euclidean"].high < 0.999


class Identity(nn.Module):
    def forward(self, x):
        return x


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(value)

    def forward(self, x):
        return self.value.expand_as(x)


@pytest.mark.parametrize("kind", ["identity", "zero", "climatology", "untrained"])
def test_models_without_skill_are_undetermined_whatever_their_errors(flows, network, quick, kind):
    data = flows()
    models = {
        "identity": Identity(),
        "zero": Constant(torch.zeros(2, 1, 1).double()),
        "climatology": Constant(data.fields[:, 1:].mean((0, 1))),
        "untrained": network("unet", data),
    }
    result = goldstone.audit(models[kind], data, "d4", settings=quick(metrics=("euclidean",)))
    assert not result.model.has_skill
    for element in result.elements:
        assert (element.holds, element.transports, element.label) == ("undetermined",) * 3
        assert "does not beat persistence" in element.reason
    for axis in (result.verdict.holds, result.verdict.transports):
        assert axis.answer == "undetermined"
        assert [h.order for h in axis.residual_up] == [8]
    assert "Undetermined on both axes" in result.verdict.summary
    assert (result.provenance.gradients == 0) == (kind == "identity")


class Truth(nn.Module):
    """The solver itself, with a parameter that does nothing."""

    def __init__(self, data, spare=True):
        super().__init__()
        self.solver, self.dt = NavierStokes2d(viscosity=5e-3), data.dt
        if spare:
            self.spare = nn.Parameter(torch.zeros(1, dtype=data.fields.dtype))

    def forward(self, x):
        return self.solver.advance(x, self.dt)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("name", "loss"), [("d4", None), ("p4m", None), ("boosts", mse)])
def test_the_perfect_model_holds_and_has_nothing_left_to_transport(flows, quick, name, loss, dtype):
    data = flows(dtype=dtype)
    options = {"loss": loss} if loss else {}
    for spare in (True, False):
        settings = quick(snapshots=1)
        result = goldstone.audit(Truth(data, spare), data, name, settings=settings, **options)
        assert result.model.has_skill
        assert result.verdict.holds.answer == "yes"
        assert {e.grade for e in result.elements} == {"exact"}
        assert max(abs(e.log_loss_ratio.estimate) for e in result.elements) < 0.1
        assert result.verdict.transports.answer == "undetermined"
        assert all(c.as_expected for c in result.controls)
        assert "more trajectories" not in result.verdict.summary


def test_a_model_that_knows_one_axis_keeps_the_reflections(flows, perturbed_solver, quick):
    """Anisotropic flows, and an error that sees fast changes along the other axis alone."""
    data = flows("anisotropic", trajectories=16)
    variance = (data.fields - data.fields.roll(1, -2)).square().mean()
    other = (data.fields - data.fields.roll(1, -1)).square().mean()
    along = (0.02, 0.0) if variance < other else (0.0, 0.02)
    model = perturbed_solver(data, along=along)
    result = goldstone.audit(model, data, "d4", settings=quick(samples=12, trajectories=12))
    assert result.model.has_skill
    holds = result.verdict.holds
    assert holds.answer == "no"
    assert [(h.name, h.order) for h in holds.residual_low] == [("⟨r², s⟩", 4)]
    assert holds.residual_low == holds.residual_up
    assert [set(coset) for coset in holds.broken_cosets] == [{"r", "r³", "sr", "sr³"}]
    for name in ("r", "r³", "sr", "sr³"):
        assert result.element(name).grade == "violated"
        assert result.element(name).log_loss_ratio.low > 0.5
    for name in ("r²", "s", "sr²"):
        assert result.element(name).grade == "exact"
    # r² leaves every 3×3 kernel gradient as it is: equivariant for all weights near these.
    assert result.element("r²").transports == "yes"
    assert result.element("r²").label == "internalised"
    assert result.verdict.confidence["holds"] > 0.95
    assert "What holds is the subgroup ⟨r², s⟩ of order 4" in result.verdict.summary
    wrong, shuffled = result.controls
    assert wrong.as_expected
    assert wrong.log_loss_ratio.low > 1
    assert shuffled.as_expected


def test_reversed_velocity_forced_through_is_seen_to_be_wrong(flows, perturbed_solver, quick):
    data = flows(trajectories=16)
    settings = quick(samples=12, trajectories=12)
    model = perturbed_solver(data)
    result = goldstone.audit(model, data, "reversed-d4", settings=settings, force=True)
    for name in ("r", "r³", "sr", "sr³"):
        element = result.element(name)
        assert element.log_loss_ratio.low > 3
        assert element.holds == "no"
        for metric in BOTH:
            assert element.orbit_coherence[metric].low < 0.1
            assert element.permutation_p[metric] > 0.05


def test_a_float32_model_of_float64_data(flows, perturbed_solver, quick):
    data = flows()
    model = perturbed_solver(data).float()
    result = goldstone.audit(model, data, "d4", settings=quick(metrics=("euclidean",)))
    assert result.provenance.dtype == "float32"
    assert result.verdict.holds.answer == "yes"
    assert 1e-7 < result.model.numerical_floor < 1e-5


def test_a_grid_that_is_not_square(flows, network, quick):
    data = flows(grid=(16, 24))
    model = network("unet", data)
    settings = quick(metrics=("euclidean",), snapshots=1, samples=6, trajectories=6)
    turned = goldstone.audit(model, data, "d2", settings=settings)
    assert [e.name for e in turned.elements] == ["e", "r", "s", "sr"]
    shifted = goldstone.audit(model, data, "shifts", settings=settings, shifts=True)
    exact = {e.name for e in shifted.elements if e.grade == "exact"}
    assert exact == {"e", "shift(4,0)", "shift(8,0)", "shift(0,4)", "shift(0,8)"}
    assert shifted.shifts.exact_period == (4, 4)
    assert shifted.arrays["torus_equivariance_error"].shape == (16, 24)


def test_an_audit_of_the_fewest_trajectories_of_one_step(flows, perturbed_solver, quick):
    data = flows(trajectories=8, steps=1)
    result = goldstone.audit(perturbed_solver(data), data, "d4", settings=quick())
    assert result.element("r").log_loss_ratio.n == 6
    assert result.verdict.holds.answer == "yes"
    assert result.element("r²").orbit_coherence["euclidean"].estimate == pytest.approx(1.0)
