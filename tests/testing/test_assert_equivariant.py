"""assert_equivariant: trees, layers, dtypes, chosen and random elements; wrong models fail."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from goldstone.actions import (
    Field,
    FieldLayout,
    PointAction,
    Symmetry,
    TreeAction,
    TrivialAction,
    flow_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, SpecialOrthogonalGroup, SymmetricGroup
from goldstone.testing import LawError, assert_equivariant

SCALAR = FieldLayout((Field("p", "scalar"),))
C4 = CyclicGroup(4)
TURN = PointAction(C4, SCALAR)
TURNS = Symmetry("turns", C4, TURN, TURN)


def noise(*shape, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


class Rotation:
    """x → R x on the last axis, for matrices as tuples of rows."""

    def act(self, element, x, context):
        return x @ torch.tensor(element, dtype=x.dtype).T


class Quarter:
    """Quarter turns of the last two axes, of any dtype."""

    def act(self, element, x, context):
        return torch.rot90(x, element, (-2, -1))


def round_kernel(convolution, centre=1.0, side=0.3):
    """Weights that quarter turns keep."""
    cross = torch.tensor([[0.0, side, 0.0], [side, centre, side], [0.0, side, 0.0]])
    with torch.no_grad():
        convolution.weight.copy_(cross)
    return convolution


def convolution():
    return round_kernel(
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False, dtype=torch.float64)
    )


class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = convolution(), convolution()

    def forward(self, x):
        return self.second(self.first(x).tanh())


def test_layers_are_held_to_their_own_actions_and_named():
    model, x = TwoLayers(), noise(2, 1, 7, 7)
    watched = replace(TURNS, on_layers={"second": TURN, "first": TURN})
    assert_equivariant(model, watched, x)
    with torch.no_grad():
        model.first.weight[0, 0, 0, 1] += 0.1
    message = (
        r"3 of 3 elements fail, the worst is r\S* with a relative error of \d\.\de-0\d "
        r"\(allowed 1e-10\); layers that fail at r\S*, in the order of the calls: "
        r"'first' by \d\.\de-0\d, 'second' by \d\.\de-0\d$"
    )
    with pytest.raises(LawError, match=message):
        assert_equivariant(model, watched, x)
    # Without the layers the message has none.
    with pytest.raises(LawError, match=r"\(allowed 1e-10\)$"):
        assert_equivariant(model, TURNS, x)


def test_only_what_comes_after_the_fault_fails():
    model, x = TwoLayers(), noise(2, 1, 7, 7)
    with torch.no_grad():
        model.second.weight[0, 0, 0, 1] += 0.1
    watched = replace(TURNS, on_layers={"second": TURN, "first": TURN})
    with pytest.raises(LawError, match=r"order of the calls: 'second' by \S+$"):
        assert_equivariant(model, watched, x)


def test_a_layer_alone_can_fail():
    """The second layer's output leaves the model only through its mean, which is invariant."""

    class Averaged(TwoLayers):
        def forward(self, x):
            shifted = self.first(x).roll(1, -1)
            return self.second(shifted).mean((-2, -1))

    invariant = Symmetry("turns", C4, TURN, TrivialAction(), on_layers={"first": TURN})
    assert_equivariant(Averaged(), invariant, noise(2, 1, 7, 7))
    with pytest.raises(LawError, match=r"relative error of \S+ in layer 'second' \(allowed"):
        assert_equivariant(
            Averaged(), replace(invariant, on_layers={"second": TURN}), noise(2, 1, 7, 7)
        )


def test_every_call_of_a_shared_layer_counts():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = convolution()

        def forward(self, x):
            return self.layer(self.layer(x) + 0.1 * torch.arange(7.0, dtype=x.dtype))

    watched = replace(TURNS, on_layers={"layer": TURN})
    with pytest.raises(LawError, match=r"order of the calls: 'layer' \(call 2\) by \S+$"):
        assert_equivariant(Shared(), watched, noise(2, 1, 7, 7))


def test_layers_that_are_not_there_or_not_called():
    model = TwoLayers()
    model.unused = convolution()
    x = noise(2, 1, 7, 7)
    with pytest.raises(InputError, match=r"on_layers names third, .* its modules are first, sec"):
        assert_equivariant(model, replace(TURNS, on_layers={"third": TURN}), x)
    with pytest.raises(InputError, match=r"on_layers names unused, never called"):
        assert_equivariant(model, replace(TURNS, on_layers={"unused": TURN}), x)
    with pytest.raises(InputError, match=r"none, it is a function"):
        assert_equivariant(lambda x: x, replace(TURNS, on_layers={"a": TURN}), x)


def energy_and_forces(positions, charges):
    """Of pairwise q_i q_j |x_i − x_j|²: invariant, and the vectors by hand."""
    between = positions[:, :, None] - positions[:, None]
    pairs = charges[:, :, None] * charges[:, None]
    energy = (pairs * between.square().sum(-1)).sum((1, 2)) / 2
    return {"energy": energy, "forces": -2 * (pairs[..., None] * between).sum(2)}


ROTATIONS = SpecialOrthogonalGroup(3)
MOLECULES = Symmetry(
    "rotations",
    ROTATIONS,
    TreeAction((Rotation(), TrivialAction())),
    TreeAction({"energy": TrivialAction(), "forces": Rotation()}),
)


def test_trees_of_tensors():
    x = (noise(3, 5, 3), noise(3, 5))
    assert_equivariant(energy_and_forces, MOLECULES, x)

    def wrong(positions, charges):
        found = energy_and_forces(positions, charges)
        # Small beside the energies: each tensor is judged by its own size.
        return {"energy": 1e6 * found["energy"], "forces": 1e-6 * found["forces"].abs()}

    with pytest.raises(LawError, match=r"relative error of \d\.\de[+-]\d\d in output \['forces'\]"):
        assert_equivariant(wrong, MOLECULES, x)


def test_a_dict_goes_in_as_keyword_arguments():
    symmetry = replace(
        MOLECULES, on_input=TreeAction({"charges": TrivialAction(), "positions": Rotation()})
    )
    x = {"charges": noise(3, 5), "positions": noise(3, 5, 3)}
    assert_equivariant(energy_and_forces, symmetry, x)


def test_lie_groups_are_sampled_from_a_seed():
    seen = []

    class Recorded(Rotation):
        def act(self, element, x, context):
            seen.append(element)
            return super().act(element, x, context)

    def norm(x):
        return x.square().sum(-1)

    symmetry = Symmetry("rotations", ROTATIONS, Recorded(), TrivialAction())

    def tested(**options):
        seen.clear()
        assert_equivariant(norm, symmetry, noise(4, 3), **options)
        return list(seen)

    generators = len(ROTATIONS.generators())
    assert len(tested(samples=5)) == generators + 5
    assert tested() == tested(seed=0)
    assert tested()[:generators] == tested(seed=1)[:generators]
    assert not set(tested()[generators:]) & set(tested(seed=1)[generators:])
    for element in tested():
        matrix = torch.tensor(element, dtype=torch.float64)
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(3, dtype=torch.float64))


def test_random_elements_catch_what_generators_miss():
    """x₁⁴ + x₂⁴ + x₃⁴ is kept by quarter turns about the axes, and by no other rotation."""
    quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turn = tuple(map(tuple, quarter.tolist()))
    symmetry = Symmetry("rotations", ROTATIONS, Rotation(), TrivialAction())

    def quartic(x):
        return (x**4).sum(-1)

    x = noise(4, 3)
    assert_equivariant(quartic, symmetry, x, elements=[turn])
    with pytest.raises(LawError, match=r"\d+ of \d+ elements fail"):
        assert_equivariant(quartic, symmetry, x)


def test_large_finite_groups_are_sampled():
    class Permute:
        calls = 0

        def act(self, element, x, context):
            Permute.calls += 1
            order = torch.tensor(element) if isinstance(element, tuple) else element
            return x[:, order.argsort()]

    symmetry = Symmetry("permutations", SymmetricGroup(9), Permute(), TrivialAction())
    assert_equivariant(lambda x: x.sum(1), symmetry, noise(2, 9))
    assert Permute.calls <= 8 + len(SymmetricGroup(9).generators())
    with pytest.raises(LawError, match="not equivariant"):
        assert_equivariant(lambda x: x[:, 0] + 2 * x[:, 4], symmetry, noise(2, 9))


@pytest.mark.parametrize(
    ("dtype", "passes", "fails"),
    [
        (torch.float64, 1e-12, 1e-8),
        (torch.float32, 1e-6, 1e-3),
        (torch.bfloat16, 1e-2, 0.3),
        (torch.complex128, 1e-12, 1e-8),
        (torch.complex64, 1e-6, 1e-3),
    ],
)
def test_tolerance_by_dtype(dtype, passes, fails):
    x = noise(2, 1, 7, 7)
    x = torch.complex(x, x.flip(0)).to(dtype) if dtype.is_complex else x.to(dtype)

    def tilted(size):
        ramp = torch.zeros(7, 7, dtype=dtype)
        ramp[0, 0] = size * float(x.abs().square().sum().sqrt())
        return lambda x: x + ramp

    turns = Symmetry("turns", C4, Quarter(), Quarter())
    assert_equivariant(tilted(passes), turns, x)
    with pytest.raises(LawError, match="not equivariant"):
        assert_equivariant(tilted(fails), turns, x)


def test_half_precision_does_not_overflow():
    x = 3e4 * torch.ones(2, 1, 64, 64, dtype=torch.float16)
    assert_equivariant(lambda x: x, TURNS, x)


def test_the_coarsest_dtype_counts():
    """A float32 network between float64 data cannot be better than float32."""
    layer = convolution().float()
    assert_equivariant(lambda x: layer(x.float()), TURNS, noise(2, 1, 7, 7))


def test_labels_must_be_the_same():
    invariant = Symmetry("turns", C4, TURN, TrivialAction())
    x = noise(9, 1, 7, 7)
    assert_equivariant(lambda x: (x.mean((1, 2, 3)) > 0).long() + 1, invariant, x)
    with pytest.raises(LawError, match="not equivariant"):
        assert_equivariant(lambda x: (x[:, 0, 0, 0] > 0).long() + 1, invariant, x)


def test_the_model_is_left_as_found():
    model = nn.Sequential(convolution(), nn.BatchNorm2d(1, dtype=torch.float64))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    watched = replace(TURNS, on_layers={"0": TURN})
    assert_equivariant(model, watched, noise(4, 1, 7, 7))
    assert model.training
    assert not model[0]._forward_hooks
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    with torch.no_grad():
        model[0].weight[0, 0, 0, 1] += 0.1
    with pytest.raises(LawError, match="not equivariant"):
        assert_equivariant(model, watched, noise(4, 1, 7, 7))
    assert not model[0]._forward_hooks


def test_stochastic_models_are_refused():
    model = nn.Sequential(convolution(), nn.Dropout(0.5))
    with pytest.raises(InputError, match=r"two calls on the same input differ .*model\.eval\(\)"):
        assert_equivariant(model, TURNS, noise(2, 1, 7, 7))
    assert_equivariant(model.eval(), TURNS, noise(2, 1, 7, 7))


def test_shapes_that_differ_are_named():
    d4 = flow_symmetry("shifts", SCALAR, (6, 6))
    oblong = noise(2, 1, 6, 6)
    with pytest.raises(LawError, match=r"moved input has the shapes .*\(2, 1, 6, 3\)"):
        assert_equivariant(lambda x: x[..., :3] if torch.equal(x, oblong) else x, d4, oblong)


def test_elements_that_are_not_in_the_group():
    with pytest.raises(InputError, match="7"):
        assert_equivariant(lambda x: x, TURNS, noise(2, 1, 7, 7), elements=[7])
    with pytest.raises(InputError, match="no element to test"):
        assert_equivariant(lambda x: x, TURNS, noise(2, 1, 7, 7), elements=[C4.identity])
