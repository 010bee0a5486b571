"""Sampled lattice gauge fields against the exact solution in two dimensions."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import SpecialOrthogonalGroup, SpecialUnitaryGroup, UnitaryGroup
from goldstone.nn.gauge import wilson_loops
from goldstone.systems.lattice import mean_plaquette_2d, sample_links
from goldstone.systems.lattice.wilson import staples


@pytest.mark.parametrize("group", [UnitaryGroup(1), SpecialUnitaryGroup(2)], ids=["U(1)", "SU(2)"])
def test_wilson_loops_follow_the_area_law(group):
    beta = 2.0
    links = sample_links(group, (8, 8), beta, 400, sweeps=60, dtype=torch.complex128)
    assert group.contains(links)
    exact = mean_plaquette_2d(group, beta)
    for sides in ((1, 1), (1, 2), (2, 2)):
        each = wilson_loops(links, sides).mean((1, 2, 3))
        error = float(each.std() / len(each) ** 0.5)
        assert error < 0.01
        expected = exact ** (sides[0] * sides[1])
        assert abs(float(each.mean()) - expected) < 4 * error


def test_strong_coupling_leaves_the_links_uniform():
    links = sample_links(SpecialUnitaryGroup(2), (4, 4), 0.0, 200, sweeps=2)
    each = wilson_loops(links, (1, 1)).mean((1, 2, 3))
    assert abs(float(each.mean())) < 4 * float(each.std()) / 200**0.5
    # Of a uniform SU(2) matrix, ⟨(tr/2)²⟩ = 1/4.
    assert float(wilson_loops(links, (1, 1)).square().mean()) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("lattice", [(4, 4), (2, 4, 2)])
def test_staples_give_the_change_of_the_action(lattice):
    group = SpecialUnitaryGroup(2)
    source = torch.Generator().manual_seed(0)
    links = group.sample(source, (1, len(lattice), *lattice))
    site = (0,) * len(lattice)
    for axis in range(len(lattice)):
        new = links.clone()
        new[(0, axis, *site)] = group.sample(source)
        action = wilson_loops(new, (1, 1)).sum() - wilson_loops(links, (1, 1)).sum()
        change = new[(0, axis, *site)] - links[(0, axis, *site)]
        around = staples(links, axis)[(0, *site)]
        assert float(action) == pytest.approx(float((change @ around).trace().real) / 2)


def test_one_seed_gives_the_same_fields():
    def fields(seed):
        return sample_links(UnitaryGroup(1), (4, 4), 1.0, 3, sweeps=3, seed=seed)

    assert torch.equal(fields(0), fields(0))
    assert not torch.equal(fields(0), fields(1))


def test_bad_input():
    for arguments, said in (
        ((SpecialOrthogonalGroup(2), (4, 4), 1.0, 1), r"U\(n\) or SU\(n\)"),
        ((UnitaryGroup(1), (3, 4), 1.0, 1), "even number of sites"),
        ((UnitaryGroup(1), (4, 4), 1.0, 0), "at least 1"),
    ):
        with pytest.raises(InputError, match=said):
            sample_links(*arguments)
    with pytest.raises(InputError, match=r"U\(1\) or SU\(2\)"):
        mean_plaquette_2d(SpecialUnitaryGroup(3), 1.0)
