"""Shares of irreps: known answers, and the isotypic projectors as oracle."""

import json

import pytest
import torch

from goldstone.auditing.orbit_gram import OrbitGram, orbit_gram
from goldstone.auditing.orbit_spectrum import (
    OrbitSpectrum,
    measure_orbit_spectrum,
    orbit_spectrum,
)
from goldstone.auditing.statistics import Bootstrap
from goldstone.auditing.stiffness import orbit_m_coherence
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup, DihedralGroup, SymmetricGroup
from goldstone.representations import RegularRepresentation, irreps, isotypic_projector


def gram_of(group, rows, order=None):
    """From gradients (g, i, p)."""
    names = [group.element_name(g) for g in group.elements()]
    if order is not None:
        names, rows = [names[k] for k in order], rows[order]
    return OrbitGram(tuple(names), torch.einsum("gip,hjp->gihj", rows, rows))


def random_rows(group, n=5, p=11, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(group.order, n, p, dtype=torch.float64, generator=source)


def shares(found, name="share"):
    return torch.tensor([getattr(entry, name).estimate for entry in found.irreps])


def test_built_in_equivariance_is_all_in_the_trivial_irrep(make_subject, group, untouched):
    subject, symmetry = make_subject("equivariant", group)
    with untouched(subject.model):
        found = measure_orbit_spectrum(subject, symmetry)
    assert found.order == group.order
    assert found.relative_error == 0
    wanted = torch.zeros(len(found.irreps))
    wanted[0] = 1
    torch.testing.assert_close(shares(found), wanted, rtol=0, atol=1e-10)
    torch.testing.assert_close(shares(found, "centred_share"), wanted, rtol=0, atol=1e-10)
    assert found.irreps[0].share.low == pytest.approx(1)


def test_a_dense_network_is_not(make_subject, group):
    subject, symmetry = make_subject("dense", group)
    found = measure_orbit_spectrum(subject, symmetry)
    assert found.irreps[0].share.high < 0.95
    assert float(shares(found).min()) > 0


def test_orthogonal_gradients_are_uniform(group):
    rows = torch.eye(group.order * 4, dtype=torch.float64).reshape(group.order, 4, -1)
    found = orbit_spectrum(gram_of(group, rows), group, Bootstrap.draw(4, 100, 0))
    for entry, irrep in zip(found.irreps, irreps(group), strict=True):
        wanted = irrep.dimension**2 / irrep.endomorphism_dimension / group.order
        assert entry.uniform == pytest.approx(wanted)
        for value in (entry.share, entry.centred_share):
            assert value.estimate == pytest.approx(wanted)
            assert value.low == pytest.approx(wanted)
        torch.testing.assert_close(
            torch.tensor(entry.spectrum), torch.full((irrep.dimension,), wanted / irrep.dimension)
        )
    assert sum(entry.uniform for entry in found.irreps) == pytest.approx(1)


@pytest.mark.parametrize("unit", [True, False])
def test_shares_are_traces_of_isotypic_projectors(group, unit):
    rows = random_rows(group) * torch.rand(1, 5, 1, dtype=torch.float64)
    order = torch.randperm(group.order, generator=torch.Generator().manual_seed(1)).tolist()
    gram = gram_of(group, rows, order)
    found = orbit_spectrum(gram, group, Bootstrap.draw(5, 200, 0), unit=unit)
    fields = rows / rows.norm(dim=-1, keepdim=True) if unit else rows
    centred = fields - fields.mean(1, keepdim=True)
    regular = RegularRepresentation(group)
    for entry, irrep in zip(found.irreps, irreps(group), strict=True):
        projector = isotypic_projector(regular, irrep).real
        for name, values in (("share", fields), ("centred_share", centred)):
            inside = torch.einsum("gh,hip->gip", projector, values)
            wanted = float(inside.square().sum() / values.square().sum())
            statistic = getattr(entry, name)
            assert statistic.estimate == pytest.approx(wanted)
            assert 0 <= statistic.low <= statistic.high <= 1
        assert sum(entry.spectrum) == pytest.approx(entry.share.estimate)
        assert min(entry.spectrum) > -1e-12
    assert float(shares(found).sum()) == pytest.approx(1)
    assert float(shares(found, "centred_share").sum()) == pytest.approx(1)


@pytest.mark.parametrize("group", [DihedralGroup(4), SymmetricGroup(4), CyclicGroup(5)])
def test_gradients_that_turn_with_an_irrep_lie_in_it(group):
    elements = group.element_tensor()
    for irrep in irreps(group):
        v = torch.arange(1.0, irrep.dimension + 1, dtype=torch.float64)
        matrices = irrep.matrix(elements)
        # σ(g)ᵀv depends on g h⁻¹ alone, σ(g)v only after averaging over the starting pose.
        for turned in (matrices.mT @ v, matrices @ v):
            rows = turned[:, None].repeat(1, 2, 1)
            found = orbit_spectrum(gram_of(group, rows), group, Bootstrap.draw(2, 50, 0))
            for entry in found.irreps:
                wanted = 1.0 if entry.irrep == irrep.name else 0.0
                assert entry.share.estimate == pytest.approx(wanted, abs=1e-10)
                assert entry.centred_share.estimate is None
        # Over ℝ a rank-one φ̂ for irreps of real type, two equal values for complex type.
        found = orbit_spectrum(
            gram_of(group, (matrices.mT @ v)[:, None].repeat(1, 2, 1)),
            group,
            Bootstrap.draw(2, 50, 0),
        )
        rank = sum(value > 1e-10 for value in found.share_of(irrep.name).spectrum)
        assert rank == irrep.endomorphism_dimension


def test_what_any_two_gradients_share_is_centred_away():
    group = DihedralGroup(4)
    rows = random_rows(group, n=6, p=4000) + 30 * random_rows(group, 1, 4000, 1)[:1, :1]
    found = orbit_spectrum(gram_of(group, rows), group, Bootstrap.draw(6, 200, 0))
    assert found.irreps[0].share.estimate > 0.99
    for entry in found.irreps:
        assert entry.centred_share.estimate == pytest.approx(entry.uniform, abs=0.02)


def test_the_trivial_share_is_the_orbits_m_coherence(make_subject, group):
    subject, symmetry = make_subject("dense", group)
    gram = orbit_gram(subject, symmetry, group.elements()[1:])
    coherence = orbit_m_coherence(gram, subject.bootstrap)
    for unit in (True, False):
        found = orbit_spectrum(gram, group, subject.bootstrap, unit=unit).irreps[0].share
        wanted = coherence.unit if unit else coherence.raw
        assert group.order * found.estimate == pytest.approx(wanted.estimate)
        assert group.order * found.low == pytest.approx(wanted.low)


def test_results_survive_json(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(3), n=4)
    found = measure_orbit_spectrum(subject, symmetry)
    text = json.dumps(to_json(found), allow_nan=False)
    assert from_json(OrbitSpectrum, json.loads(text)) == found
    with pytest.raises(InputError, match="no irrep 'B7'"):
        found.share_of("B7")


def test_what_has_no_spectrum_is_refused(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(4), n=3)
    gram = orbit_gram(subject, symmetry, (1, 2))
    with pytest.raises(InputError, match="all 4 elements"):
        orbit_spectrum(gram, CyclicGroup(4), subject.bootstrap)
    with pytest.raises(InputError, match="at most 64"):
        orbit_spectrum(gram, SymmetricGroup(5), subject.bootstrap)


def test_gradients_of_zero_have_no_spectrum():
    group = CyclicGroup(4)
    for unit in (True, False):
        found = orbit_spectrum(
            gram_of(group, torch.zeros(4, 3, 2, dtype=torch.float64)),
            group,
            Bootstrap.draw(3, 50, 0),
            unit=unit,
        )
        for entry in found.irreps:
            assert entry.share.estimate is entry.centred_share.estimate is None
            assert entry.spectrum == ()
