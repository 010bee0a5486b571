"""What is measured on which model; each part is kept and never made twice."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from math import fsum
from pathlib import Path
from typing import Any

from goldstone.actions import Symmetry
from goldstone.core import Progress, from_json
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.loss_landscape_geometry.measure import ElementMeasurement, Meter
from goldstone.reproductions.loss_landscape_geometry.models import (
    Flow,
    Laboratory,
    Network,
    Variant,
)
from goldstone.reproductions.loss_landscape_geometry.sizes import Sizes
from goldstone.reproductions.loss_landscape_geometry.symmetries import (
    D4,
    FAILING,
    Convention,
    Violation,
    boosts,
    element,
    mass_scaling,
    point_group,
    shifts,
    velocity_scaling,
    violation,
)
from goldstone.systems.emulators import checkpoint_path, load_emulator
from goldstone.systems.losses import mse, scaled_mse, squared_scaled_mse

Elements = Mapping[str, ElementMeasurement]
BOOST_SPEEDS = (0.25, 0.5, 1.0)
SCALES = (0.5, 0.8, 1.25, 2.0)
KINDS = {
    "training": "training",
    "shifts": "shifts",
    "d4": "D4",
    "history": "D4 over training",
    "left": "boosts and scalings",
    "solver": "solver",
    "error": "errors",
}
"""What the kept measurements are called where their seconds are told."""


@dataclass(frozen=True)
class Run:
    """One trained model."""

    flow: Flow
    network: Network
    seed: int = 0
    variant: Variant = "isotropic"

    @property
    def name(self) -> str:
        """For files."""
        name = f"{self.flow}-{self.network}-{self.variant}-{self.seed}"
        return name.replace(" ", "-").lower()


@dataclass(frozen=True)
class Trained:
    """How well a model learned: held-out losses, and of the state itself as the prediction."""

    epochs: tuple[int, ...]
    losses: tuple[float, ...]
    persistence: float

    @property
    def share(self) -> float:
        """The last loss over that of persistence."""
        return self.losses[-1] / self.persistence


@dataclass(frozen=True)
class Moved:
    """A symmetry that the paper left out, at one element: its error ratio and the solver's miss."""

    name: str
    error_quartiles: tuple[float, float, float]
    solver: Violation
    orbit: tuple[float, float, float] | None = None


class Experiments:
    """Trains and measures on demand."""

    def __init__(self, folder: Path, sizes: Sizes, progress: Progress) -> None:
        self.sizes = sizes
        self.progress = progress
        self.laboratory = Laboratory(folder, sizes, progress)
        # How many seeds there are changes no measurement.
        settings = {name: v for name, v in asdict(sizes).items() if name != "seeds"}
        self.kept = Kept(folder / "measurements", settings)
        self.made: list[str] = []

    def trained(self, run: Run) -> Trained:
        """The losses of a run."""

        def make() -> Trained:
            history = self.laboratory.train(run.flow, run.network, run.seed, run.variant).history
            return Trained(
                tuple(record.epoch for record in history.epochs),
                tuple(record.validation_loss or 0.0 for record in history.epochs),
                history.persistence_loss,
            )

        return from_json(Trained, self._kept(f"training/{run.name}", make), "training")

    def shifts(self, run: Run) -> Elements:
        """Cyclic shifts along the first axis, and some along the second, named ``axis:steps``."""

        def elements() -> Iterable[tuple[Symmetry, Any, str]]:
            symmetry = shifts((self.sizes.grid, self.sizes.grid))
            for step in self.sizes.shifts:
                yield symmetry, (step, 0), f"0:{step}"
            for step in self.sizes.few_shifts:
                yield symmetry, (0, step), f"1:{step}"

        return self._elements("shifts", run, list(elements()))

    def point_group(self, run: Run, convention: Convention = "right") -> Elements:
        """D4, all seven elements; under a wrong convention those that it makes wrong."""
        layout = self.laboratory.held_out(run.flow).layout
        symmetry = point_group(layout, convention)
        names: tuple[str, ...] = tuple(D4.element_name(g) for g in D4.elements()[1:])
        if convention == "swapped":
            names = FAILING
        elif convention == "flipped":
            names = ("sr", "sr³")  # r and r³ are what they are when swapped
        chosen = [(symmetry, element(name), name) for name in names]
        return self._elements(f"d4-{convention}", run, chosen)

    def history(self, run: Run) -> dict[int, dict[str, Elements]]:
        """D4 at checkpoints, by epoch and convention (*right*, *swapped*); the last is the end."""
        found: dict[int, dict[str, Elements]] = {}
        *before, last = self.sizes.checkpoints
        for epoch in before:
            layout = self.laboratory.held_out(run.flow).layout
            found[epoch] = {}
            for convention in ("right", "swapped"):
                symmetry = point_group(layout, convention)
                names = (
                    FAILING
                    if convention == "swapped"
                    else tuple(D4.element_name(g) for g in D4.elements()[1:])
                )
                chosen = [(symmetry, element(name), name) for name in names]
                label = f"history-{epoch}-{convention}"
                found[epoch][convention] = self._elements(label, run, chosen, epoch)
        found[last] = {
            "right": self.point_group(run), "swapped": self.point_group(run, "swapped")
        }  # fmt: skip
        return found

    def solver(self, run: Run, convention: Convention) -> dict[str, Violation]:
        """How far the elements of D4 are from symmetries of the solver, and its loss there."""
        names = [D4.element_name(g) for g in D4.elements()[1:]]

        def make() -> dict[str, Violation]:
            meter = self._meter(run)
            symmetry = point_group(meter.data.layout, convention)
            inputs = meter.few.samples.inputs
            return {
                name: violation(meter.data, inputs, symmetry, element(name), scaled_mse)
                for name in names
            }

        values = self._measured(run, f"solver-{convention}/{run.flow.lower()}", make)
        return {name: from_json(Violation, value, name) for name, value in values.items()}

    def error(self, run: Run) -> float:
        """The median loss on held-out states."""
        found = self._measured(run, f"error/{run.name}", lambda: {"error": self._meter(run).error})
        return float(found["error"])

    def left_out(self, run: Run) -> dict[str, tuple[Moved, ...]]:
        """Boosts and scalings, by the name of the symmetry."""

        def make() -> dict[str, tuple[Moved, ...]]:
            meter = self._meter(run)
            data = meter.data
            speed = _speed(meter)
            found = {}
            boost = boosts(data.layout)
            chosen: list[tuple[Symmetry, list[Any], Any]] = [
                (boost, [(round(speed * c, 3), 0.0) for c in BOOST_SPEEDS], mse)
            ]
            scaling = velocity_scaling() if run.flow == "NS" else mass_scaling()
            chosen.append((scaling, list(SCALES), squared_scaled_mse))
            for symmetry, elements, loss in chosen:
                other = Meter(meter.model, data, meter.samples, meter.reference, loss)
                # Gradients only where the loss is invariant and the law has the symmetry.
                invariant = symmetry is not boost if run.flow == "CE" else symmetry is boost
                found[symmetry.name] = tuple(
                    _moved(other, symmetry, g, gradients=invariant) for g in elements
                )
            return found

        values = self._measured(run, f"left-out/{run.name}", make)
        return {
            name: tuple(from_json(Moved, entry, name) for entry in entries)
            for name, entries in values.items()
        }

    def seconds(self) -> dict[str, float]:
        """Processor time of everything that was asked for, by kind."""
        parts: dict[str, list[float]] = {}
        for name in sorted(self.made):
            kind = KINDS[name.split("/")[0].split("-")[0]]
            parts.setdefault(kind, []).append(self.kept.seconds(name))
        return {kind: round(fsum(values), 1) for kind, values in parts.items()}

    def _elements(
        self,
        label: str,
        run: Run,
        chosen: list[tuple[Symmetry, Any, str]],
        epoch: int | None = None,
    ) -> Elements:
        def make() -> dict[str, ElementMeasurement]:
            meter = self._meter(run, epoch)
            found = {}
            with self.progress.task(f"{label}, {run.name}", len(chosen)) as task:
                for symmetry, g, name in chosen:
                    found[name] = meter.element(symmetry, g)
                    task.advance()
            return found

        values = self._measured(run, f"{label}/{run.name}", make)
        return {name: from_json(ElementMeasurement, v, name) for name, v in values.items()}

    def _meter(self, run: Run, epoch: int | None = None) -> Meter:
        trained = self.laboratory.train(run.flow, run.network, run.seed, run.variant)
        model = trained.emulator
        if epoch is not None:
            model = load_emulator(checkpoint_path(trained.directory, epoch))
        data = self.laboratory.held_out(run.flow, run.variant)
        dampings = self.sizes.dampings if epoch is None else ()
        return Meter(model, data, self.sizes.samples, self.sizes.reference, dampings=dampings)

    def _measured(self, run: Run, name: str, make: Callable[[], Any]) -> dict[str, Any]:
        """Of a trained model. Its training counts as asked for, by whatever is kept of it too."""
        self.trained(run)
        return self._kept(name, make)

    def _kept(self, name: str, make: Callable[[], Any]) -> dict[str, Any]:
        if name not in self.made:
            self.made.append(name)
        return self.kept.measure(name, make)


def _speed(meter: Meter) -> float:
    """Root mean square speed of the flows."""
    fields = meter.data.fields
    parts = {field.fibre: channels for field, channels in meter.data.layout.slices()}
    if "velocity" in parts:
        return float(fields[:, :, parts["velocity"]].square().sum(2).mean().sqrt())
    velocity = fields[:, :, parts["momentum"]] / fields[:, :, parts["density"]]
    return float(velocity.square().sum(2).mean().sqrt())


def _moved(meter: Meter, symmetry: Symmetry, g: Any, *, gradients: bool) -> Moved:
    miss = violation(meter.data, meter.few.samples.inputs, symmetry, g, meter.loss)
    name = symmetry.group.element_name(g)
    if not gradients:
        return Moved(name, meter.error_quartiles(symmetry, g), miss)
    found = meter.element(symmetry, g)
    orbit = found.coherence["euclidean"].orbit
    ends = tuple(float("nan") if v is None else v for v in (orbit.low, orbit.estimate, orbit.high))
    return Moved(name, found.error_quartiles, miss, (ends[0], ends[1], ends[2]))
