"""Learned matching: symmetries chosen by the loss between two networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Progress, SilentProgress, generator, trees
from goldstone.weightspace.matching.checkpoint import Checkpoint, digest
from goldstone.weightspace.matching.latent_elements import LatentElements
from goldstone.weightspace.matching.matched_units import matched_units
from goldstone.weightspace.matching.merging import interpolated, normalising_by_batch
from goldstone.weightspace.matching.samples import Loss, each_loss, sample_count
from goldstone.weightspace.matching.steps import applied, merged_steps
from goldstone.weightspace.matching.weight_matching import (
    Alignment,
    checked_states,
    chosen_symmetries,
    weight_distance,
    weight_matching,
)
from goldstone.weightspace.symmetries.parameter_symmetries import ParameterSymmetries
from goldstone.weightspace.symmetries.parameter_symmetry import (
    Kind,
    ParameterSymmetry,
    StateDict,
)

LOOKS = 20
"""How often the loss half-way is measured on the same samples, to keep the best elements."""

MOST_SAMPLES = 1024
"""On how many samples at most."""


@dataclass(frozen=True, eq=False)
class LearnedAlignment(Alignment):
    """An alignment that was learned.

    Attributes:
        losses: mean loss of the batch at each step, at its random λ.
        middle: (step, mean loss at λ = ½) on the same samples throughout; step 0 is the start. The
            elements kept are those of the smallest.
    """

    losses: tuple[float, ...] = ()
    middle: tuple[tuple[int, float], ...] = ()


def learned_matching(
    reference: nn.Module,
    model: nn.Module,
    symmetries: ParameterSymmetries | Sequence[ParameterSymmetry],
    inputs: Any,
    targets: Any,
    loss: Loss,
    *,
    kinds: Sequence[Kind] | None = None,
    start: Alignment | None = None,
    steps: int = 500,
    batch_size: int = 64,
    learning_rate: float = 1e-2,
    weight_decay: float = 0.0,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> LearnedAlignment:
    """Move ``model`` along its symmetries to where the loss between it and the reference is small.

    min over g of E_λ L((1 − λ)a + λ·gb), λ uniform on [0.4, 0.6] (Generalized linear mode
    connectivity for transformers, arXiv 2506.22712). From the elements that weight matching finds,
    AdamW moves one free matrix for each symmetry: permutations are the nearest by linear assignment
    with a straight-through gradient, orthogonal matrices its polar factor, those of GL(n) itself.
    The network stays the same function: every element is of its group. Of those met, the elements
    with the smallest loss half-way are kept, so that it is never above that of the start there.

    Layers of BatchNorm normalise by their batch while it learns; other layers run in the mode in
    which they are given.

    Args:
        reference: not moved.
        model: of the same architecture; not changed.
        symmetries: of this architecture.
        inputs: a tensor or a tuple of positional arguments, samples first.
        targets: of the same samples.
        loss: of outputs and targets, one number for each sample.
        kinds: which kinds may be used, all by default; ``("permutation",)`` permutes only. Factors
            and signs are those of the start.
        start: where to begin, by default :func:`weight_matching` of the same kinds and seed.
        steps: training steps.
        batch_size: samples in a batch.
        learning_rate: of AdamW.
        weight_decay: of AdamW; pulls towards the start.
        seed: of batches and λ.
        checkpoint: a file, written after every twentieth of the steps, from which the same call
            goes on where it was stopped, to the same result; a finished one gives that at once.
        progress: told of steps.

    Raises:
        InputError: as :func:`weight_matching`; or nothing is left to learn, there are not as many
            targets as inputs, the loss is not finite or not one number for each sample, or the
            checkpoint is damaged or that of another search.
    """
    chosen, allowed = chosen_symmetries(symmetries, kinds)
    a, b = checked_states(reference, model)
    if start is None:
        start = weight_matching(reference, model, chosen, kinds=kinds, seed=seed)
    latent = LatentElements(matched_units(chosen, allowed))
    if not latent.symmetries:
        raise InputError(
            "nothing to learn: this network has no symmetry of the kinds "
            f"{', '.join(sorted(allowed))} that matching uses"
        )
    walk = _Middle(reference, a, start.state_dict, loss)
    optimiser = torch.optim.AdamW(latent.offsets, lr=learning_rate, weight_decay=weight_decay)
    stream = generator(seed, "learned matching")
    count = sample_count(inputs, targets)
    fixed = torch.randperm(count, generator=stream)[:MOST_SAMPLES]
    judged = trees.take(inputs, fixed), trees.take(targets, fixed)
    every = max(1, steps // LOOKS)
    kept = Checkpoint(
        checkpoint,
        {
            "weights": digest(a, start.state_dict),
            "symmetries": [[one.name, one.kind] for one in latent.symmetries],
            "settings": [steps, batch_size, learning_rate, weight_decay, seed, count],
        },
    )
    done, best, losses, middle = 0, latent.values(), list[float](), list[tuple[int, float]]()
    if (found := kept.read()) is not None:
        done, best, losses = found["step"], found["best"], found["losses"]
        middle = [(step, value) for step, value in found["middle"]]
        latent.assign(found["offsets"])
        optimiser.load_state_dict(found["optimiser"])
        stream.set_state(found["stream"])
    else:
        middle.append((0, walk.judge(latent, *judged, batch_size)))
    with (progress or SilentProgress()).task("learned matching", steps) as task:
        task.advance(done)
        for step in range(done + 1, steps + 1):
            mixing = 0.4 + 0.2 * float(torch.rand((), generator=stream))
            rows = torch.randint(count, (min(batch_size, count),), generator=stream)
            value = walk.loss(
                latent, mixing, trees.take(inputs, rows), trees.take(targets, rows)
            ).mean()
            optimiser.zero_grad()
            torch.autograd.backward(value)
            optimiser.step()
            losses.append(float(value.detach()))
            if step % every == 0 or step == steps:
                height = walk.judge(latent, *judged, batch_size)
                if height < min(value for _, value in middle):
                    best = latent.values()
                middle.append((step, height))
                kept.write(
                    {
                        "step": step, "best": best, "losses": losses, "middle": middle,
                        "offsets": latent.values(), "optimiser": optimiser.state_dict(),
                        "stream": stream.get_state(),
                    }
                )  # fmt: skip
            task.advance()
    latent.assign(best)
    moves = merged_steps((*start.steps, *latent.steps()))
    final = applied(b, moves)
    return LearnedAlignment(
        state_dict=final,
        steps=moves,
        distance_before=start.distance_before,
        distance=weight_distance(reference, a, final),
        rounds=start.rounds,
        losses=tuple(losses),
        middle=tuple(middle),
    )


class _Middle:
    """The loss between a network and a moved one."""

    def __init__(self, reference: nn.Module, a: StateDict, b: StateDict, loss: Loss) -> None:
        self.model = normalising_by_batch(reference)
        self.a, self.b, self.of = a, b, loss
        self.buffers = frozenset(name for name, _ in reference.named_buffers())

    def loss(self, latent: LatentElements, mixing: float, x: Any, y: Any) -> Tensor:
        """Of each sample, at (1 − λ)a + λ·gb."""
        point = interpolated(self.a, latent.moved(self.b), mixing)
        own = {
            name: one.detach().clone() if name in self.buffers else one
            for name, one in point.items()
        }
        arguments = x if isinstance(x, tuple) else (x,)
        out = torch.func.functional_call(self.model, own, arguments, tie_weights=False)
        values = each_loss(self.of, out, y)
        if not bool(values.isfinite().all()):
            raise InputError("the loss between the networks is not finite; lower the learning rate")
        return values

    def judge(self, latent: LatentElements, x: Any, y: Any, size: int) -> float:
        """The mean loss half-way."""
        with torch.no_grad():
            parts = [
                self.loss(latent, 0.5, one, two)
                for one, two in zip(trees.chunks(x, size), trees.chunks(y, size), strict=True)
            ]
        return float(torch.cat(parts).double().mean())
