"""W-asymmetric and σ-asymmetric networks: what is fixed, what is shared, what is no symmetry."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from goldstone.core import InputError, generator
from goldstone.weightspace.asymmetry import FiGLU, sigma_asymmetric, w_asymmetric
from goldstone.weightspace.mirror import unit_exchange


def network(seed=0, width=6):
    torch.manual_seed(seed)
    layers = (nn.Linear(5, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
    return nn.Sequential(*layers, nn.Linear(width, 3)).double()


def data(n=11, size=5):
    return torch.randn(n, size, dtype=torch.float64, generator=generator(0, "data"))


def entries(module):
    return module.parametrizations.weight[0]


def test_each_unit_has_its_own_fixed_entries_and_the_rest_is_as_it_was():
    plain, model = network(), w_asymmetric(network(), {"2": 3, "4": 0.5}, seed=7, scale=0.3)
    assert not parametrize.is_parametrized(model[0])
    for name, count in (("2", 3), ("4", 3)):
        layer, before = model.get_submodule(name), plain.get_submodule(name).weight
        fixed, values = entries(layer).fixed, entries(layer).values
        assert fixed.sum(1).tolist() == [count] * len(fixed)
        assert torch.equal(layer.weight, torch.where(fixed, values, before))
        assert 0.1 < values[fixed].std() < 0.6
        # κF ⊙ x + M⊙W ⊙ x, by hand.
        x = data(size=6)
        expected = x @ (values * fixed).mT + x @ (before * ~fixed).mT + layer.bias
        torch.testing.assert_close(layer(x), expected)
    assert len({tuple(row) for row in entries(model[2]).fixed.tolist()}) > 1


def test_places_are_shared_by_seed_and_by_nothing_else():
    one = w_asymmetric(network(0), 2, seed=7)
    other = w_asymmetric(network(1), 2, seed=7)
    third = w_asymmetric(network(0), 2, seed=8)
    for name in ("0", "2", "4"):
        a, b, c = (entries(m.get_submodule(name)) for m in (one, other, third))
        assert torch.equal(a.fixed, b.fixed)
        assert torch.equal(a.values, b.values)
        assert not torch.equal(a.values, c.values)
    assert not torch.equal(entries(one[0]).fixed[:3], entries(one[4]).fixed[:, :5])
    # Halfway between two networks the fixed entries are what they are in both.
    state = {
        name: (value + other.state_dict()[name]) / 2 if value.is_floating_point() else value
        for name, value in one.state_dict().items()
    }
    middle = deepcopy(one)
    middle.load_state_dict(state)
    fixed = entries(one[2]).fixed
    assert torch.equal(middle[2].weight[fixed], one[2].weight[fixed])


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.AdamW])
def test_training_and_decay_never_touch_fixed_entries(optimiser):
    model = w_asymmetric(network(), 2, seed=0)
    fixed = entries(model[2]).fixed
    before = model[2].weight.detach().clone()
    steps = optimiser(model.parameters(), lr=0.1, weight_decay=0.5)
    for _ in range(5):
        steps.zero_grad()
        model(data()).square().mean().backward()
        steps.step()
    after = model[2].weight.detach()
    assert torch.equal(after[fixed], before[fixed])
    assert (after[~fixed] != before[~fixed]).all()
    assert (model[2].parametrizations.weight.original[fixed] == 0).all()
    assert not any("values" in name or "fixed" in name for name, _ in model.named_parameters())


def reading(model, wrapped):
    """How the parameters of the first two layers are named, and where their units lie."""
    weight = "parametrizations.weight.original" if wrapped else "weight"
    return {f"0.{weight}": 0, "0.bias": 0}, {f"2.{weight}": 1}


@pytest.mark.parametrize("kind", ["plain", "W", "σ"])
def test_exchanges_of_units_leave_only_the_plain_network_unchanged(kind):
    model, x = network(), data()
    if kind == "W":
        w_asymmetric(model, 2, seed=0, scale=0.5)
    if kind == "σ":
        sigma_asymmetric(model, x, seed=0)
    parameters = dict(model.named_parameters())
    before = model(x)
    for i in range(6):
        for j in range(i):
            moved = unit_exchange(*reading(model, kind == "W"), i, j).reflect(parameters)
            change = float((functional_call(model, moved, x) - before).abs().max().detach())
            assert (change < 1e-14) if kind == "plain" else (change > 1e-3)


def test_convolutions_are_fixed_over_inputs_and_pixels():
    torch.manual_seed(0)
    model = w_asymmetric(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=2)), 0.25, seed=0
    )
    assert entries(model[0]).fixed.flatten(1).sum(1).tolist() == [7] * 4
    assert entries(model[2]).fixed.flatten(1).sum(1).tolist() == [4] * 4
    assert model(torch.randn(2, 3, 8, 8)).shape == (2, 4, 4, 4)
    exported = torch.export.export(model, (torch.randn(2, 3, 8, 8),))
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(exported.module()(x), model(x))


def test_figlu_is_its_formula_on_either_axis():
    unit = FiGLU(4, generator(3), axis=1, dtype=torch.float64)
    x = torch.randn(2, 4, 3, 5, dtype=torch.float64, generator=generator(0))
    expected = torch.empty_like(x)
    for b in range(2):
        for p in range(3):
            for q in range(5):
                v = x[b, :, p, q]
                expected[b, :, p, q] = v / (1 + (-(unit.matrix @ v)).exp())
    torch.testing.assert_close(unit(x), expected)
    last = FiGLU(4, generator(3), dtype=torch.float64)
    torch.testing.assert_close(last(x.movedim(1, -1)).movedim(-1, 1), expected)
    assert last.state_dict()["matrix"].shape == (4, 4)


def test_sigma_asymmetric_replaces_activations_and_shares_by_seed():
    one = sigma_asymmetric(network(0), data(), seed=1)
    other = sigma_asymmetric(network(1), data(), seed=1)
    assert [type(m) for m in one] == [nn.Linear, FiGLU, nn.Linear, FiGLU, nn.Linear]
    assert torch.equal(one[1].matrix, other[1].matrix)
    assert not torch.equal(one[1].matrix, one[3].matrix)
    assert one[1].matrix.dtype is torch.float64
    image = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2), nn.ReLU())
    sigma_asymmetric(image, torch.randn(1, 3, 4, 4), seed=0)
    assert image[1].axis == 1
    assert image[4].axis == -1
    assert image(torch.randn(5, 3, 4, 4)).shape == (5, 2)


def test_bad_input():
    with pytest.raises(InputError, match="1 to 4 of the 5 entries of each unit of '0'"):
        w_asymmetric(network(), 5, seed=0)
    with pytest.raises(InputError, match=r"got 1\.5"):
        w_asymmetric(network(), 1.5, seed=0)
    with pytest.raises(InputError, match="no linear layer or convolution '1'"):
        w_asymmetric(network(), {"1": 2}, seed=0)
    with pytest.raises(InputError, match="no linear layer or convolution '2'"):
        w_asymmetric(network(), {"0": 2}, scale={"2": 1.0}, seed=0)
    with pytest.raises(InputError, match="has no linear layer"):
        w_asymmetric(nn.ReLU(), 2, seed=0)
    model = w_asymmetric(network(), 2, seed=0)
    with pytest.raises(InputError, match="parametrisation already"):
        w_asymmetric(model, 2, seed=0)
    tied = network()
    tied[2].weight = nn.Parameter(torch.randn(6, 6).double())
    twin = nn.Sequential(*tied[:3], nn.Linear(6, 6).double())
    twin[3].weight = twin[2].weight
    with pytest.raises(InputError, match="'2' and '3' share their weight"):
        w_asymmetric(twin, 2, seed=0)
    assert not parametrize.is_parametrized(twin[0])
    with pytest.raises(InputError, match="called as functions cannot be replaced"):
        sigma_asymmetric(nn.Linear(5, 2).double(), data(), seed=0)
    shared = nn.ReLU()
    model = nn.Sequential(nn.Linear(5, 4), shared, nn.Linear(4, 3), shared).double()
    with pytest.raises(InputError, match="give each layer its own module"):
        sigma_asymmetric(model, data(), seed=0)


def test_a_weight_shared_with_an_embedding_is_refused():
    """The fixed entries would be zeros in the embedding."""
    model = nn.Sequential(nn.Embedding(6, 4), nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 6))
    model[3].weight = model[0].weight
    with pytest.raises(InputError, match="'0' and '3' share their weight"):
        w_asymmetric(model, 1, seed=0)
    before = model[0].weight.clone()
    w_asymmetric(model, {"1": 1}, seed=0)
    assert torch.equal(model[0].weight, before)


def test_an_activation_under_two_names_is_replaced_under_both():
    shared = nn.GELU()
    model = nn.Sequential(nn.Linear(5, 4), shared, nn.Linear(4, 4), shared, nn.Linear(4, 2))
    sigma_asymmetric(model.double(), data(), seed=0)
    assert isinstance(model[1], FiGLU)
    assert isinstance(model[3], FiGLU)
    assert not torch.equal(model[1].matrix, model[3].matrix)
