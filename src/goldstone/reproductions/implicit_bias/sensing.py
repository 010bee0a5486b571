"""Matrix sensing: rank two from too few measurements, by plain weights and by W = PQ."""

from typing import Any

import torch
from torch import nn

from goldstone.core import generator
from goldstone.reproductions.implicit_bias.sizes import Sizes
from goldstone.weightspace import (
    constrain_by_symmetry,
    decay_groups,
    parametrisation_for,
    weight_collapse,
)

SIDE, TRUE_RANK, MEASUREMENTS = 10, 2, 60
DECAY = 0.02


def sensing(factorised: bool, decay: float, sizes: Sizes) -> dict[str, Any]:
    """Error and effective rank of W found by SGD from ⟨X_i, W⟩, for each seed."""
    errors, ranks = [], []
    for seed in range(sizes.seeds):
        random = generator(seed, "sensing")
        left, right = torch.randn(2, SIDE, TRUE_RANK, generator=random)
        truth = left @ right.mT / TRUE_RANK**0.5
        x = torch.randn(MEASUREMENTS, SIDE, SIDE, generator=random)
        y = (x * truth).sum((1, 2)) + 0.05 * torch.randn(MEASUREMENTS, generator=random)
        model = nn.Linear(SIDE, SIDE, bias=False)
        with torch.no_grad():
            model.weight.copy_(1e-2 * torch.randn(SIDE, SIDE, generator=random))
        groups: Any = [{"params": model.parameters(), "weight_decay": decay}]
        if factorised:
            constrain_by_symmetry(model, "weight", parametrisation_for("low rank"))
            groups = decay_groups(model, decay)
        optimiser = torch.optim.SGD(groups, lr=5e-3, momentum=0.9)
        for _ in range(sizes.sensing_steps):
            some = torch.randint(MEASUREMENTS, (16,), generator=random)
            optimiser.zero_grad()
            found = (x[some] * model.weight).sum((1, 2))
            torch.autograd.backward(0.5 * (found - y[some]).square().mean())
            optimiser.step()
        missed = model.weight.detach() - truth
        errors.append(float(missed.square().sum() / truth.square().sum()))
        ranks.append(weight_collapse(model).layers[""].effective_rank)
    return {"errors": errors, "effective_rank": ranks}
