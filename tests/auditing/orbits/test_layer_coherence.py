"""Coherences by parameter group, from gradients that are cut by hand."""

import json

import pytest
import torch
from torch import nn

from goldstone.auditing.coherence import PairProducts, orbit_coherence
from goldstone.auditing.layer_coherence import (
    LayerCoherence,
    group_products,
    measure_layer_coherence,
    parameter_groups,
)
from goldstone.auditing.orbit_gram import orbit_pairs
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup, DihedralGroup


class HalfEquivariant(nn.Module):
    """An equivariant model plus one whose weights see the pose: two branches."""

    def __init__(self, even, odd):
        super().__init__()
        self.even, self.odd = even, odd
        self.scale = nn.Parameter(torch.ones(1, dtype=torch.float64))
        self.frozen = nn.Parameter(torch.ones(3, dtype=torch.float64), requires_grad=False)

    def forward(self, x):
        return self.scale * (self.even(x) + self.odd(x))


def test_groups_follow_the_modules():
    model = HalfEquivariant(
        nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2))), nn.Linear(2, 2, bias=False)
    )
    by_module = parameter_groups(model)
    assert by_module == {
        "": ("scale",),
        "even.0": ("even.0.weight", "even.0.bias"),
        "even.1.0": ("even.1.0.weight", "even.1.0.bias"),
        "odd": ("odd.weight",),
    }
    assert list(parameter_groups(model, 1)) == ["", "even", "odd"]
    assert parameter_groups(model, 3) == by_module
    with pytest.raises(InputError, match="depth"):
        parameter_groups(model, 0)
    with pytest.raises(InputError, match="no trainable"):
        parameter_groups(nn.Tanh())


@pytest.fixture
def mixed(make_subject):
    """A subject whose model has an equivariant branch and a dense one of tiny output."""
    even, symmetry = make_subject("equivariant", DihedralGroup(3))
    odd, _ = make_subject("dense", DihedralGroup(3))
    with torch.no_grad():
        odd.model[2].weight.mul_(1e-7)
        odd.model[2].bias.mul_(1e-7)
    model = HalfEquivariant(even.model, odd.model).eval()
    subject = type(even).measure(model, even.samples, even.loss, even.settings)
    return subject, symmetry


def test_products_of_groups_are_of_cut_gradients_and_sum_to_the_whole(mixed):
    subject, _ = mixed
    size = sum(p.numel() for p in subject.model.parameters() if p.requires_grad)
    a, b = torch.randn(2, 5, size, dtype=torch.float64)
    found = group_products(a, b, subject.model, parameter_groups(subject.model))
    columns, start = {}, 0
    for name, p in subject.model.named_parameters():
        if p.requires_grad:
            owner = name.rpartition(".")[0]
            columns.setdefault(owner, []).extend(range(start, start + p.numel()))
            start += p.numel()
    assert start == size
    assert set(columns) == set(found)
    for name, part in found.items():
        left, right = a[:, columns[name]], b[:, columns[name]]
        torch.testing.assert_close(part.aa, left @ left.T)
        torch.testing.assert_close(part.ab, left @ right.T)
        torch.testing.assert_close(part.bb, right @ right.T)
    whole = PairProducts(a @ a.T, a @ b.T, b @ b.T).gram()
    torch.testing.assert_close(sum(part.gram() for part in found.values()), whole)


def test_it_says_where_gradients_decouple(mixed, untouched):
    subject, symmetry = mixed
    g = (1, 1)
    with untouched_but_frozen(subject.model, untouched):
        found = measure_layer_coherence(subject, symmetry, [g], depth=1)
    entry = found[symmetry.group.element_name(g)]
    # The odd branch adds nothing, so the even one is as if alone; its own gradients see the pose.
    assert entry.groups["even"].coherence.orbit.estimate == pytest.approx(1, abs=1e-5)
    assert entry.groups["even"].raw_orbit.estimate == pytest.approx(1, abs=1e-5)
    assert entry.groups["odd"].coherence.orbit.high < 0.95
    sizes = {name: group.parameters for name, group in entry.groups.items()}
    assert sizes == {"even": 12, "odd": 3 * 6 + 3 + 3 * 6 + 6, "": 1}
    assert sum(g.energy.estimate for g in entry.groups.values()) == pytest.approx(1)
    total = entry.total.orbit.estimate
    assert sum(g.contribution.estimate for g in entry.groups.values()) == pytest.approx(total)
    products = orbit_pairs(subject, symmetry, [g])[symmetry.group.element_name(g)]
    assert total == pytest.approx(orbit_coherence(products.unit()))
    again = from_json(LayerCoherence, json.loads(json.dumps(to_json(entry), allow_nan=False)))
    assert again == entry


def untouched_but_frozen(model, untouched):
    """The frozen parameter is as found too, and counts as trainable for the check."""
    assert not model.frozen.requires_grad
    trainable = nn.ModuleList([model.even, model.odd])
    return untouched(trainable)


def test_one_group_of_everything_is_the_whole(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(4))
    model = nn.ModuleDict({"all": subject.model})
    model.forward = lambda x: subject.model(x)
    alone = type(subject).measure(model, subject.samples, subject.loss, subject.settings)
    entry = measure_layer_coherence(alone, symmetry, [1], depth=1)["r"]
    (part,) = entry.groups.values()
    assert part.coherence == entry.total
    assert part.contribution.low == pytest.approx(entry.total.orbit.low)
    assert part.contribution.high == pytest.approx(entry.total.orbit.high)
    assert part.energy.estimate == part.energy.low == pytest.approx(1)


def test_every_group_of_an_equivariant_model_is_coherent(make_subject, group):
    subject, symmetry = make_subject("equivariant", group)
    found = measure_layer_coherence(subject, symmetry, group.elements()[1:3])
    for entry in found.values():
        assert list(entry.groups) == ["0", "2"]
        for part in (*entry.groups.values(), entry):
            summary = part.coherence if part is not entry else entry.total
            assert summary.orbit.estimate == pytest.approx(1, abs=1e-9)
            assert summary.pair.estimate == pytest.approx(1, abs=1e-9)
            assert summary.null.high < 1


def test_a_group_without_gradient_has_no_coherence(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(4))
    model = subject.model
    model.spare = nn.Linear(1, 1).double()
    model.forward = lambda x: model[2](model[1](model[0](x)))
    entry = measure_layer_coherence(subject, symmetry, [1])["r"]
    spare = entry.groups["spare"]
    assert spare.coherence.orbit.estimate is None
    assert spare.coherence.permutation_p == 1
    assert spare.energy.estimate == spare.contribution.estimate == 0
    assert entry.total.orbit.estimate is not None


def test_bad_groups_are_refused(make_subject):
    subject, _ = make_subject("dense", CyclicGroup(4))
    size = sum(p.numel() for p in subject.model.parameters())
    a = torch.ones(3, size, dtype=torch.float64)
    with pytest.raises(InputError, match=r"\['0.nothing'\]"):
        group_products(a, a, subject.model, {"first": ("0.nothing",)})
    with pytest.raises(InputError, match="got none"):
        group_products(a, a, subject.model, {"first": ()})
    with pytest.raises(InputError, match="gradients of shape"):
        group_products(a[:, 1:], a[:, 1:], subject.model, {"first": ("0.weight",)})
