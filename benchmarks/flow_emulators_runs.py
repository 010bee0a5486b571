"""The arms of flow_emulators.py: how each is trained, what a step costs, what its audit says."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.flow_emulators_flows import (
    GRID,
    LAW,
    LEARNED_STEPS,
    SYMMETRY,
    first_states,
    flows,
    held_out,
    in_all_poses,
    relative_errors,
)
from benchmarks.rounds import interleaved, medians, ratios
from goldstone.actions import NAVIER_STOKES_FIELDS
from goldstone.auditing import AuditSettings, audit
from goldstone.core import generator
from goldstone.systems.emulators import EmulatorConfig, build_emulator, count_parameters
from goldstone.training import TrainingConfig, train_next_step

STEPS, BATCH, RATE, SEEDS = 512, 16, 2e-2, 3
LARGEST = 128
UNET = EmulatorConfig(
    "unet",
    NAVIER_STOKES_FIELDS,
    GRID,
    {"base_channels": 8, "stages": 1, "blocks_per_stage": 1, "attention": False},
)
STEERABLE = EmulatorConfig("equivariant", NAVIER_STOKES_FIELDS, GRID, {"copies": 3, "stages": 1})


@dataclass(frozen=True)
class Arm:
    """A way to an emulator; ``longer`` times :data:`STEPS` steps."""

    name: str
    network: EmulatorConfig = UNET
    augmented: bool = False
    longer: int = 1

    @property
    def full_name(self) -> str:
        """With the factor of its steps."""
        return self.name if self.longer == 1 else f"{self.name} {self.longer}×"


_SHORT = (Arm("plain"), Arm("augmented", augmented=True), Arm("equivariant", STEERABLE))
_LONG = tuple(Arm(a.name, a.network, a.augmented, 3) for a in _SHORT)
ARMS = (*_SHORT, *_LONG)
PLAN: dict[str, dict[int, tuple[Arm, ...]]] = {
    "isotropic": {2: _SHORT, 8: ARMS[:-1], 32: _SHORT, LARGEST: ARMS},
    "anisotropic states": {LARGEST: _SHORT},
    "anisotropic law": {LARGEST: ARMS[:4]},
}
"""By kind of flow and number of trajectories: the arms that learn from them."""
AUDIT = AuditSettings(
    trajectories=32,
    samples=12,
    metrics=("euclidean",),
    bootstrap=500,
    permutations=500,
    rollout_steps=0,
)


def measured(
    kind: str, arm: Arm, size: int, seed: int, work: Path, steps: int = STEPS
) -> dict[str, Any]:
    """Train one model, or go on with it, and measure and audit it."""
    data = flows(kind, first_states(kind, size, seed), LEARNED_STEPS)
    if arm.augmented:
        data = in_all_poses(data)
    # Few trajectories are repeated, so that epochs are of as many batches, all of them full.
    times = max(1, LARGEST // len(data))
    data = data.select(list(range(len(data))) * times)
    batches = len(data) * data.steps // BATCH
    epochs = max(1, steps * arm.longer // batches)
    settings = TrainingConfig(
        epochs=epochs, batch_size=BATCH, learning_rate=RATE, seed=seed, checkpoint_every=epochs
    )
    folder = work / f"{kind}-{arm.full_name}-{size}-{seed}-{steps}".replace(" ", "-")
    start = time.process_time()
    trained = train_next_step(arm.network, settings, data, folder)
    seconds = time.process_time() - start
    model = trained.emulator.eval()
    one, far = relative_errors(model, held_out(kind))
    posed_one, posed_far = relative_errors(model, held_out(kind, posed=True))
    return {
        "error": one,
        "rollout": far,
        "posed_error": posed_one,
        "posed_rollout": posed_far,
        "training_loss": trained.history.epochs[-1].train_loss,
        "steps": epochs * batches,
        "parameters": count_parameters(model),
        "cpu_seconds": seconds,
        "audit": audited(model, kind),
    }


def audited(model: nn.Module, kind: str) -> dict[str, Any]:
    """What the audit says of D4, and T and ρ of each element with their intervals.

    A law without D4 makes the audit refuse the symmetry; it is forced, and what it refused is kept.
    """
    found = audit(
        model, held_out(kind), SYMMETRY, ground_truth=LAW[kind], settings=AUDIT, force=True
    )
    axes = {"holds": found.verdict.holds, "transports": found.verdict.transports}

    def values(statistic: Any) -> list[float | None]:
        return [statistic.estimate, statistic.low, statistic.high]

    return {
        **{name: axis.answer for name, axis in axes.items()},
        "residual": {n: [list(s.elements) for s in axis.residual_low] for n, axis in axes.items()},
        "has_skill": found.model.has_skill,
        "precheck": found.precheck.status,
        "refused": [check.name for check in found.precheck.ground_truth if not check.passes],
        "elements": {
            e.name: {
                "T": values(e.log_loss_ratio),
                "rho": values(e.orbit_coherence["euclidean"]),
                "error": values(e.equivariance_error),
                "holds": e.holds,
                "transports": e.transports,
            }
            for e in found.elements
            if e.name != "e"
        },
    }


def cost_of_a_step(rounds: int = 60) -> dict[str, Any]:
    """CPU seconds of a training step by network, in interleaved rounds, and their ratio."""
    x = torch.randn(BATCH, 2, *GRID, generator=generator(0, "inputs"))

    def step(model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()

    works = {}
    for name, network in (("plain", UNET), ("equivariant", STEERABLE)):
        model = build_emulator(network)
        works[name] = partial(step, model, torch.optim.AdamW(model.parameters(), 0.0))
    times, _ = interleaved(works, rounds)
    return {"cpu": medians(times)["cpu"], "ratio": ratios(times, "plain")["cpu"]["equivariant"]}
