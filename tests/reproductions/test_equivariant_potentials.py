"""The quick form of the potentials: exact symmetry of the networks, and a run that resumes."""

import torch

from goldstone.groups import OrthogonalGroup
from goldstone.reproductions import Reproduction, reproduce
from goldstone.reproductions.equivariant_potentials import CoordinatePotential, PointPotential


def test_energies_are_invariant_and_the_perceptron_s_are_not():
    torch.manual_seed(0)
    kinds = torch.tensor([[0, 1, 1, 0]])
    r = torch.randn(1, 4, 3, dtype=torch.float64)
    (g,) = OrthogonalGroup(3).sample(torch.Generator().manual_seed(1), (1,))
    order = [3, 2, 1, 0]
    moved = (r @ g.T + 1.0)[:, order]
    for network in (PointPotential(2, 4), PointPotential(0, 4)):
        energy = network.double()(kinds, r)
        torch.testing.assert_close(network(kinds, moved), energy)
    plain = CoordinatePotential(4, 4).double()
    assert abs(float((plain(kinds, moved) - plain(kinds, r)).detach())) > 1e-3


def test_quick_form(tmp_path):
    found = reproduce("equivariant_potentials", tmp_path, quick=True)
    assert len(found.claims) == 3
    assert all(0 < run["forces"] < 5 for runs in found.tables.values() for run in runs)
    assert Reproduction.load(tmp_path / "equivariant_potentials.json") == found
    again = reproduce("equivariant_potentials", tmp_path, quick=True)
    assert again.tables == found.tables
