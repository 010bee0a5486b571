"""Further probes through the audit: each gives what its own function gives, and survives a file."""

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import image_symmetry
from goldstone.auditing import (
    AuditResult,
    AuditSettings,
    audit,
)
from goldstone.auditing.settings import PROBES
from goldstone.core import InputError


@pytest.fixture(scope="module")
def everything(flows, perturbed_solver, quick) -> AuditResult:
    data = flows()
    return audit(perturbed_solver(data), data, "d4", settings=quick(probes=("all",)))


def test_all_runs_what_applies_and_says_what_does_not(everything) -> None:
    probes = everything.probes
    assert set(probes.left_out) == {"lie-derivative", "lie-derivative-by-layer"}
    assert "no Lie group" in probes.left_out["lie-derivative"]
    for name in set(PROBES) - set(probes.left_out):
        assert getattr(probes, name.replace("-", "_")), name
    seconds = everything.provenance.seconds
    assert {"equivariance", "orbit-metric", "landscape", "data-symmetry"} <= set(seconds)


def test_they_survive_a_file(everything, tmp_path) -> None:
    everything.save(tmp_path)
    assert AuditResult.load(tmp_path).probes == everything.probes


def test_an_audit_without_them_has_none(flows, perturbed_solver, quick) -> None:
    data = flows()
    result = audit(perturbed_solver(data), data, "d4", settings=quick())
    assert result.probes == type(result.probes)()


def test_the_numbers_are_those_of_the_audit(everything) -> None:
    probes = everything.probes
    for element in everything.elements[1:]:
        assert probes.layer_coherence[element.name].total.orbit.estimate == pytest.approx(
            element.orbit_coherence["euclidean"].estimate
        )
        assert probes.stiffness.elements[element.name].cosine.estimate == pytest.approx(
            element.pair_coherence["euclidean"].estimate
        )
        (error,) = [e for e in probes.equivariance.elements if e.name == element.name]
        assert error.error.estimate == pytest.approx(element.equivariance_error.estimate)
        one_step = probes.unrolled[0].elements[element.name]
        assert one_step.orbit.n == everything.elements[1].orbit_coherence["euclidean"].n


def test_their_gradients_are_counted(everything, quick) -> None:
    taken = everything.provenance.other_gradients
    orbit = 8 * 8
    assert taken["layer-coherence"] == orbit
    assert taken["orbits"] == orbit
    assert taken["unrolled"] == orbit * len(everything.probes.unrolled)


def test_lie_derivatives_of_a_continuous_symmetry(flows, perturbed_solver, quick) -> None:
    data = flows()
    probes = ("lie-derivative", "lie-derivative-by-layer")
    result = audit(
        perturbed_solver(data), data, "boosts", ground_truth=None, settings=quick(probes=probes)
    )
    assert len(result.probes.lie_derivative.directions) == 2
    assert len(result.probes.lie_derivative_by_layer) == 2
    for whole, layers in zip(
        result.probes.lie_derivative.directions, result.probes.lie_derivative_by_layer, strict=True
    ):
        assert layers.error.estimate == pytest.approx(whole.error.estimate, rel=1e-6)


class Classifier(nn.Module):
    """Scores that depend on where the light is: no turn holds."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


def test_the_metric_over_the_orbit_is_accuracy_for_labels_or_what_is_given(quick) -> None:
    torch.manual_seed(0)
    model = Classifier().double()
    x = torch.randn(24, 1, 8, 8, dtype=torch.float64)
    y = model(x).argmax(1)
    symmetry = image_symmetry("quarter-turns", (8, 8), 1)
    settings = quick(probes=("orbit-metric",), trajectories=16)
    result = audit(model, (x, y), symmetry, settings=settings)
    found = result.probes.orbit_metric
    assert found.metric == "accuracy"
    assert found.value.estimate == 1.0
    assert found.average.estimate < 0.9

    def wrong(prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction.argmax(1) != target).double()

    again = audit(model, (x, y), symmetry, metric=wrong, settings=settings).probes.orbit_metric
    for one, other in zip(found.elements, again.elements, strict=True):
        assert one.value.estimate == pytest.approx(1 - other.value.estimate)


@pytest.mark.parametrize(
    ("probe", "message"),
    [("lie-derivative", "no Lie group"), ("unrolled", "trajectories")],
)
def test_a_probe_asked_for_by_name_must_apply(probe, message, quick) -> None:
    model = Classifier().double()
    x = torch.randn(24, 1, 8, 8, dtype=torch.float64)
    y = model(x).argmax(1)
    symmetry = image_symmetry("quarter-turns", (8, 8), 1)
    with pytest.raises(InputError, match=message):
        audit(model, (x, y), symmetry, settings=quick(probes=(probe,)))


def test_unknown_probes_and_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="unknown probes"):
        AuditSettings(probes=("spectrum",))
    with pytest.raises(InputError, match="size of memory"):
        AuditSettings(memory="much")


def test_a_model_without_parameters_has_no_gradient_probes(quick) -> None:
    x = torch.randn(24, 1, 8, 8, dtype=torch.float64)
    result = audit(
        nn.Identity(),
        (x, x + 0.1),
        image_symmetry("quarter-turns", (8, 8), 1, "same"),
        settings=quick(probes=("all",)),
    )
    assert "no gradients" in result.probes.left_out["landscape"]
    assert result.probes.equivariance is not None


def test_a_probe_that_fails_leaves_the_audit_alone(quick, monkeypatch) -> None:
    from goldstone.auditing import probes

    def fails(*_: object, **__: object) -> None:
        raise InputError("no landscape here")

    monkeypatch.setattr(probes, "loss_landscape", fails)
    monkeypatch.setattr(probes, "orbit_gram", fails)
    torch.manual_seed(0)
    model = Classifier().double()
    x = torch.randn(24, 1, 8, 8, dtype=torch.float64)
    y = model(x).argmax(1)
    symmetry = image_symmetry("quarter-turns", (8, 8), 1)
    asked = ("landscape", "stiffness", "orbit-metric")
    result = audit(model, (x, y), symmetry, settings=quick(probes=asked))
    assert result.probes.left_out == dict.fromkeys(asked[:2], "no landscape here")
    assert result.probes.orbit_metric is not None
    assert not {"landscape", "orbits"} & set(result.provenance.other_gradients)
