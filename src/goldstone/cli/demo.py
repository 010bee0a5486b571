"""The demo's recipe: three emulators whose answers are known in advance."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from goldstone.auditing import AuditResult, AuditSettings, audit
from goldstone.auditing.inspection import weights_sha256
from goldstone.auditing.provenance import data_sha256
from goldstone.core import InputError, Progress, Task, derive_seed, replacing, to_json
from goldstone.report import write_index, write_report
from goldstone.systems.emulators import (
    Architecture,
    EmulatorConfig,
    list_checkpoints,
    load_emulator,
)
from goldstone.systems.flows import NavierStokes2d, Trajectories, simulate
from goldstone.systems.losses import scaled_mse
from goldstone.training import TrainingConfig, train_next_step


@dataclass(frozen=True)
class Contestant:
    """One emulator of the demo."""

    name: str
    architecture: Architecture
    initial_condition: str
    arguments: Mapping[str, int | float | bool]


@dataclass(frozen=True)
class Recipe:
    """Sizes of the demo.

    Few passes over many flows: what a small network memorises of its training flows is seen as
    a loss ratio between a flow and its mirror image, and would be taken for a broken symmetry.
    """

    grid: int
    training_flows: int
    epochs: int
    learning_rate: float
    base_channels: int
    copies: int
    gradient_samples: int
    test_flows: int = 72
    steps: int = 5
    dt: float = 0.05
    viscosity: float = 2e-3
    batch_size: int = 16

    @property
    def contestants(self) -> tuple[Contestant, ...]:
        """The emulators, in the order of the index page."""
        unet = {
            "base_channels": self.base_channels,
            "stages": 2,
            "blocks_per_stage": 1,
            "attention": False,
        }
        return (
            Contestant("unet-anisotropic", "unet", "anisotropic-turbulence", unet),
            Contestant("unet-isotropic", "unet", "isotropic-turbulence", unet),
            Contestant(
                "equivariant", "equivariant", "anisotropic-turbulence", {"copies": self.copies}
            ),
        )


FULL = Recipe(
    grid=48,
    training_flows=240,
    epochs=6,
    learning_rate=3e-3,
    base_channels=12,
    copies=2,
    gradient_samples=16,
)
QUICK = Recipe(
    grid=32,
    training_flows=200,
    epochs=4,
    learning_rate=4e-3,
    base_channels=8,
    copies=1,
    gradient_samples=10,
)


def run_demo(
    out: Path, recipe: Recipe, seed: int, progress: Progress
) -> tuple[Path, dict[str, AuditResult]]:
    """Simulate, train, audit and write the pages; what is finished already is kept.

    Returns:
        The index page, and each emulator's audit by name.

    Raises:
        InputError: ``out`` holds a demo of another recipe or seed.
    """
    _claim(out, recipe, seed)
    results = {}
    for contestant in recipe.contestants:
        train, test = (
            _flows(out, recipe, contestant.initial_condition, part, seed, progress)
            for part in ("train", "test")
        )
        folder, shown = out / contestant.name, _Named(progress, contestant.name)
        training = TrainingConfig(
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            seed=seed,
        )
        config = EmulatorConfig(
            contestant.architecture, train.layout, train.grid, contestant.arguments
        )
        train_next_step(config, training, train, folder / "training", test, shown)
        settings = AuditSettings(samples=recipe.gradient_samples, seed=seed)
        results[contestant.name] = _audited(folder, contestant.name, test, settings, shown)
        write_report(folder)
    return write_index(out, [(name, name) for name in results]), results


@dataclass(frozen=True)
class _Named:
    """Progress whose labels say which emulator they belong to."""

    progress: Progress
    name: str

    def task(self, label: str, total: int) -> AbstractContextManager[Task]:
        return self.progress.task(f"{self.name}: {label}", total)


def _claim(out: Path, recipe: Recipe, seed: int) -> None:
    """Note what the folder holds, or check that it is this very demo."""
    note = out / "demo.json"
    claim = json.dumps({"seed": seed, "recipe": to_json(recipe)}, indent=1, sort_keys=True) + "\n"
    if not note.exists():
        with replacing(note) as path:
            path.write_text(claim, encoding="utf-8")
    elif note.read_text(encoding="utf-8") != claim:
        raise InputError(
            f"{out} holds a demo of another size or seed (see {note}); choose another --out, or "
            "remove it"
        )


def _flows(
    out: Path, recipe: Recipe, initial_condition: str, part: str, seed: int, progress: Progress
) -> Trajectories:
    return simulate(
        NavierStokes2d(viscosity=recipe.viscosity),
        initial_condition,
        trajectories=recipe.training_flows if part == "train" else recipe.test_flows,
        steps=recipe.steps,
        grid=(recipe.grid, recipe.grid),
        dt=recipe.dt,
        seed=derive_seed(seed, "demo", part),
        path=out / "data" / f"{initial_condition}-{part}.npz",
        progress=progress,
    )


def _audited(
    folder: Path, name: str, test: Trajectories, settings: AuditSettings, progress: Progress
) -> AuditResult:
    """The audit of the trained emulator; a finished one of the same weights and data is read."""
    emulator = load_emulator(folder / "training")
    if (folder / "audit.json").exists():
        found = AuditResult.load(folder)
        same = (
            found.provenance.weights_sha256 == weights_sha256(emulator)
            and found.provenance.data_sha256 == data_sha256(test)
            and found.provenance.settings == to_json(asdict(settings))
        )
        if same:
            return found
    result = audit(
        emulator,
        test,
        "d4",
        loss=scaled_mse,
        history=(
            (epoch, load_emulator(path)) for epoch, path in list_checkpoints(folder / "training")
        ),
        shifts=True,
        settings=settings,
        name=name,
        progress=progress,
    )
    result.save(folder)
    return result
