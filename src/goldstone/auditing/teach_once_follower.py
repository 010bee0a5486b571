"""What a copy knows of a lesson while it is being taught, on the held-out pairs."""

from collections.abc import Mapping, Set
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.auditing.inspection import predict
from goldstone.auditing.lesson_pairs import LessonPairs, move_pairs
from goldstone.auditing.subject import Subject
from goldstone.auditing.teach_once_results import (
    HeldOut,
    LearningCurve,
    TaughtElement,
    taught_element,
)
from goldstone.core.trees import Tree


class LearningFollower:
    """The losses of the taught pose after some of the steps."""

    def __init__(self, subject: Subject, held: HeldOut, at: Set[int]) -> None:
        self._subject, self._held, self._at = subject, held, at
        self._losses = {0: self._of(subject.model)}

    def look(self, step: int, model: nn.Module) -> None:
        """Look, if this is one of the steps."""
        if step in self._at:
            self._losses[step] = self._of(model)

    def gains(self) -> dict[int, float]:
        """Of the lesson's loss where it is asked for, by step."""
        lesson = {step: self._mean(x, 0, carries=True) for step, x in self._losses.items()}
        return {step: lesson[0] - value for step, value in lesson.items()}

    def curve(self) -> LearningCurve:
        """All looks."""
        losses = self._losses.values()
        moves = [(self._losses[0] - x) @ torch.tensor([1.0, -1.0]).double() for x in losses]
        ones = self._held.once
        return LearningCurve(
            steps=tuple(self._losses),
            lesson=tuple(self._mean(x, 0, carries=True) for x in losses),
            kept=tuple(self._mean(x, 1, carries=False) for x in losses),
            contrast=tuple(float(self._held.contrast(m, m, ones)) for m in moves),
        )

    def _of(self, model: nn.Module) -> Tensor:
        pairs = self._held.pairs
        outputs = predict(model, pairs.inputs, self._subject.settings.batch)
        return _losses(self._subject, outputs, pairs)

    def _mean(self, losses: Tensor, column: int, *, carries: bool) -> float:
        values, ones = losses[:, column], self._held.once
        return float(self._held.mean(values, carries=carries, counts=ones))


class PoseFollower:
    """What is known in every pose after some of the steps: ``found`` by step."""

    def __init__(
        self,
        subject: Subject,
        held: HeldOut,
        symmetry: Symmetry,
        poses: Mapping[str, Any],
        at: Set[int],
    ) -> None:
        self.found: dict[int, tuple[bool, dict[str, TaughtElement]]] = {}
        self._subject, self._held, self._symmetry = subject, held, symmetry
        self._poses, self._at = poses, at
        self._before = self._measure(subject.model) if at else {}

    def look(self, step: int, model: nn.Module) -> None:
        """Measure every pose, if this is one of the steps."""
        if step not in self._at:
            return
        gains = {
            name: tuple(b - a for b, a in zip(self._before[name], after, strict=True))
            for name, after in self._measure(model).items()
        }
        taught = next(iter(gains.values()))[0]
        learned = self._held.is_learned(taught)
        self.found[step] = (
            learned,
            {
                name: taught_element(moved, seen, self._held, learned=learned)
                for name, (moved, seen) in gains.items()
            },
        )

    def _measure(self, model: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
        """The losses of f(gx), and of g f(x), to the moved targets."""
        pairs, subject, symmetry = self._held.pairs, self._subject, self._symmetry
        outputs = predict(model, pairs.inputs, subject.settings.batch)
        found = {}
        for name, element in self._poses.items():
            moved = move_pairs(pairs, symmetry, element)
            there = predict(model, moved.inputs, subject.settings.batch)
            seen = symmetry.on_output.act(element, outputs, pairs.context.at(1))
            found[name] = (_losses(subject, there, moved), _losses(subject, seen, moved))
        return found


def _losses(subject: Subject, outputs: Tree, pairs: LessonPairs) -> Tensor:
    """ℓ to the lesson's targets and to the ordinary ones, (m, 2) float64."""
    both = [subject.loss(outputs, pairs.lesson), subject.loss(outputs, pairs.ordinary)]
    return torch.stack(both, 1).double().cpu()
