"""Training of a model of the zoo, once: later calls read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.validity.task import Member
from goldstone.core import generator, replacing, trees
from goldstone.nn import OrbitAugmentation


def trained(member: Member, folder: Path) -> tuple[nn.Module, Mapping[str, Any] | None]:
    """The model in evaluation mode and the state of its optimiser, None if it was not trained.

    What the folder keeps of another training of that name is trained anew.
    """
    path = folder / f"{member.name}.pt"
    network = member.network
    with torch.random.fork_rng():
        torch.manual_seed(member.seed)
        model = network.make()
    pair = member.task.train(member.law)
    if network.fit is not None:
        network.fit(model, pair)
    if member.recipe == "untrained" or network.steps == 0:
        return model.eval(), None
    saved = torch.load(path, weights_only=True) if path.exists() else {}
    if saved.get("training") == member.training:
        model.load_state_dict(saved["model"])
        return model.eval(), saved["optimiser"]
    optimiser = _train(member, model)
    with replacing(path) as temporary:
        kept = {"model": model.state_dict(), "optimiser": optimiser, "training": member.training}
        torch.save(kept, temporary)
    return model, optimiser


def _train(member: Member, model: nn.Module) -> Mapping[str, Any]:
    """AdamW with one cycle of the learning rate."""
    task, network = member.task, member.network
    inputs, targets = task.train(member.law)
    moved = {"augmented": None, "subgroup": task.subgroup}
    augment = (
        OrbitAugmentation(task.symmetry, moved[member.recipe], seed=member.seed)
        if member.recipe in moved
        else None
    )
    rate = network.learning_rate
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-3)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=network.steps)
    source = generator(member.seed, "batches")
    count = trees.batch_size(inputs)
    model.train()
    for _ in range(network.steps):
        some = torch.randint(count, (task.batch,), generator=source)
        x, y = trees.take(inputs, some), trees.take(targets, some)
        if augment is not None:
            x, y = augment(x, y)
        optimiser.zero_grad()
        task.loss(model(x), y).mean().backward()
        optimiser.step()
        cycle.step()
    optimiser.zero_grad()
    model.eval()
    state: Mapping[str, Any] = optimiser.state_dict()
    return state
