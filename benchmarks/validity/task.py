"""What the models of the zoo are trained on: data of known symmetry, networks, lessons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from goldstone import Symmetry
from goldstone.auditing import Lesson
from goldstone.auditing.settings import METRICS, MetricName
from goldstone.auditing.subject import Loss
from goldstone.core.trees import Tree

Pair = tuple[Tree, Tree]
Law = Literal["biased", "symmetric"]
Recipe = Literal["biased", "symmetric", "augmented", "subgroup", "untrained"]
"""Trained on data of the biased or the symmetric law; on biased data moved by random elements of
the whole group or of a subgroup; or not at all."""


@dataclass(frozen=True)
class Architecture:
    """A network and how long it is trained.

    Attributes:
        make: a new one; its random weights come from torch's global generator.
        family: architectures of one kind, which are split together.
        built_in: names of the elements under which it is equivariant for all weights.
        steps: of AdamW with one cycle of the learning rate; 0 for what is not trained.
        learning_rate: the largest.
        fit: normalisers and the like, from the training data.
        free_path: ε, of an equivariant network with a free path beside it.
        trivial: constant or identity: symmetric without having learned anything.
        apart: names of the elements that move every sample to weights that it does not use in its
            own pose, so that nothing can be shared.
        unclear: names of the elements under which it may hold although it was never shown, such as
            shifts of a recurrence.
    """

    make: Callable[[], nn.Module]
    family: str
    built_in: frozenset[str] = frozenset()
    steps: int = 500
    learning_rate: float = 3e-3
    fit: Callable[[nn.Module, Pair], None] | None = None
    free_path: float | None = None
    trivial: bool = False
    apart: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Task:
    """Data, symmetry, loss, networks and lessons.

    Attributes:
        name: one word.
        symmetry: whose ``elements`` are tested; the identity is none of them.
        loss: per sample.
        train: training pairs of a law; samples are independent.
        held_out: pairs of a law that no model was trained on, 400 or so.
        shown: by law, the names of the elements that leave it unchanged in distribution, tested or
            not.
        subgroup: elements (values, the identity among them) of the recipe "subgroup".
        architectures: by name.
        members: the zoo's models of this task: architecture, recipe and seed.
        lessons: for the teach-it-once assay.
        posed: held-out pairs in one pose to teach them on, where the assay cannot fold the poses of
            ``held_out``: its features of point clouds are coordinates, which know no extents.
        teaching_rate: learning rate of the lessons.
        teaching_steps: of a lesson.
        wrong: a deliberately wrong action of the same group, as a control.
        batch: samples a training step.
        metrics: of the audits.
    """

    name: str
    symmetry: Symmetry
    loss: Loss
    train: Callable[[Law], Pair]
    held_out: Callable[[Law], Pair]
    shown: Mapping[Law, frozenset[str]]
    subgroup: tuple[Any, ...]
    architectures: Mapping[str, Architecture]
    members: tuple[tuple[str, Recipe, int], ...]
    lessons: tuple[Lesson, ...]
    posed: Pair | None = None
    teaching_rate: float = 1e-3
    teaching_steps: int = 120
    wrong: Symmetry | None = None
    batch: int = 32
    metrics: tuple[MetricName, ...] = METRICS

    @property
    def elements(self) -> tuple[Any, ...]:
        """Those tested."""
        return tuple(self.symmetry.elements or self.symmetry.group.elements()[1:])

    def element_names(self) -> tuple[str, ...]:
        """As in the audit."""
        return tuple(self.symmetry.group.element_name(g) for g in self.elements)


@dataclass(frozen=True)
class Member:
    """A model of the zoo."""

    task: Task = field(repr=False)
    architecture: str
    recipe: Recipe
    seed: int

    @property
    def name(self) -> str:
        """Unique, fit for a file."""
        words = (self.task.name, self.architecture, self.recipe, str(self.seed))
        return "-".join(words).replace(" ", "_").replace("=", "")

    @property
    def network(self) -> Architecture:
        """What is trained."""
        return self.task.architectures[self.architecture]

    @property
    def training(self) -> dict[str, float]:
        """What its weights depend on beside its name; a change makes kept ones worthless."""
        network = self.network
        return {
            "steps": network.steps,
            "learning rate": network.learning_rate,
            "batch": self.task.batch,
        }

    @property
    def teaching(self) -> dict[str, float]:
        """The same of its lessons."""
        return {"steps": self.task.teaching_steps, "learning rate": self.task.teaching_rate}

    @property
    def family(self) -> str:
        """Task and kind of architecture: what is kept together when the zoo is halved."""
        return f"{self.task.name}, {self.network.family}"

    @property
    def law(self) -> Law:
        """Of the data it is audited on: the one it was trained on, before augmentation."""
        return "symmetric" if self.recipe == "symmetric" else "biased"

    @property
    def skilled(self) -> bool:
        """Whether it can be judged at all."""
        return self.recipe != "untrained" and not self.network.trivial

    def holds_by_construction(self) -> dict[str, bool | None]:
        """By element: built in or shown by the training data; None where nothing says so.

        An equivariant network with a free path may or may not have kept the symmetry.
        """
        task, names = self.task, self.task.element_names()
        if not self.skilled:
            return dict.fromkeys(names)
        shown = set(self.network.built_in) | task.shown[self.law]
        if self.recipe == "augmented":
            shown |= set(names)
        if self.recipe == "subgroup":
            # Data moved by h of the subgroup: pose g is among them if g = hs, s leaving the law.
            group: Any = task.symmetry.group
            stays = [group.identity, *(group.parse(name) for name in task.shown[self.law])]
            products = (group.compose(h, s) for h in task.subgroup for s in stays)
            shown |= {group.element_name(g) for g in products}
        free = self.network.free_path is not None
        unknown = set(names) if free else self.network.unclear
        return {
            name: True if name in shown else None if name in unknown else False for name in names
        }

    def transports_by_construction(self) -> dict[str, bool | None]:
        """By element: all weights are shared, or none are; None where learning decides."""
        network = self.network
        known = dict.fromkeys(network.built_in, True) | dict.fromkeys(network.apart, False)
        return {g: known.get(g) for g in self.task.element_names()}
