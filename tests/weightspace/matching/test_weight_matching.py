"""Elements applied are found again; small cases against all permutations and closed forms."""

import copy
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.linalg import orthogonal_procrustes
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError, generator
from goldstone.weightspace import (
    ParameterSymmetries,
    activation_matching,
    loss_barrier,
    parameter_symmetries,
    weight_matching,
)
from goldstone.weightspace.matching import canonical_gauge
from goldstone.weightspace.matching.comparison import procrustes
from goldstone.weightspace.symmetries.parameter_symmetry import Kind
from tests.weightspace.networks import (
    GPT,
    GroupedQueryGPT,
    PlainViT,
    ResNet,
    cnn,
    mlp,
    randomised,
)


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def moved(model: nn.Module, symmetries: ParameterSymmetries, seed: int = 1) -> nn.Module:
    """The model after a random element of every symmetry."""
    state = model.state_dict()
    for number, symmetry in enumerate(symmetries.symmetries):
        state = symmetry.act(symmetry.random_element(generator(seed, number)), state)
    other = copy.deepcopy(model)
    other.load_state_dict(state)
    return other


def batch_normed(activation: nn.Module) -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(3, 9), nn.BatchNorm1d(9), activation),
        *(nn.Linear(9, 7), nn.BatchNorm1d(7), activation, nn.Linear(7, 2)),
    )


TOKENS = torch.arange(60).reshape(10, 6) * 7 % 11
CASES: dict[str, tuple[nn.Module, Tensor]] = {
    "mlp relu": (mlp(nn.ReLU(), widths=(3, 12, 10, 2)), normal(20, 3)),
    "mlp tanh": (mlp(nn.Tanh(), widths=(3, 12, 10, 2)), normal(20, 3)),
    "mlp norm": (mlp(nn.GELU(), norm=True, widths=(3, 12, 10, 2)), normal(20, 3)),
    "mlp relu norm": (mlp(nn.ReLU(), norm=True, widths=(3, 12, 10, 2)), normal(20, 3)),
    "mlp tanh norm": (mlp(nn.Tanh(), norm=True, widths=(3, 12, 10, 2)), normal(20, 3)),
    "mlp relu batch norm": (batch_normed(nn.ReLU()).eval(), normal(20, 3)),
    "mlp tanh batch norm": (batch_normed(nn.Tanh()).eval(), normal(20, 3)),
    "cnn": (cnn(), normal(20, 2, 8, 8)),
    "resnet": (ResNet().eval(), normal(20, 3, 8, 8)),
    "vit": (PlainViT(depth=2).eval(), normal(20, 1, 4, 4)),
    "gpt": (GPT(), TOKENS),
    "gpt rms": (GPT(norm="rms"), TOKENS),
    "gpt shared": (GPT(norm="rms", tied=True), TOKENS),
    "grouped queries": (GroupedQueryGPT(), TOKENS),
    "one key": (GroupedQueryGPT(keys=1), TOKENS),
    "rotary": (GroupedQueryGPT(rotary=True), TOKENS),
    "normed queries": (GroupedQueryGPT(normed=True), TOKENS),
}


@pytest.mark.parametrize("name", CASES)
def test_random_element_is_recovered(name: str) -> None:
    model, inputs = CASES[name]
    model = randomised(copy.deepcopy(model))
    symmetries = parameter_symmetries(model, (inputs[:2],))
    other = moved(model, symmetries)
    with torch.no_grad():
        out = model(inputs)
        torch.testing.assert_close(other(inputs), out, atol=2e-3, rtol=2e-3)  # up to ε of norms
    alignment = weight_matching(model, other, symmetries)
    aligned = alignment.model(model)
    scale = max(float(x.abs().max()) for x in model.parameters())
    for one, two in zip(model.parameters(), aligned.parameters(), strict=True):
        torch.testing.assert_close(two, one, atol=1e-4 * scale, rtol=1e-4)
    again = alignment.apply(other.state_dict())
    assert all(torch.equal(again[key], x) for key, x in alignment.state_dict.items())
    if name == "resnet" or "batch norm" in name:
        return  # resetting statistics takes the network elsewhere than the targets
    targets = out.detach()

    def loss(one: Tensor, two: Tensor) -> Tensor:
        return (one - two).square().flatten(1).mean(1)

    before = loss_barrier(model, other, inputs, targets, loss, points=7)
    after = loss_barrier(model, aligned, inputs, targets, loss, points=7)
    assert before.barrier.estimate is not None
    assert after.barrier.estimate is not None
    assert after.barrier.estimate < 1e-3 * before.barrier.estimate


@pytest.mark.parametrize("name", ["mlp relu", "cnn", "resnet", "vit", "gpt"])
def test_permutations_alone_are_recovered_exactly(name: str) -> None:
    """Git Re-Basin proper: nothing but permutations, which move weights without rounding."""
    model, inputs = CASES[name]
    model = randomised(copy.deepcopy(model))
    symmetries = parameter_symmetries(model, (inputs[:2],))
    other = moved(model, ParameterSymmetries(symmetries.permutations))
    alignment = weight_matching(model, other, symmetries, kinds=("permutation",))
    assert {symmetry.kind for symmetry, _ in alignment.steps} == {"permutation"}
    assert alignment.distance == 0.0
    for key, x in model.state_dict().items():
        assert torch.equal(alignment.state_dict[key], x)


@pytest.mark.parametrize("kind", ["orthogonal", "general linear", "sign", "scaling"])
def test_one_kind_alone(kind: Kind) -> None:
    """With ``kinds``, and as a list of symmetries with nothing beside them."""
    model, inputs = CASES["mlp tanh" if kind == "sign" else "gpt rms"]
    model = randomised(copy.deepcopy(model))
    symmetries = parameter_symmetries(model, (inputs[:2],))
    own = symmetries.of_kind(kind)
    other = moved(model, ParameterSymmetries(own))
    for alignment in (
        weight_matching(model, other, own),
        weight_matching(model, other, symmetries, kinds=(kind,)),
    ):
        assert alignment.distance < 1e-5 * alignment.distance_before
        assert {symmetry.kind for symmetry, _ in alignment.steps} == {kind}


def test_gauge_of_batch_statistics_does_not_depend_on_the_scale() -> None:
    """In train mode nothing tells the size of what goes into BatchNorm but a convention."""
    model = randomised(batch_normed(nn.ReLU())).double()
    symmetries = parameter_symmetries(model, (normal(20, 3).double(),))
    other = moved(model, symmetries)
    alignment = weight_matching(model, other, symmetries)
    assert alignment.distance < 1e-6 * alignment.distance_before


def test_never_farther_than_before() -> None:
    """Networks so near that the order of units is right, and the first guess is not."""
    widths = (3, 16, 16, 16, 2)
    model = mlp(nn.GELU(), widths=widths)
    symmetries = parameter_symmetries(model, (normal(2, 3),))
    for seed in range(6):
        a, b = copy.deepcopy(model), copy.deepcopy(model)
        stream = generator(seed, "near")
        with torch.no_grad():
            for one, two in zip(a.parameters(), b.parameters(), strict=True):
                one.copy_(torch.randn(one.shape, generator=stream))
                two.copy_(one + torch.randn(one.shape, generator=stream))
        alignment = weight_matching(a, b, symmetries, kinds=("permutation",))
        assert alignment.distance <= alignment.distance_before


def test_half_precision() -> None:
    model = randomised(mlp(nn.ReLU(), widths=(3, 12, 10, 2))).bfloat16()
    symmetries = parameter_symmetries(model, (normal(2, 3).bfloat16(),))
    other = moved(model, ParameterSymmetries(symmetries.permutations))
    alignment = weight_matching(model, other, symmetries, kinds=("permutation",))
    for key, x in model.state_dict().items():
        assert torch.equal(alignment.state_dict[key], x)


def test_matching_of_one_layer_is_the_best_of_all_permutations() -> None:
    a, b = (randomised(mlp(nn.GELU(), widths=(3, 5, 2)), seed=seed) for seed in (0, 1))
    symmetries = parameter_symmetries(a, (normal(2, 3),))
    alignment = weight_matching(a, b, symmetries)
    best = np.inf
    for order in permutations(range(5)):
        chosen = list(order)
        with torch.no_grad():
            distance = (
                (a[0].weight - b[0].weight[chosen]).square().sum()
                + (a[0].bias - b[0].bias[chosen]).square().sum()
                + (a[2].weight - b[2].weight[:, chosen]).square().sum()
                + (a[2].bias - b[2].bias).square().sum()
            )
        best = min(best, float(distance))
    assert alignment.distance**2 == pytest.approx(best, rel=1e-5)


def test_two_layers_reach_a_point_that_no_single_layer_improves() -> None:
    a, b = (randomised(mlp(nn.GELU(), widths=(3, 4, 4, 2)), seed=seed) for seed in (0, 1))
    symmetries = parameter_symmetries(a, (normal(2, 3),))
    alignment = weight_matching(a, b, symmetries)
    assert alignment.distance < alignment.distance_before
    start = alignment.state_dict
    state = a.state_dict()
    for symmetry in symmetries.permutations:
        for order in permutations(range(4)):
            tried = symmetry.act(torch.tensor([order]), start)
            distance = sum(float((tried[key] - state[key]).square().sum()) for key in state)
            assert distance >= alignment.distance**2 * (1 - 1e-5)


def test_heads_with_their_insides() -> None:
    """A transformer whose heads were exchanged, and QK and OV bases changed, by hand."""
    model = randomised(GPT(width=12, heads=3, depth=1))
    other = copy.deepcopy(model)
    order = [2, 0, 1]
    with torch.no_grad():
        block, old = other.blocks[0], model.blocks[0]
        for h, source in enumerate(order):
            new, q = torch.linalg.qr(normal(4, 4) + h)[0], 12
            here, there = slice(4 * h, 4 * h + 4), slice(4 * source, 4 * source + 4)
            for part, matrix in ((0, new), (1, new), (2, 2.0 * new)):
                block.qkv.weight[part * q :][here] = matrix @ old.qkv.weight[part * q :][there]
                block.qkv.bias[part * q :][here] = matrix @ old.qkv.bias[part * q :][there]
            block.out.weight[:, here] = old.out.weight[:, there] @ new.T / 2.0
    torch.testing.assert_close(other(TOKENS), model(TOKENS), atol=1e-4, rtol=1e-4)
    symmetries = parameter_symmetries(model, (TOKENS,))
    alignment = weight_matching(model, other, symmetries)
    assert alignment.distance < 1e-4 * alignment.distance_before


def test_gauge_is_balanced_and_the_same_on_all_of_an_orbit() -> None:
    model = randomised(GPT(depth=1, norm="rms")).double()
    symmetries = parameter_symmetries(model, (TOKENS,))
    counted = frozenset(name for name, _ in model.named_parameters())
    state, _ = canonical_gauge(model.state_dict(), symmetries.symmetries, counted)
    torch.testing.assert_close(state["blocks.0.norm1.weight"], torch.ones(8).double())
    q, k, v = state["blocks.0.qkv.weight"].split(8)
    q_bias, k_bias, v_bias = state["blocks.0.qkv.bias"].split(8)
    out = state["blocks.0.out.weight"]
    for h in range(2):
        here = slice(4 * h, 4 * h + 4)
        one, two = (torch.cat([w[here], c[here, None]], 1) for w, c in ((q, q_bias), (k, k_bias)))
        torch.testing.assert_close(one @ one.T, two @ two.T, atol=1e-5, rtol=1e-5)
        value = torch.cat([v[here], v_bias[here, None]], 1)
        torch.testing.assert_close(
            value @ value.T, out[:, here].T @ out[:, here], atol=1e-5, rtol=1e-5
        )
    other = moved(model, ParameterSymmetries(symmetries.of_kind("scaling", "uniform scaling")))
    again, _ = canonical_gauge(other.state_dict(), symmetries.symmetries, counted)
    for name in counted:
        torch.testing.assert_close(again[name], state[name], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["mlp relu", "cnn", "gpt"])
def test_gauge_is_the_shortest_point_of_the_orbit(name: str) -> None:
    """Balanced weights are those of the least norm (Kempf and Ness), of factors and of GL(n)."""
    model, inputs = CASES[name]
    model = randomised(copy.deepcopy(model)).double()
    inputs = inputs.double() if inputs.is_floating_point() else inputs
    found = parameter_symmetries(model, (inputs[:2],))
    symmetries = [
        one for one in found.of_kind("scaling", "general linear") if one.exact and not one.gain
    ]
    assert symmetries
    names = frozenset(name for name, _ in model.named_parameters())
    given = {key: x.detach() for key, x in model.state_dict().items()}
    state, _ = canonical_gauge(given, symmetries, names)

    def norm(point: dict[str, Tensor]) -> float:
        return sum(float(point[key].square().sum()) for key in names)

    least = norm(state)
    assert least <= norm(given)
    for number, one in enumerate(symmetries):
        element = one.random_element(generator(7, number))
        assert norm(one.act(element, state)) > least * (1 - 1e-9)
        # Nothing of first order: the tangents are orthogonal to the point.
        for tangent in zip(*one.tangents(state).values(), strict=True):
            product = sum(
                float((x * state[key]).sum())
                for key, x in zip(one.parameters, tangent, strict=True)
            )
            assert abs(product) < 1e-5 * least


def test_procrustes_against_scipy() -> None:
    a, b = normal(2, 5, 9).double(), normal(2, 5, 9).double() + 1
    found = procrustes(a @ b.mT, "orthogonal")
    for copy_ in range(2):
        # scipy minimises ‖bᵀR − aᵀ‖, R = Qᵀ.
        expected, _ = orthogonal_procrustes(b[copy_].T.numpy(), a[copy_].T.numpy())
        np.testing.assert_allclose(found[copy_].T.numpy(), expected, atol=1e-10)


def trained(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = mlp(nn.ReLU(), widths=(2, 32, 32, 2))
    x, y = spirals()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(250):
        optimiser.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    return model


def spirals() -> tuple[Tensor, Tensor]:
    t = torch.linspace(0.3, 1, 100)
    angle = torch.cat([6 * t, 6 * t + torch.pi])
    x = torch.stack([angle.cos(), angle.sin()], 1) * t.repeat(2)[:, None]
    return 2 * x, torch.arange(2).repeat_interleave(100)


def test_trained_networks_come_nearer_and_the_barrier_falls() -> None:
    a, b = trained(0), trained(1)
    x, y = spirals()
    symmetries = parameter_symmetries(a, (x,))

    def barrier(other: nn.Module) -> float:
        found = loss_barrier(
            a, other, x, y, lambda out, y: functional.cross_entropy(out, y, reduction="none")
        )
        assert found.barrier.estimate is not None
        return found.barrier.estimate

    alignments = {
        "weights": weight_matching(a, b, symmetries),
        "permutations": weight_matching(a, b, symmetries, kinds=("permutation",)),
        "activations": activation_matching(a, b, x),
    }
    before = barrier(b)
    for alignment in alignments.values():
        aligned = alignment.model(b)
        torch.testing.assert_close(aligned(x), b(x), atol=1e-4, rtol=1e-4)
        assert barrier(aligned) < 0.8 * before
    assert alignments["permutations"].distance < alignments["permutations"].distance_before


def test_activation_matching_recovers_permutations() -> None:
    for name in ("mlp relu", "cnn", "resnet", "vit", "gpt"):
        model, inputs = CASES[name]
        model = randomised(copy.deepcopy(model))
        symmetries = parameter_symmetries(model, (inputs[:2],))
        other = moved(model, ParameterSymmetries(symmetries.permutations))
        alignment = activation_matching(model, other, inputs, batch_size=10)
        assert alignment.distance == 0.0


def test_same_seed_same_result() -> None:
    a, b = (randomised(mlp(nn.GELU(), widths=(3, 9, 9, 9, 2)), seed=seed) for seed in (0, 1))
    symmetries = parameter_symmetries(a, (normal(2, 3),))
    one, two = (weight_matching(a, b, symmetries, seed=3) for _ in range(2))
    assert all(torch.equal(one.state_dict[key], x) for key, x in two.state_dict.items())


def test_bad_input() -> None:
    model = mlp(nn.ReLU())
    symmetries = parameter_symmetries(model, (normal(2, 3),))
    with pytest.raises(InputError, match=r"0\.weight has shapes \(6, 3\) and \(7, 3\)"):
        weight_matching(model, mlp(nn.ReLU(), widths=(3, 7, 5, 2)), symmetries)
    with pytest.raises(InputError, match="only one of them has"):
        weight_matching(model, mlp(nn.ReLU(), widths=(3, 6, 2)), symmetries)
    with pytest.raises(InputError, match="expected kinds among"):
        weight_matching(model, model, symmetries, kinds=("rotation",))  # type: ignore[arg-type]
    broken = copy.deepcopy(model)
    with torch.no_grad():
        broken[2].bias[0] = torch.inf
    with pytest.raises(InputError, match=r"the model to be moved has weights .* in 2\.bias"):
        weight_matching(model, broken, symmetries)
    with pytest.raises(InputError, match="at least two samples"):
        activation_matching(model, model, normal(1, 3))
