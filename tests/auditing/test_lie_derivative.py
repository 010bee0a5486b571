"""Lie derivatives of models, end to end and by layer."""

import dataclasses
import json
from math import pi
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    Context,
    FourierTranslation,
    GalileanBoost,
    LinearAction,
    Symmetry,
    TreeAction,
    TrivialAction,
    flow_symmetry,
    image_symmetry,
    point_cloud_symmetry,
)
from goldstone.auditing import (
    LieDerivative,
    LieDerivativeByLayer,
    lie_derivative,
    lie_derivative_by_layer,
    lie_derivative_vectors,
)
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import AdditiveGroup, SpecialOrthogonalGroup, TorusGroup

GRID = (12, 12)
SHIFTS = flow_symmetry("translations", NAVIER_STOKES_FIELDS, GRID)
TURNS = image_symmetry("rotations", GRID, NAVIER_STOKES_FIELDS, "same")


def noise(samples: int = 5, channels: int = 2, seed: int = 0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(samples, channels, *GRID, generator=source, dtype=torch.float64)


def conv(a: int, b: int, stride: int = 1, mode: str = "circular") -> nn.Conv2d:
    return nn.Conv2d(a, b, 3, stride, 1, padding_mode=mode).double()


def three_layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(conv(2, 6), nn.Tanh(), conv(6, 2))


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.a, self.b, self.act = conv(width, width), conv(width, width), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(x + self.b(self.act(self.a(x))))


class Residual(nn.Module):
    """Strides, residual additions, changes in place, pooling and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.one, self.down = conv(2, 6), Block(6), conv(6, 8, 2)
        self.two, self.head = Block(8), nn.Linear(8, 3).double()

    def forward(self, x: Tensor) -> Tensor:
        x = self.two(self.down(self.one(self.stem(x))))
        x += 0.1
        return self.head(functional.relu(x, inplace=True).mean((2, 3)))


INVARIANT_SHIFTS = image_symmetry(
    "shifts", GRID, 2, "invariant", mode="fourier", boundary="periodic"
)


def slow_derivative(model: Any, x: Tensor, symmetry: Symmetry, direction: tuple[float, ...]):
    """d/dt ρ_out(exp(−tX)) f(ρ_in(exp(tX)) x) as its definition has it, by differences."""
    context, h = Context(), 1e-4

    def at(t: float) -> Tensor:
        there = symmetry.group.exp(tuple(t * c for c in direction))
        back = symmetry.group.exp(tuple(-t * c for c in direction))
        return symmetry.on_output.act(
            back, model(symmetry.on_input.act(there, x, context)), context.at(1)
        )

    with torch.no_grad():
        return ((at(h) - at(-h)) / (2 * h)).flatten(1)


def value(statistic: Any) -> float:
    assert statistic.estimate is not None
    return float(statistic.estimate)


# End to end


def test_equivariant_models_have_none() -> None:
    for model in (nn.Identity(), conv(2, 2), lambda x: x**1):
        found = lie_derivative(model, noise(), SHIFTS)
        assert [d.coordinates for d in found.directions] == [(1.0, 0.0), (0.0, 1.0)]
        for direction in found.directions:
            assert value(direction.error) < 1e-25
            assert value(direction.relative_to_motion) < 1e-12


def test_a_nonlinearity_on_white_noise_has_one() -> None:
    found = lie_derivative(nn.Tanh(), noise(), SHIFTS).directions[0]
    assert value(found.error) > 0.01
    assert value(found.relative_to_motion) > 0.05
    assert found.error.low is not None
    assert 0 < found.error.low < value(found.error)


def test_of_smooth_fields_the_nonlinearity_has_little() -> None:
    spectrum = torch.fft.rfft2(noise())
    spectrum[..., 2:-1, :] = 0
    spectrum[..., 2:] = 0
    smooth = 0.3 * torch.fft.irfft2(spectrum, s=GRID)
    found = lie_derivative(nn.Tanh(), smooth, SHIFTS).directions[0]
    assert value(found.relative_to_motion) < 1e-3


@pytest.mark.parametrize(
    ("symmetry", "direction"),
    [
        (SHIFTS, (1.0, -0.4)),
        (TURNS, (1.0,)),
        (flow_symmetry("boosts", NAVIER_STOKES_FIELDS, GRID), (0.3, 0.2)),
    ],
)
def test_it_is_the_derivative_of_its_definition(symmetry, direction) -> None:
    model, x = three_layers(), noise(3)
    expected = slow_derivative(model, x, symmetry, direction)
    for way in ("forward-mode", "double-backward", "finite-differences"):
        found = lie_derivative_vectors(model, x, symmetry, direction, way=way)
        assert float((found - expected).norm() / expected.norm()) < 2e-5


def test_forward_mode_and_double_backward_agree() -> None:
    model, x = three_layers(), noise()
    a = lie_derivative_vectors(model, x, SHIFTS, (1.0, 0.3), way="forward-mode")
    b = lie_derivative_vectors(model, x, SHIFTS, (1.0, 0.3), way="double-backward")
    assert float((a - b).norm() / a.norm()) < 1e-12


def test_vector_fields_turn_with_the_grid() -> None:
    # A turn of (u, v) at every point commutes with turns of vectors, and not of scalars.
    def half_turned(x: Tensor) -> Tensor:
        return torch.stack((-x[:, 1], x[:, 0]), 1)

    scalars = image_symmetry("rotations", GRID, 2, "same")
    first = Symmetry("x alone", TURNS.group, TURNS.on_input, TURNS.on_output)
    assert value(lie_derivative(half_turned, noise(), TURNS).directions[0].error) < 1e-20
    mixed = Symmetry("mixed", TURNS.group, first.on_input, scalars.on_output)
    assert value(lie_derivative(half_turned, noise(), mixed).directions[0].error) > 0.1


def test_a_known_value() -> None:
    # f(x) = (x₀, 0) of vectors in the plane: L = J X x − X f = (−x₁, −x₀), so LEE = |x|²/2.
    turns = SpecialOrthogonalGroup(2)
    from goldstone.representations import StandardRepresentation

    action = LinearAction(StandardRepresentation(turns))
    x = torch.randn(7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = lie_derivative(
        lambda x: x * x.new_tensor([1.0, 0.0]), x, Symmetry("so2", turns, action, action)
    )
    assert found.outputs == 2
    assert found.directions[0].samples == pytest.approx((x.square().sum(1) / 2).tolist())
    assert value(found.directions[0].error) == pytest.approx(float(x.square().sum(1).mean()) / 2)


def test_point_clouds_and_their_energies() -> None:
    x = torch.randn(4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    so3 = point_cloud_symmetry("so3", 5)
    for direction in lie_derivative(lambda x: torch.cdist(x, x), x, so3).directions:
        assert value(direction.error) < 1e-20
    for direction in lie_derivative(lambda x: x.abs().sum(-1), x, so3).directions:
        assert value(direction.error) > 0.1


class Step(torch.autograd.Function):
    """exp, without a forward-mode derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * ctx.saved_tensors[0].exp()


def test_fallbacks_are_taken_and_reported() -> None:
    x = noise()
    expected = lie_derivative(torch.exp, x, SHIFTS).directions[0]
    assert expected.way == "forward-mode"
    backward = lie_derivative(Step.apply, x, SHIFTS).directions[0]
    assert backward.way == "double-backward"
    # Leaves torch, so that automatic derivatives would be zero without a word.
    outside = lie_derivative(
        lambda x: torch.from_numpy(x.detach().exp().numpy()), x, SHIFTS
    ).directions[0]
    assert outside.way == "finite-differences"
    assert outside.model_step_error < 1e-6
    for found in (backward, outside):
        assert value(found.error) == pytest.approx(value(expected.error), rel=1e-6)


def test_an_action_whose_derivative_is_lost_is_differenced() -> None:
    class Detached:
        def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
            plain = element.detach() if isinstance(element, Tensor) else element
            return FourierTranslation().act(plain, x, context)

    symmetry = dataclasses.replace(SHIFTS, on_input=Detached(), on_output=Detached())
    found = lie_derivative(three_layers(), noise(), symmetry).directions[0]
    assert found.input_method == "finite-differences"
    assert found.input_disagreement == pytest.approx(1.0)
    expected = lie_derivative(three_layers(), noise(), SHIFTS).directions[0]
    assert value(found.error) == pytest.approx(value(expected.error), rel=1e-8)


def test_bilinear_resampling_has_a_kink_and_says_so() -> None:
    kinked = image_symmetry("rotations", GRID, 2, "same", mode="bilinear")
    found = lie_derivative(nn.Tanh(), noise(), kinked).directions[0]
    assert found.input_method == "finite-differences"
    assert found.input_disagreement is not None
    assert found.input_disagreement > 0.5
    parity = lie_derivative(nn.Tanh(), noise(), kinked, derivative="forward-mode").directions[0]
    assert parity.input_method == "forward-mode"
    assert abs(value(parity.error) / value(found.error) - 1) > 0.2
    layers = lie_derivative_by_layer(
        nn.Sequential(nn.Tanh(), nn.Tanh()), noise(), kinked, (1.0,),
        derivative="forward-mode", exact=True,
    )  # fmt: skip
    # Were the hidden layer differentiated otherwise, its share would be another.
    assert value(layers.layers[0].local) == pytest.approx(value(parity.error))


def test_actions_that_are_not_the_identity_at_zero_are_refused() -> None:
    class Stretch:
        def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
            return 1.1 * x

    with pytest.raises(InputError, match="at the identity"):
        lie_derivative(nn.Tanh(), noise(), dataclasses.replace(SHIFTS, on_output=Stretch()))


def test_trees_dtypes_and_sizes() -> None:
    shift = FourierTranslation()
    parts = TreeAction({"field": shift, "label": TrivialAction()})
    symmetry = Symmetry("t", SHIFTS.group, parts, TreeAction((shift, shift)))

    def model(field: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        return field * (1 + label[:, None, None, None]), field.tanh()

    inputs = {"field": noise().float(), "label": torch.arange(5)}
    found = lie_derivative(model, inputs, symmetry, batch=2)
    assert found.outputs == 2 * 2 * 12 * 12
    alone = lie_derivative(nn.Tanh(), noise().float(), SHIFTS)
    for a, b in zip(found.directions, alone.directions, strict=True):
        assert 2 * value(a.error) == pytest.approx(value(b.error), rel=1e-4)


def test_complex_states() -> None:
    # Phases of a complex field: |ψ|²ψ commutes with them, ψ² does not: L = 2iψ² − iψ².
    turns = TorusGroup((2 * pi,))

    class Phase:
        def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
            angle = torch.as_tensor(element, dtype=torch.float64)[0]
            return x * torch.exp(1j * angle)

    symmetry = Symmetry("u1", turns, Phase(), Phase())
    psi = torch.randn(4, 6, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    kept = lie_derivative(lambda p: p.abs().square() * p, psi, symmetry).directions[0]
    assert value(kept.error) < 1e-20
    lost = lie_derivative(lambda p: p.square(), psi, symmetry).directions[0]
    assert value(lost.error) == pytest.approx(float(psi.abs().pow(4).mean()) / 2)
    back = lie_derivative(lambda p: p.square(), psi, symmetry, way="double-backward").directions[0]
    assert value(back.error) == pytest.approx(value(lost.error))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    exact = lie_derivative(three_layers(), noise(), SHIFTS).directions[0]
    half, x = three_layers().to(dtype), noise().to(dtype)
    found = lie_derivative(half, x, SHIFTS).directions[0]
    assert value(found.relative_to_motion) == pytest.approx(
        value(exact.relative_to_motion), rel=0.02
    )
    layers = lie_derivative_by_layer(half, x, SHIFTS, (1.0, 0.0), probes=1)
    assert layers.chain_rule_error < 0.01


def test_chunks_trajectories_and_json() -> None:
    model, x = three_layers(), noise(6)
    whole = lie_derivative(model, x, SHIFTS, batch=6)
    parts = lie_derivative(model, x, SHIFTS, batch=1)
    for a, b in zip(whole.directions, parts.directions, strict=True):
        assert value(a.error) == pytest.approx(value(b.error))
        assert a.error.low == pytest.approx(b.error.low)
    paired = lie_derivative(model, x, SHIFTS, trajectory=torch.tensor([0, 0, 1, 1, 4, 4]))
    assert paired.directions[0].error.n == 3
    assert from_json(LieDerivative, json.loads(json.dumps(to_json(whole)))) == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symmetry": flow_symmetry("c4", NAVIER_STOKES_FIELDS, GRID)}, "not one"),
        ({"directions": [(1.0,)]}, "2 finite coordinates"),
        ({"directions": []}, "got none"),
        ({"derivative": "guess"}, "unknown derivative"),
        ({"inputs": noise() * torch.nan}, "finite"),
        ({"inputs": noise(0)}, "one or more samples"),
        ({"model": nn.Dropout()}, "training mode"),
        ({"model": lambda x: x - x.mean(0)}, "other samples"),
        ({"trajectory": torch.arange(3)}, "trajectory for each"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"model": nn.Tanh(), "inputs": noise(), "symmetry": SHIFTS}
    with pytest.raises(InputError, match=message):
        lie_derivative(**(arguments | change))


def state_of(model: nn.Module) -> list[Any]:
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    modes = [m.training for m in model.modules()]
    gradients = [(p.requires_grad, p.grad) for p in model.parameters()]
    values = [t.clone() for t in (*model.parameters(), *model.buffers())]
    return [
        hooks,
        modes,
        gradients,
        torch.get_rng_state().tolist(),
        values,
        torch.backends.mha.get_fastpath_enabled(),
    ]


def assert_unchanged(before: list[Any], after: list[Any]) -> None:
    assert before[:2] == after[:2]
    assert before[3] == after[3]
    assert before[5] == after[5]
    for (r, g), (s, h) in zip(before[2], after[2], strict=True):
        assert r == s
        assert g is h
    assert all(torch.equal(a, b) for a, b in zip(before[4], after[4], strict=True))


def test_the_model_is_left_as_found() -> None:
    model = Residual().train()
    model.one.a.weight.requires_grad_(False)
    model.head.weight.grad = torch.ones_like(model.head.weight)
    before = state_of(model)
    lie_derivative(model, noise(), INVARIANT_SHIFTS)
    lie_derivative_by_layer(model, noise(), INVARIANT_SHIFTS, (1.0, 0.0), probes=2)
    lie_derivative_by_layer(model, noise(), INVARIANT_SHIFTS, (1.0, 0.0), exact=True)
    assert_unchanged(before, state_of(model))


class Failing(nn.Module):
    """Fails at its n-th call."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.layer, self.calls = nn.Tanh(), calls

    def forward(self, x: Tensor) -> Tensor:
        self.calls -= 1
        if self.calls < 0:
            raise ArithmeticError("enough")
        return self.layer(x)


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
def test_the_model_is_left_as_found_after_a_failure(share: float) -> None:
    model = Failing(1000)
    lie_derivative_by_layer(model, noise(), SHIFTS, (1.0, 0.0), probes=1)
    model.calls = int(share * (1000 - model.calls))
    before = state_of(model)
    with pytest.raises(ArithmeticError, match="enough"):
        lie_derivative_by_layer(model, noise(), SHIFTS, (1.0, 0.0), probes=1)
    assert_unchanged(before, state_of(model))


# By layer


@pytest.mark.parametrize(
    ("make", "symmetry", "direction"),
    [
        (three_layers, SHIFTS, (1.0, 0.3)),
        (three_layers, TURNS, (1.0,)),
        (Residual, INVARIANT_SHIFTS, (0.2, 1.0)),
        (Residual, image_symmetry("rotations", GRID, 2), (1.0,)),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_layers_sum_to_the_whole(make, symmetry, direction, exact) -> None:
    model, x = make(), noise()
    found = lie_derivative_by_layer(model, x, symmetry, direction, exact=exact, probes=2, batch=2)
    whole = lie_derivative(model, x, symmetry, [direction]).directions[0]
    assert found.chain_rule_error < 1e-12
    total = sum(value(layer.contribution) for layer in found.layers)
    assert total == pytest.approx(value(whole.error), rel=1e-9)
    assert value(found.error) == pytest.approx(value(whole.error), rel=1e-9)


def test_who_breaks_shifts() -> None:
    found = lie_derivative_by_layer(Residual(), noise(), INVARIANT_SHIFTS, (1.0, 0.0), exact=True)
    layers = {layer.name: layer for layer in found.layers}
    assert list(layers) == [
        "stem", "one.a", "one.act", "one.b", "one: add", "one: gelu", "down", "two.a", "two.act",
        "two.b", "two: add", "two: gelu", "add", "relu", "head",
    ]  # fmt: skip
    breaks = {name for name, layer in layers.items() if value(layer.error) > 1e-20}
    # Nonlinearities and the stride alias; convolutions, additions and the mean do not. The last
    # ReLU follows a GELU's smallest value, −0.17, raised by 0.1: it may or may not cut.
    assert {"one.act", "one: gelu", "down", "two.act", "two: gelu"} <= breaks
    assert not breaks & {
        "stem",
        "one.a",
        "one.b",
        "one: add",
        "two.a",
        "two.b",
        "two: add",
        "add",
        "head",
    }
    assert layers["head"].source == "output"
    assert layers["down"].source == "inferred"


def test_probes_find_the_exact_norms() -> None:
    x = noise(40)
    exact = lie_derivative_by_layer(three_layers(), x, TURNS, (1.0,), exact=True)
    probed = lie_derivative_by_layer(three_layers(), x, TURNS, (1.0,), probes=16)
    assert probed.probes == 16
    assert exact.probes == 0
    for a, b in zip(probed.layers, exact.layers, strict=True):
        assert a.name == b.name
        assert a.error.low is not None
        assert a.error.high is not None
        assert value(a.contribution) == pytest.approx(value(b.contribution), rel=1e-9)
        assert value(a.local) == pytest.approx(value(b.local), rel=1e-9)
        # 640 probes each: 1 % to 7 % off, by the roughness of C_l.
        assert value(a.error) == pytest.approx(value(b.error), rel=0.2)
        assert a.error.low < value(b.error) < a.error.high


def test_probes_do_not_depend_on_the_batch() -> None:
    one, five = (
        lie_derivative_by_layer(three_layers(), noise(), SHIFTS, (1.0, 0.0), probes=3, batch=b)
        for b in (1, 5)
    )
    for a, b in zip(one.layers, five.layers, strict=True):
        assert value(a.error) == pytest.approx(value(b.error), rel=1e-9, abs=1e-25)


def test_declared_layers_and_merged_ones() -> None:
    # Velocity in, velocity out: with the hidden layer's own action declared, a pointwise
    # equivariant network has no error anywhere; taken for scalars, its parts have, which cancel.
    model = nn.Sequential(nn.Identity(), nn.Identity())
    inferred = lie_derivative_by_layer(model, noise(), TURNS, (1.0,), exact=True)
    assert value(inferred.error) < 1e-20
    symmetry = dataclasses.replace(TURNS, on_layers={"0": TURNS.on_input})
    declared = lie_derivative_by_layer(model, noise(), symmetry, (1.0,), exact=True)
    assert all(value(layer.error) < 1e-20 for layer in declared.layers)
    merged = lie_derivative_by_layer(
        three_layers(), noise(), SHIFTS, (1.0, 0.0), infer=False, exact=True
    )
    assert merged.merged == ("0", "1")
    assert [layer.name for layer in merged.layers] == ["2"]
    assert value(merged.layers[0].contribution) == pytest.approx(value(merged.error))
    wrong = dataclasses.replace(TURNS, on_layers={"nowhere": TURNS.on_input})
    with pytest.raises(InputError, match="no layer of the model is called nowhere"):
        lie_derivative_by_layer(model, noise(), wrong, (1.0,))


class Patches(nn.Module):
    """A small vision transformer: patches, a class token, positions, attention."""

    def __init__(self, positions: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch = nn.Conv2d(2, 8, 2, 2)
        self.place = nn.Parameter(torch.randn(1, 36, 8) * float(positions))
        self.first = nn.Parameter(torch.randn(1, 1, 8))
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mix = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2) + self.place
        tokens = torch.cat((self.first.expand(len(x), -1, -1), tokens), 1)
        normed = self.norm(tokens)
        tokens = tokens + self.attention(normed, normed, normed)[0]
        tokens = tokens + self.mix(tokens)
        return self.head(tokens[:, 0])


def test_transformers() -> None:
    model, x = Patches(positions=True).double().eval(), noise()
    found = lie_derivative_by_layer(model, x, INVARIANT_SHIFTS, (1.0, 0.0), exact=True)
    assert found.chain_rule_error < 1e-12
    layers = {layer.name: layer for layer in found.layers}
    # Adding positions is where the shift of the tokens is lost.
    assert value(layers["add"].local) > 0.1
    assert value(layers["mix.0"].local) < 1e-20
    without = lie_derivative_by_layer(
        Patches(positions=False).double().eval(), x, INVARIANT_SHIFTS, (1.0, 0.0), exact=True
    )
    free = {layer.name: layer for layer in without.layers}
    assert value(free["add"].local) < 1e-20


def test_layers_need_a_forward_mode_derivative() -> None:
    with pytest.raises(InputError, match="forward-mode"):
        lie_derivative_by_layer(Step.apply, noise(), SHIFTS, (1.0, 0.0))
    with pytest.raises(InputError, match="detaches"):
        lie_derivative_by_layer(lambda x: x.detach().exp(), noise(), SHIFTS, (1.0, 0.0))
    with pytest.raises(InputError, match="one or more probes"):
        lie_derivative_by_layer(nn.Tanh(), noise(), SHIFTS, (1.0, 0.0), probes=0)


def test_boosts_have_no_feature_maps() -> None:
    boosts = Symmetry(
        "boosts", AdditiveGroup("boost", 2, "velocity"), GalileanBoost(NAVIER_STOKES_FIELDS),
        GalileanBoost(NAVIER_STOKES_FIELDS),
    )  # fmt: skip
    found = lie_derivative_by_layer(three_layers(), noise(), boosts, (1.0, 0.0), exact=True)
    assert found.merged == ("0", "1")
    assert found.chain_rule_error < 1e-12


def test_json_of_layers() -> None:
    found = lie_derivative_by_layer(three_layers(), noise(), SHIFTS, (1.0, 0.0), probes=1)
    assert from_json(LieDerivativeByLayer, json.loads(json.dumps(to_json(found)))) == found
