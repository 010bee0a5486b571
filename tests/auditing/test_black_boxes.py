"""Plain functions of tensors under audit: inference sessions, other frameworks, servers."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from goldstone import AuditSettings, audit
from goldstone.actions import image_symmetry
from goldstone.auditing import AuditResult, equivariance_errors, lie_derivative
from goldstone.core import InputError, trees

SETTINGS = AuditSettings(
    trajectories=12, samples=8, reference=2, rollout_steps=2, bootstrap=200, permutations=200
)
TURNS = image_symmetry("quarter-turns", (6, 6), 1, "same")


def pairs(n=24, dtype=torch.float32):
    x = torch.randn(n, 1, 6, 6, generator=torch.Generator().manual_seed(0)).to(dtype)
    return x, smooth(x)


def smooth(x):
    return (x.roll(1, 2) + x.roll(-1, 2) + x.roll(1, 3) + x.roll(-1, 3)) / 4


def session(x):
    """A numpy program that rounds to float32, as an exported network does."""
    values = x.numpy().astype(np.float32)
    shifted = [np.roll(values, step, axis) for axis in (2, 3) for step in (1, -1)]
    return torch.from_numpy(sum(shifted) * np.float32(0.26))


def uneven(x):
    """Wrong by second differences along one axis: half turns hold, quarter turns do not."""
    return 1.1 * smooth(x) + 0.1 * (2 * x - x.roll(1, 3) - x.roll(-1, 3))


def run(model, data=None, **arguments):
    return audit(model, data or pairs(), TURNS, **({"settings": SETTINGS} | arguments))


def test_a_function_gets_forward_probes_and_says_so():
    result = run(session)
    assert result.model.name == "session"
    assert (result.model.parameters, result.model.trainable) == (0, 0)
    assert result.model.has_skill
    assert result.verdict.holds.answer == "yes"
    assert all(e.grade == "exact" for e in result.elements)
    assert result.verdict.transports.answer == "undetermined"
    black_box = "the model is a plain function, a black box without gradients"
    assert result.provenance.gradient_path == f"none: {black_box}"
    assert result.provenance.gradients == 0
    assert result.provenance.weights_sha256 == "none"
    assert (result.provenance.device, result.provenance.dtype) == ("cpu", "float32")
    for element in result.elements[1:]:
        assert black_box in element.reason
        assert element.orbit_coherence == {}
        assert len(element.rollout_equivariance_error) == 2
    assert black_box in result.verdict.summary


def test_what_is_broken_is_found():
    x = pairs()[0]
    striped = x[..., :1] + 0.1 * x  # where it is wrong there is little to see, until it is turned
    result = run(uneven, (striped, smooth(striped)))
    assert [e.holds for e in result.elements] == ["yes", "no", "yes", "no"]
    assert result.elements[2].grade == "exact"
    assert [h.order for h in result.verdict.holds.residual_low] == [2]


def test_it_is_the_same_as_the_module_that_it_calls():
    class Smooth(nn.Module):
        def forward(self, x):
            return uneven(x)

    model = Smooth()
    for function in (model.forward, lambda x: model(x)):
        assert run(function).elements[1].log_loss_ratio == run(model).elements[1].log_loss_ratio


def test_it_is_saved_and_read_back(tmp_path):
    result = run(session)
    result.save(tmp_path)
    assert AuditResult.load(tmp_path) == result


def test_the_place_is_that_of_the_data():
    result = run(smooth, pairs(dtype=torch.float64))
    assert result.provenance.dtype == "float64"
    assert result.model.numerical_floor < 1e-14
    # One that rounds to float32 all the same is held to no more than that.
    assert run(session, pairs(dtype=torch.float64)).verdict.holds.answer == "yes"


class Server:
    """Callable, and impossible to copy."""

    def __call__(self, x):
        return smooth(x)

    def __deepcopy__(self, memo):
        raise TypeError("cannot copy a connection")


def test_names():
    assert run(Server()).model.name == "Server"
    assert run(partial(session)).model.name == "session"
    assert run(lambda x: smooth(x)).model.name == "<lambda>"
    assert run(smooth, name="the API").model.name == "the API"


def test_dicts_in_and_out():
    def forces(points, mass):
        return {"force": (points - points.mean(1, keepdim=True)) * mass}

    from goldstone.actions import Symmetry, TreeAction
    from goldstone.actions.named_points import set_symmetry

    moves = set_symmetry(5, invariant=False)
    source = torch.Generator().manual_seed(0)
    inputs = {
        "points": torch.randn(24, 5, 3, generator=source),
        "mass": torch.rand(24, 5, 1, generator=source),
    }
    symmetry = Symmetry(
        "permutations",
        moves.group,
        TreeAction({"points": moves.on_input, "mass": moves.on_input}),
        TreeAction({"force": moves.on_output}),
        elements=moves.elements,
    )
    targets = trees.map_leaves(lambda t: 1.01 * t, forces(**inputs))

    def loss(prediction, target):
        return (prediction["force"] - target["force"]).square().flatten(1).mean(1)

    result = audit(forces, (inputs, targets), symmetry, loss=loss, settings=SETTINGS)
    assert result.verdict.holds.answer == "yes"


def test_what_is_asked_of_its_gradients_is_refused_by_name():
    probing = AuditSettings(**(vars(SETTINGS) | {"probes": ("landscape",)}))
    with pytest.raises(InputError, match=r"'landscape' does not apply: .*black box"):
        run(session, settings=probing)
    every = AuditSettings(**(vars(SETTINGS) | {"probes": ("all",)}))
    found = run(session, settings=every).probes
    assert "black box" in found.left_out["landscape"]
    assert found.equivariance is not None


def test_probes_that_stand_alone_take_it_too():
    x = pairs()[0]
    assert all(e.error.estimate < 1e-6 for e in equivariance_errors(session, x, TURNS).elements)
    shifts = image_symmetry("shifts", (6, 6), 1, "same", "fourier", "periodic")
    assert all(d.error.estimate < 1e-6 for d in lie_derivative(session, x, shifts).directions)


BAD = {
    "numpy out": (lambda x: x.numpy(), "got a ndarray; wrap"),
    "None": (lambda x: None, "got a NoneType"),
    "noise": (lambda x: smooth(x) + torch.randn(x.shape), "stochastic"),
    "one argument too many": (lambda x, y: x, "fails on inputs .*missing 1 required"),
    "overwrites": (lambda x: x.mul_(2), "in place"),
}


@pytest.mark.parametrize("kind", BAD)
def test_functions_that_cannot_be_audited(kind):
    function, message = BAD[kind]
    with pytest.raises(InputError, match=message):
        run(function)


class SessionError(Exception):
    """As inference sessions have, derived from nothing more special."""


def float_only(x):
    if x.dtype != torch.float32:
        raise SessionError("expected tensor(float)")
    return smooth(x)


def test_a_session_that_takes_one_precision_alone_is_audited():
    result = run(float_only)
    assert result.model.numerical_floor == torch.finfo(torch.float32).eps
    assert result.element("r").holds == "yes"
