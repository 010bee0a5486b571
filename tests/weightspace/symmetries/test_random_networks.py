"""No symmetry is invented: random elements of all that is found in random networks."""

import pytest
import torch

from goldstone.weightspace import check_symmetries, parameter_symmetries
from tests.weightspace.networks import randomised
from tests.weightspace.random_networks import RandomNetwork


@pytest.mark.parametrize("seed", range(16))
def test_random_elements_leave_random_networks_unchanged(seed: int) -> None:
    model = RandomNetwork(seed).train(seed % 2 == 0)
    randomised(model, seed)
    inputs = torch.randn(5, 6, generator=torch.Generator().manual_seed(seed))
    symmetries = parameter_symmetries(model, (inputs,))
    check_symmetries(model, (inputs,), symmetries, seed=seed, tolerance=1e-6)


def test_random_networks_have_symmetries() -> None:
    """So that the test above has something to refuse."""
    found = [
        parameter_symmetries(RandomNetwork(seed).eval(), (torch.zeros(5, 6),)).symmetries
        for seed in range(6)
    ]
    assert sum(map(len, found)) >= 12
