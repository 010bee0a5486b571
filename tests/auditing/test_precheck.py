"""What is verified, assumed and refused, and in which words."""

from dataclasses import dataclass, replace

import pytest
import torch

import goldstone
from goldstone.actions import (
    Context,
    Field,
    FieldLayout,
    PointAction,
    ShiftAction,
    Symmetry,
    flow_symmetry,
)
from goldstone.auditing.conventions import convention_checks, divergence_share
from goldstone.auditing.samples import Samples
from goldstone.core import InputError, SymmetryRefusedError
from goldstone.groups import DihedralGroup, GridTranslations
from goldstone.systems.losses import mse, scaled_mse


@pytest.fixture(scope="module")
def check(flows, perturbed_solver, network, quick):
    """Audits without gradients, for their precheck."""

    def run(data, symmetry, **options):
        euler = data.system == "compressible-euler"
        model = network("vit", data) if euler else perturbed_solver(data)
        settings = quick(metrics=(), rollout_steps=0, bootstrap=50)
        return goldstone.audit(model, data, symmetry, settings=settings, **options)

    return run


@pytest.mark.parametrize("name", ["c4", "d2", "d4", "shifts", "p4m", "translations", "boosts"])
def test_symmetries_of_navier_stokes_are_verified(flows, check, name):
    result = check(flows(), name)
    assert result.precheck.status == "verified"
    assert result.precheck.findings == ()
    assert max(c.violation for c in result.precheck.ground_truth) < 1e-13
    assert len(result.precheck.ground_truth) == len(result.elements) - 1
    assert max(result.precheck.law_errors.values()) < 1e-13
    assert not result.verdict.summary.startswith(result.precheck.statement)


@pytest.mark.parametrize(("name", "largest"), [("d4", 1e-12), ("shifts", 1e-12), ("boosts", 0.1)])
def test_symmetries_of_euler_are_verified(flows, check, name, largest):
    result = check(flows("riemann"), name)
    assert result.precheck.status == "verified"
    assert max(c.violation for c in result.precheck.ground_truth) < largest


def test_a_grid_that_is_not_square(flows, check):
    data = flows(grid=(16, 24))
    assert check(data, "d2").precheck.status == "verified"
    assert check(data, "shifts").precheck.status == "verified"
    with pytest.raises(InputError, match=r"square grid, got 16×24.*'d2'"):
        check(data, "d4")


def test_reversed_velocity_is_refused_and_named(flows, check):
    with pytest.raises(SymmetryRefusedError, match="reverses the velocity") as raised:
        check(flows(), "reversed-d4")
    # r² and the axis reflections are not reversed.
    assert "r, r³, sr, sr³: the ground truth" in str(raised.value)


def test_a_refused_symmetry_can_be_forced(flows, check):
    result = check(flows(), "reversed-d4", force=True)
    assert result.precheck.status == "refused"
    assert result.precheck.forced
    assert result.verdict.summary.startswith("reversed-d4 is NOT a symmetry")
    assert {c.name for c in result.precheck.ground_truth if not c.passes} == {
        "r",
        "r³",
        "sr",
        "sr³",
    }
    # The error of reversed flow against that of a model of a few per cent.
    for name in ("r", "r³", "sr", "sr³"):
        assert result.element(name).log_loss_ratio.low > 2
        assert result.element(name).holds == "no"


SCALARS = FieldLayout((Field("u", "scalar"), Field("v", "scalar")))
WRONG = {
    "components swapped": Field("velocity", "velocity", axes=(1, 0)),
    "second component mirrored": Field("velocity", "velocity", signs=(1, -1)),
    "swapped, second mirrored": Field("velocity", "velocity", axes=(1, 0), signs=(1, -1)),
}


@pytest.mark.parametrize("name", ["d4", "p4m"])
def test_unrotated_vectors_are_refused_and_named(flows, check, name):
    data = replace(flows(), layout=SCALARS)
    with pytest.raises(SymmetryRefusedError, match=r"'u' and 'v' turn with the grid as a vector"):
        check(data, name)
    with pytest.raises(SymmetryRefusedError, match=r"u and v as scalars.*must turn with the grid"):
        check(data, name, ground_truth=None)


@pytest.mark.parametrize("name", WRONG)
def test_misread_components_are_refused_and_named(flows, check, name):
    data = replace(flows(), layout=FieldLayout((WRONG[name],)))
    words = name.replace("swapped, second", "swapped with the second component")
    with pytest.raises(SymmetryRefusedError, match=words) as raised:
        check(data, "d4")
    assert "mend 'axes' or 'signs'" in str(raised.value)
    with pytest.raises(SymmetryRefusedError, match=rf"divergence of velocity.*{name}"):
        check(data, "d4", ground_truth=None)


def test_a_reversed_declaration_is_seen_in_the_data(flows, check):
    field = Field("velocity", "velocity", signs=(-1, -1))
    data = replace(flows(), layout=FieldLayout((field,)))
    with pytest.raises(SymmetryRefusedError, match=r"transport by velocity.*velocity reversed"):
        check(data, "d4", ground_truth=None)


@pytest.mark.parametrize(
    ("momentum", "words"),
    [
        ({"axes": (1, 0)}, "components swapped"),
        ({"signs": (1, -1)}, "second component mirrored"),
        ({"signs": (-1, -1)}, "momentum reversed"),
    ],
)
def test_continuity_tells_how_a_momentum_is_read(flows, check, momentum, words):
    fields = (Field("rho", "density"), Field("m", "momentum", **momentum), Field("E", "energy"))
    data = replace(flows("riemann"), layout=FieldLayout(fields))
    with pytest.raises(SymmetryRefusedError, match=rf"continuity with m.*{words}"):
        check(data, "d4", ground_truth=None)


def test_channels_in_another_order_are_named_by_the_solver(flows, check):
    fields = (Field("m", "momentum"), Field("rho", "density"), Field("E", "energy"))
    data = replace(flows("riemann"), layout=FieldLayout(fields))
    with pytest.raises(InputError, match=r"does not take the data moved by r.*order of the chann"):
        check(data, "d4")


def test_without_a_solver_the_symmetry_is_assumed_and_that_is_said_first(flows, check):
    for result in (
        check(flows(), "d4", ground_truth=None),
        check(replace(flows(), system="unknown"), "d4"),
    ):
        assert result.precheck.status == "assumed"
        assert result.precheck.ground_truth == ()
        assert result.verdict.summary.startswith("d4 is ASSUMED to be a symmetry of the data")


def pairs(x):
    return Samples(x, x, torch.arange(len(x)), Context(dt=0.1))


def test_fields_without_structure_are_not_judged():
    """Uniform channels, still water and gradient fields are no misread velocities."""
    x = torch.zeros(6, 2, 8, 8)
    x[:, 1] = 3.0
    scalars = FieldLayout((Field("a", "scalar"), Field("b", "scalar")))
    assert convention_checks(pairs(x), scalars) == ()
    velocity = FieldLayout((Field("u", "velocity"),))
    assert convention_checks(pairs(x), velocity) == ()
    # ∇φ is divergence-free when turned by 90°, and rightly declared.
    noise = torch.randn(6, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    k = 2j * torch.pi * torch.fft.fftfreq(16, 1 / 16, dtype=torch.float64)
    k[8] = 0
    potential = torch.fft.fft2(noise)
    gradient = torch.stack([potential * k[:, None], potential * k], 1)
    gradient = torch.fft.ifft2(gradient).real
    force = Field("force", "vector")
    assert divergence_share(gradient, replace(force, axes=(1, 0), signs=(1, -1)), pairs(x)) < 1e-13
    assert convention_checks(pairs(gradient), FieldLayout((force,))) == ()


def test_the_divergence_share_of_known_fields():
    point = torch.arange(16, dtype=torch.float64) * 2 * torch.pi / 16
    x, y = point[:, None], point[None, :]
    field = Field("u", "velocity")
    # (−sin x cos y, cos x sin y) is divergence-free; (sin x, 0) is nothing but divergence.
    flow = torch.stack([-x.sin() * y.cos(), x.cos() * y.sin()])[None]
    assert divergence_share(flow, field, pairs(flow)) < 1e-14
    wave = torch.stack([x.sin() + 0 * y, 0 * x * y])[None]
    assert divergence_share(wave, field, pairs(wave)) == pytest.approx(1.0)
    swapped = Field("u", "velocity", axes=(1, 0))
    assert divergence_share(flow.flip(1), swapped, pairs(flow)) < 1e-14


@dataclass(frozen=True)
class Grows:
    """No action: every element stretches the field a little."""

    def act(self, element, x, context):
        return x if element == (0, 0) else 1.1 * x.roll(element, (-2, -1))


@dataclass(frozen=True)
class Crops:
    def act(self, element, x, context):
        return x if element == (0, 0) else x[..., 1:]


def shifts_with(action, data, **where):
    actions = {"on_input": ShiftAction(), "on_output": ShiftAction()} | dict.fromkeys(where, action)
    return Symmetry("mine", GridTranslations(data.grid), elements=((1, 0), (0, 1)), **actions)


@pytest.mark.parametrize("where", ["on_input", "on_output", "on_target"])
def test_what_is_no_action_is_refused(flows, check, where):
    data = flows()
    with pytest.raises(InputError, match=f"{where} of 'mine' breaks the laws of an action"):
        check(data, shifts_with(Grows(), data, **{where: True}))
    with pytest.raises(InputError, match=f"{where} of 'mine' changes the shape"):
        check(data, shifts_with(Crops(), data, **{where: True}))


def test_an_action_of_other_channels_is_refused(flows, check):
    data, group = flows(), DihedralGroup(4)
    action = PointAction(group, FieldLayout((Field("density", "density"),)))
    with pytest.raises(InputError, match=r"acts on 1 channels.*the data have 2"):
        check(data, Symmetry("d4", group, action, action))


def test_a_loss_of_the_batch_is_refused(flows, check):
    with pytest.raises(InputError, match=r"one number per sample, shape \(4,\), got \(\)"):
        check(flows(), "d4", loss=lambda p, t: (p - t).square().mean())


def test_a_loss_that_is_not_invariant_leaves_transports_open(flows, perturbed_solver, quick):
    data = flows()
    settings = quick(metrics=("euclidean",), rollout_steps=0)
    found = {
        loss: goldstone.audit(perturbed_solver(data), data, "boosts", loss=loss, settings=settings)
        for loss in (mse, scaled_mse)
    }
    assert found[mse].precheck.loss_is_invariant
    assert found[mse].verdict.transports.answer == "yes"
    assert not found[scaled_mse].precheck.loss_is_invariant
    assert max(found[scaled_mse].precheck.loss_invariance.values()) > 0.1
    for element in found[scaled_mse].elements:
        assert element.holds == "yes"
        assert element.transports == "undetermined"
        assert element.reason.startswith("loss not invariant")
    assert "loss not invariant" in found[scaled_mse].verdict.summary


def test_losses_are_invariant_under_the_point_group(flows, check):
    assert max(check(flows(), "d4").precheck.loss_invariance.values()) < 1e-12


def test_a_loss_that_is_declared_not_invariant_is_believed(flows, check):
    data = flows()
    symmetry = replace(flow_symmetry("d4", data.layout, data.grid), fixes_loss=False)
    assert not check(data, symmetry).precheck.loss_is_invariant


def test_a_short_name_needs_to_know_the_fields(flows, check, perturbed_solver):
    data = flows()
    x, y, _ = data.transitions()
    with pytest.raises(InputError, match="short name 'd4' needs to know"):
        goldstone.audit(perturbed_solver(data), (x, y), "d4")
    with pytest.raises(InputError, match="unknown symmetry 'd5'"):
        check(data, "d5")
    with pytest.raises(InputError, match=r"advance.* needs trajectories"):
        goldstone.audit(
            perturbed_solver(data),
            (x, y),
            flow_symmetry("d4", data.layout, data.grid),
            ground_truth=perturbed_solver(data).solver,
        )


def _reproduction(result):
    return next(c for c in result.precheck.conventions if c.name.startswith("the ground truth's"))


def test_the_solver_makes_the_same_step_as_the_data(flows, check):
    assert _reproduction(check(flows(), "d4")).declared < 1e-5


def test_swapped_channels_are_caught_though_the_solver_commutes(flows, check):
    """The solver is symmetric in any state: only its step on the data tells they are misread."""
    data = flows()
    swapped = replace(data, fields=data.fields.flip(2))
    with pytest.raises(SymmetryRefusedError, match=r"components swapped.*step on the data"):
        check(swapped, "d4")


def test_a_wrong_time_step_is_caught_by_the_solver(flows, check):
    data = flows()
    with pytest.raises(SymmetryRefusedError, match="step on the data"):
        check(replace(data, dt=3 * data.dt), "shifts")


def test_a_solver_that_reproduces_the_data_overrules_their_statistics():
    """Heat flow of a gradient field: curl-free, which looks like a misread velocity."""
    source = torch.Generator().manual_seed(0)
    potential = torch.randn(12, 16, 16, generator=source, dtype=torch.float64)
    modes = torch.fft.fftfreq(16, 1 / 16, dtype=torch.float64)
    square = modes[:, None] ** 2 + modes**2
    spectrum = torch.fft.fft2(potential) * torch.exp(-square / 8)
    axes = (2j * torch.pi * modes[:, None], 2j * torch.pi * modes[None, :])
    velocity = torch.stack([torch.fft.ifft2(spectrum * wave).real for wave in axes], 1)

    def decay(x):
        return torch.fft.ifft2(torch.fft.fft2(x) * torch.exp(-square / 40)).real

    layout = FieldLayout((Field("velocity", "velocity"),))
    symmetry = flow_symmetry("d4", layout, (16, 16))
    model = torch.nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular").double()
    settings = goldstone.AuditSettings(metrics=(), rollout_steps=0, bootstrap=50)
    pair = (velocity, decay(velocity))
    with pytest.raises(SymmetryRefusedError, match="divergence of velocity"):
        goldstone.audit(model, pair, symmetry, settings=settings)
    result = goldstone.audit(model, pair, symmetry, settings=settings, ground_truth=decay)
    assert result.precheck.status == "verified"
    assert not all(c.passes for c in result.precheck.conventions)


def test_shifts_do_not_ask_what_the_channels_are(flows, check):
    data = replace(flows(), layout=SCALARS, system="unknown")
    result = check(data, "shifts")
    assert result.precheck.status == "assumed"
    assert "0 of 1 convention checks" in result.precheck.statement
