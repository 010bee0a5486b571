"""Stiffness and m-coherence against their definitions in plain vectors."""

import json

import pytest
import torch

from goldstone.auditing.coherence import PairProducts, orbit_coherence
from goldstone.auditing.orbit_gram import OrbitGram, orbit_gram
from goldstone.auditing.stiffness import Stiffness, pair_stiffness, stiffness
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup


@pytest.fixture
def rows(make_subject, literal_gradient):
    """(subject, gradients (g, i, p)) of a dense network under C4."""
    subject, symmetry = make_subject("dense", CyclicGroup(4), n=6)
    return subject, torch.stack(
        [
            torch.stack([literal_gradient(subject, symmetry, g, i) for i in range(6)])
            for g in range(4)
        ]
    )


def test_definitions(rows, make_subject):
    subject, gradients = rows
    gram = orbit_gram(*make_subject("dense", CyclicGroup(4), n=6), (1, 2, 3))
    found = stiffness(gram, subject)
    cosines = torch.stack(
        [
            torch.stack(
                [
                    torch.stack([_cos(gradients[0, i], gradients[g, j]) for j in range(6)])
                    for i in range(6)
                ]
            )
            for g in range(4)
        ]
    )
    distinct = ~torch.eye(6, dtype=torch.bool)
    for g, (name, entry) in enumerate(found.elements.items(), 1):
        assert name == gram.elements[g]
        assert entry.cosine.estimate == pytest.approx(float(cosines[g].diagonal().mean()))
        assert entry.sign.estimate == pytest.approx(float(cosines[g].diagonal().sign().mean()))
        assert entry.null_cosine.estimate == pytest.approx(float(cosines[g][distinct].mean()))
        assert entry.null_sign.estimate == pytest.approx(float(cosines[g][distinct].sign().mean()))
        assert entry.coherence.pair.estimate == pytest.approx(entry.cosine.estimate)
        assert entry.coherence.orbit.estimate == pytest.approx(
            orbit_coherence(gram.pairs(g).unit())
        )
        assert entry.cosine.low <= entry.cosine.estimate <= entry.cosine.high
    poses = [(g, h) for g in range(4) for h in range(4) if g != h]
    between = [[float(_cos(gradients[g, i], gradients[h, i])) for g, h in poses] for i in range(6)]
    assert found.orbit_cosine.estimate == pytest.approx(float(torch.tensor(between).mean()))
    assert found.orbit_sign.estimate == pytest.approx(float(torch.tensor(between).sign().mean()))
    raw = 4 * gradients.mean(0).square().sum() / gradients.square().sum(-1).mean(0).sum()
    assert found.orbit_coherence.raw.estimate == pytest.approx(float(raw))
    unit = gradients / gradients.norm(dim=-1, keepdim=True)
    assert found.orbit_coherence.unit.estimate == pytest.approx(
        float(4 * unit.mean(0).square().sum() / 6)
    )
    plain = gradients[0]
    assert found.data_coherence.raw.estimate == pytest.approx(
        float(6 * plain.mean(0).square().sum() / plain.square().sum(1).mean())
    )
    for value in (found.data_coherence, found.orbit_coherence):
        assert value.raw.low <= value.raw.estimate <= value.raw.high
    assert (found.orbit_coherence.m, found.data_coherence.m) == (4, 6)


def _cos(a, b):
    return a @ b / a.norm() / b.norm()


def test_built_in_equivariance_is_stiff(make_subject, group):
    subject, symmetry = make_subject("equivariant", group)
    found = stiffness(orbit_gram(subject, symmetry, group.elements()[1:]), subject)
    for entry in found.elements.values():
        for value in (entry.cosine, entry.sign, entry.coherence.orbit):
            assert value.estimate == pytest.approx(1, abs=1e-10)
        assert entry.null_cosine.high < 0.99
    assert found.orbit_cosine.estimate == pytest.approx(1)
    for value in (found.orbit_coherence.unit, found.orbit_coherence.raw):
        assert value.estimate == pytest.approx(group.order)


def test_shuffled_pairs_are_as_stiff_as_the_null(make_subject):
    """Over many pairings the cosine is the null's and ρ is 0."""
    subject, symmetry = make_subject("equivariant", CyclicGroup(4))
    products = orbit_gram(subject, symmetry, (1,)).pairs(1)
    cosines, orbits = [], []
    n = subject.bootstrap.n
    # Cyclic shifts of the pairing, the true one left out, use every broken pair once.
    for shift in range(1, n):
        order = (torch.arange(n) + shift) % n
        shuffled = PairProducts(products.aa, products.ab[:, order], products.bb[order][:, order])
        found = pair_stiffness(shuffled, subject)
        cosines.append(found.cosine.estimate)
        orbits.append(found.coherence.orbit.estimate)
    true = pair_stiffness(products, subject)
    assert torch.tensor(cosines).mean() == pytest.approx(true.null_cosine.estimate)
    # Together with the true pairing, ρ = 1, they sum to zero.
    assert 1 + sum(orbits) == pytest.approx(0, abs=1e-9)


def test_orthogonal_gradients_have_m_coherence_one(make_subject):
    subject, _ = make_subject("dense", CyclicGroup(3), n=4)
    gram = OrbitGram(("e", "r", "r²"), torch.eye(12, dtype=torch.float64).reshape(3, 4, 3, 4))
    found = stiffness(gram, subject)
    assert found.orbit_coherence.raw.estimate == 1
    assert found.data_coherence.unit.estimate == found.data_coherence.unit.high == 1
    assert found.orbit_cosine.estimate == 0


def test_json_and_bad_input(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(3), n=4)
    found = stiffness(orbit_gram(subject, symmetry, (1,)), subject)
    assert from_json(Stiffness, json.loads(json.dumps(to_json(found), allow_nan=False))) == found
    other, _ = make_subject("dense", CyclicGroup(3), n=5)
    with pytest.raises(InputError, match="5 trajectories"):
        stiffness(orbit_gram(subject, symmetry, (1,)), other)
