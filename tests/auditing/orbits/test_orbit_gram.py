"""Inner products along orbits against literal gradients."""

import dataclasses

import pytest
import torch

from goldstone.auditing.orbit_gram import OrbitGram, orbit_gram, orbit_pairs
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup


@pytest.fixture
def found(make_subject, untouched):
    subject, symmetry = make_subject("dense", DihedralGroup(3), n=4)
    with untouched(subject.model):
        gram = orbit_gram(subject, symmetry, symmetry.group.elements()[1:])
    return subject, symmetry, gram


def test_products_are_those_of_literal_gradients(found, literal_gradient):
    subject, symmetry, gram = found
    elements = symmetry.group.elements()
    assert gram.elements == tuple(symmetry.group.element_name(g) for g in elements)
    rows = torch.stack(
        [
            torch.stack([literal_gradient(subject, symmetry, g, i) for i in range(4)])
            for g in elements
        ]
    )
    torch.testing.assert_close(gram.products, torch.einsum("gip,hjp->gihj", rows, rows))
    torch.testing.assert_close(
        gram.of_samples(), torch.einsum("gip,hip->igh", rows, rows), rtol=1e-12, atol=1e-14
    )
    unit = rows / rows.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(gram.unit().products, torch.einsum("gip,hjp->gihj", unit, unit))


def test_pairs_are_the_same_taken_two_sets_at_a_time(found):
    subject, symmetry, gram = found
    elements = symmetry.group.elements()[1:]
    pairs = orbit_pairs(subject, symmetry, elements)
    assert tuple(pairs) == gram.elements[1:]
    for k, name in enumerate(pairs, 1):
        for part in ("aa", "ab", "bb"):
            torch.testing.assert_close(getattr(pairs[name], part), getattr(gram.pairs(k), part))


def test_small_memory_sketches_and_says_how_well(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(40), n=3)
    elements = (1, 7)
    dense = orbit_gram(subject, symmetry, elements)
    size = sum(p.numel() for p in subject.model.parameters())
    sketched = orbit_gram(subject, symmetry, elements, memory=9 * size * 8 - 1)
    assert dense.relative_error == 0 < sketched.relative_error
    scale = float(dense.products.reshape(9, 9).diagonal().mean())
    error = float((sketched.products - dense.products).square().mean().sqrt()) / scale
    assert error < 3 * sketched.relative_error
    with pytest.raises(InputError, match="memory"):
        orbit_gram(subject, symmetry, elements, memory=8)


def test_bad_input_is_refused(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(4))
    with pytest.raises(InputError, match="all different"):
        orbit_gram(subject, symmetry, (1, 0))
    with pytest.raises(InputError, match="one group element"):
        orbit_pairs(subject, symmetry, ())
    twice = dataclasses.replace(subject.samples, trajectory=torch.arange(7) // 2)
    with pytest.raises(InputError, match="7 samples of 4 trajectories"):
        orbit_gram(dataclasses.replace(subject, samples=twice), symmetry, (1,))
    subject.model.requires_grad_(requires_grad=False)
    with pytest.raises(InputError, match="no trainable parameter"):
        orbit_gram(subject, symmetry, (1,))


def test_a_model_that_looks_at_the_batch_is_refused(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(4))
    norm = torch.nn.BatchNorm1d(4).double().train()
    model = torch.nn.Sequential(norm, subject.model)
    with pytest.raises(InputError, match=r"training mode.*model\.eval"):
        orbit_gram(dataclasses.replace(subject, model=model), symmetry, (1,))


def test_a_zero_gradient_has_no_unit():
    products = torch.zeros(1, 2, 1, 2, dtype=torch.float64)
    products[0, 0, 0, 0] = 4.0
    unit = OrbitGram(("e",), products).unit().products.reshape(2, 2)
    assert unit[0, 0] == 1
    assert unit[1, 1].isnan()
