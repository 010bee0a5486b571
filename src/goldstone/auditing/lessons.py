"""What a model can be taught that it cannot know: new targets for some of the samples.

A lesson has to be as symmetric as the task: whether a sample carries it, and what it asks, must
move with the group, or a model that transports everything would seem to transport nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from goldstone.auditing.samples import Samples
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

Change = Callable[[Samples], Tree]
"""New targets of all samples, from inputs and targets."""
Score = Callable[[Samples], Tensor]
"""A property of every sample, (n,)."""


@dataclass(frozen=True, eq=False)
class Marked:
    """Who carries a lesson. Samples may be left out, or come twice.

    Attributes:
        inputs: m samples as the model sees them.
        index: (m,) which sample each is.
        carries: (m,) whether it carries the lesson; the others are controls.
    """

    inputs: Tree
    index: Tensor
    carries: Tensor


class Lesson(Protocol):
    """Something to teach."""

    @property
    def name(self) -> str:
        """In words."""
        ...

    def mark(self, samples: Samples) -> Marked:
        """Which samples carry the lesson and which are controls, by something the model can see."""
        ...

    def targets(self, samples: Samples) -> Tree:
        """What the lesson asks of every sample, as if it carried it."""
        ...


@dataclass(frozen=True)
class FlaggedLesson:
    """New targets for the samples with the highest scores; those with the lowest are controls.

    What lies between is left out, so that the model need not find a sharp border.

    Attributes:
        name: in words.
        change: the new targets.
        score: by default the :func:`size` of the input. A property that no element changes.
        share: of the samples that carries the lesson, and again of those that are controls; at
            most a half.
    """

    name: str
    change: Change
    score: Score | None = None
    share: float = 1 / 3

    def __post_init__(self) -> None:
        if not 0 < self.share <= 0.5:
            raise InputError(f"share: expected a number above 0, at most 0.5, got {self.share}")

    def mark(self, samples: Samples) -> Marked:
        """The top and the bottom ``share``.

        Raises:
            InputError: scores are not one finite number for each sample.
        """
        scores = (self.score or size)(samples)
        n = trees.batch_size(samples.inputs)
        if scores.shape != (n,) or not bool(torch.isfinite(scores).all()):
            raise InputError(
                f"score: expected one finite number for each of {n} samples, got shape "
                f"{tuple(scores.shape)}"
            )
        many = int(self.share * n)
        order = scores.argsort(stable=True)
        # In the order of the samples, which is the same in every pose.
        low, high = order[:many].sort().values, order[n - many :].sort().values
        index = torch.cat([high, low])
        carries = torch.arange(2 * many, device=index.device) < many
        return Marked(trees.take(samples.inputs, index), index, carries)

    def targets(self, samples: Samples) -> Tree:
        """Those of ``change``."""
        return self.change(samples)


@dataclass(frozen=True)
class RelabelledClass:
    """A new label for one class; the other classes are controls.

    Attributes:
        of: the class that carries the lesson.
        to: its new label. Samples of this class take no part.
    """

    of: int
    to: int

    @property
    def name(self) -> str:
        """In words."""
        return f"class {self.of} is called {self.to}"

    def mark(self, samples: Samples) -> Marked:
        """By the label.

        Raises:
            InputError: the targets are not one label for each sample.
        """
        labels = _labels(samples)
        index = torch.nonzero(labels != self.to)[:, 0]
        return Marked(trees.take(samples.inputs, index), index, labels[index] == self.of)

    def targets(self, samples: Samples) -> Tree:
        """The new label."""
        return torch.full_like(_labels(samples), self.to)


@dataclass(frozen=True)
class MarkedLesson:
    """New targets for inputs that have been marked; the same inputs without a mark are controls.

    For models with an input that the data leave constant, such as a parameter or a spare channel.
    The two kinds differ in nothing else, which makes this the cleanest lesson.

    Attributes:
        name: in words.
        change: the new targets.
        write: inputs to inputs with the mark. It has to commute with the group.
    """

    name: str
    change: Change
    write: Callable[[Tree], Tree]

    def mark(self, samples: Samples) -> Marked:
        """Every sample twice."""
        n = trees.batch_size(samples.inputs)
        index = torch.arange(n).repeat(2)
        inputs = trees.concatenate([self.write(samples.inputs), samples.inputs])
        return Marked(inputs, index, torch.arange(2 * n) < n)

    def targets(self, samples: Samples) -> Tree:
        """Those of ``change``."""
        return self.change(samples)


def stepped_by(step: Callable[[Tree], Tree]) -> Change:
    """The step of another law, such as a solver with another viscosity, of the same inputs."""
    return lambda samples: step(samples.inputs)


def scaled(factor: float) -> Change:
    """``factor`` · y. It commutes with every linear action."""

    def change(samples: Samples) -> Tree:
        return trees.map_leaves(lambda t: factor * t, samples.targets)

    return change


def next_label(classes: int) -> Change:
    """(y + 1) mod ``classes``."""
    return lambda samples: (_labels(samples) + 1) % classes


def size(samples: Samples) -> Tensor:
    """Root mean square of each input's numbers; no orthogonal matrix or permutation changes it.

    Raises:
        InputError: the inputs hold no real or complex numbers.
    """
    return _root_mean_square(_continuous(samples))


def variation(samples: Samples) -> Tensor:
    """The same of each channel less its mean over space; neither do shifts or boosts change it.

    Space is every axis after the second, and of (batch, point, component) that of the points.

    Raises:
        InputError: the inputs hold no real or complex numbers.
    """

    def centred(leaf: Tensor) -> Tensor:
        axes = tuple(range(2, leaf.ndim)) if leaf.ndim > 3 else (1,)
        return leaf - leaf.mean(axes, keepdim=True) if leaf.ndim > 2 else leaf

    return _root_mean_square([centred(leaf) for leaf in _continuous(samples)])


def _root_mean_square(numbers: list[Tensor]) -> Tensor:
    return trees.flat(tuple(numbers)).double().square().mean(1).sqrt()


def _continuous(samples: Samples) -> list[Tensor]:
    found = [leaf for leaf in trees.leaves(samples.inputs) if trees.is_continuous(leaf)]
    if not found:
        raise InputError(
            "the inputs hold no real numbers, so that their size cannot flag a lesson; give a score"
        )
    return found


def _labels(samples: Samples) -> Tensor:
    labels = samples.targets
    if not isinstance(labels, Tensor) or labels.ndim != 1 or trees.is_continuous(labels):
        raise InputError(
            "expected targets that are one class label for each sample, got "
            f"{trees.describe(labels)}"
        )
    return labels


def taken(samples: Samples, index: Tensor) -> Samples:
    """Some of the samples."""
    return replace(
        samples,
        inputs=trees.take(samples.inputs, index),
        targets=trees.take(samples.targets, index),
        trajectory=samples.trajectory[index.to(samples.trajectory.device)],
    )
