"""The potential by loops and by its symmetries; samples against Boltzmann's law of a pair."""

from itertools import combinations, permutations

import numpy as np
import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import OrthogonalGroup
from goldstone.systems.molecules import ClusterPotential, sample_clusters

KINDS = torch.tensor([[0, 1, 1, 0, 1]])


def positions(seed=0):
    source = torch.Generator().manual_seed(seed)
    return 1.2 * torch.randn(1, 5, 3, dtype=torch.float64, generator=source)


def test_energy_is_the_sum_over_bonds_and_angles():
    p, r, kinds = ClusterPotential(), positions()[0].numpy(), KINDS[0].tolist()
    total = 0.0
    for i, j in combinations(range(5), 2):
        pair = kinds[i] + kinds[j]
        s = p.steepness * (np.linalg.norm(r[i] - r[j]) - p.distance[pair])
        total += p.depth[pair] * (np.exp(-2 * s) - 2 * np.exp(-s))
    for i, j, k in permutations(range(5), 3):
        a, b = r[j] - r[i], r[k] - r[i]
        near = np.exp(-((np.linalg.norm(a) / p.reach) ** 2) - (np.linalg.norm(b) / p.reach) ** 2)
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        total += p.angle / 2 * (cosine - p.cosine[kinds[i]]) ** 2 * near
    assert float(p.energy(KINDS, positions())[0]) == pytest.approx(total, rel=1e-12)


def test_symmetries_and_forces():
    p, r = ClusterPotential(), positions()
    energy, forces = p.energy_and_forces(KINDS, r)
    (g,) = OrthogonalGroup(3).sample(torch.Generator().manual_seed(1), (1,))
    order = [3, 2, 1, 0, 4]  # exchanges atoms of one kind
    moved, turned = p.energy_and_forces(KINDS, (r @ g.T + 3.0)[:, order])
    torch.testing.assert_close(moved, energy)
    torch.testing.assert_close(turned, (forces @ g.T)[:, order])
    assert torch.autograd.gradcheck(lambda x: p.energy(KINDS, x), (r.requires_grad_(),))
    torch.testing.assert_close(forces.sum(1), torch.zeros(1, 3, dtype=torch.float64))


def test_pairs_follow_boltzmann():
    """∝ r² e^{−V(r)/T} e^{−r²/16}: the weak force to the centre leaves the last factor."""
    p, temperature = ClusterPotential(), 0.3
    found = sample_clusters((0, 1), 2000, temperature=temperature, steps=800, step=6e-3)
    r = (found.positions[:, 0] - found.positions[:, 1]).norm(dim=-1).double()
    grid = torch.linspace(0.3, 12, 4000, dtype=torch.float64)
    s = p.steepness * (grid - p.distance[1])
    energy = p.depth[1] * ((-2 * s).exp() - 2 * (-s).exp())
    weight = grid**2 * (-energy / temperature - grid**2 / 16).exp()
    bound = r < 2
    near = (grid < 2) * weight
    mean = float((near * grid).sum() / near.sum())
    spread = float(((near * grid**2).sum() / near.sum() - mean**2).sqrt())
    assert bound.double().mean() > 0.5
    assert float(r[bound].mean()) == pytest.approx(mean, abs=4 * spread / 2000**0.5 + 5e-3)
    assert float(r[bound].std()) == pytest.approx(spread, rel=0.1)
    energies, forces = p.energy_and_forces(found.kinds, found.positions.double())
    torch.testing.assert_close(found.energies.double(), energies, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.forces.double(), forces, atol=1e-3, rtol=1e-3)


def test_one_seed_gives_the_same_clusters():
    first, again, other = (sample_clusters((0, 0, 1), 4, steps=5, seed=s) for s in (0, 0, 1))
    assert torch.equal(first.positions, again.positions)
    assert not torch.equal(first.positions, other.positions)


def test_bad_input():
    with pytest.raises(InputError, match="two atoms or more"):
        sample_clusters((0, 2), 4)
    with pytest.raises(InputError, match="positive count"):
        sample_clusters((0, 1), 4, temperature=0.0)
    with pytest.raises(InputError, match="expected kinds"):
        ClusterPotential().energy(KINDS + 1, positions())
