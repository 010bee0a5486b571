"""Which families of units admit matrices in place of permutations."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from goldstone.weightspace.tracing.interpreter import Interpreter
from goldstone.weightspace.tracing.labels import Ids
from goldstone.weightspace.tracing.units import Family, Slot

MatrixClass = Literal["general", "orthogonal", "orthogonal keeping ones"]


@dataclass(frozen=True, eq=False)
class LinearSlot:
    """Where a matrix acts.

    Attributes:
        slot: the places.
        dual: whether g⁻ᵀ acts there, where g does elsewhere.
        frame: the slot of the diagonal D, if D g D⁻¹ acts in place of g.
    """

    slot: Slot
    dual: bool
    frame: Slot | None


class LinearMaps:
    """What a walk with permutations has learned of matrices."""

    def __init__(self, walk: Interpreter) -> None:
        ties = walk.domain.ties
        self.not_matrix = _marked(ties.size, ties.not_matrix)
        self.not_general = _marked(ties.size, ties.not_general)
        self.keeps_ones = _marked(ties.size, ties.keeps_ones)
        _, self.sense, self.bound = ties.senses()
        self.frames, self.wrong = ties.frame_of()
        for number, ids in ties.framed:
            if number in self.wrong:
                self.not_matrix[ids.ravel() >> 1] = True
        self.diagonals = frozenset(ties.frame_parameters.values())
        self.axis_frames = {
            (name, one.axes[0]): one.frame
            for name, x in walk.parameters.items()
            for one in x.fields
        }

    def of(self, family: Family) -> tuple[MatrixClass, tuple[LinearSlot, ...]] | None:
        """The largest class of matrices that a family admits, and where they act; None for none."""
        if family.is_block or any(self.not_matrix[slot.nodes].any() for slot in family.slots):
            return None
        slots = []
        by_name = {slot.parameter: slot for slot in family.slots}
        for slot in family.slots:
            number = self.axis_frames[slot.parameter, slot.axis]
            if slot.parameter in self.diagonals and slot.nodes.shape[2] == 1:
                continue
            if number in self.wrong:
                return None
            frame = self.frames[number]
            if frame is not None and (frame not in by_name or by_name[frame].nodes.shape[2] > 1):
                return None
            senses = self.sense[slot.nodes]
            for replica in range(senses.shape[2]):
                if len(np.unique(senses[:, :, replica])) > 1:
                    return None
                part = Slot(
                    slot.parameter,
                    slot.axis,
                    slot.nodes[:, :, replica : replica + 1],
                    slot.places[:, :, replica : replica + 1],
                )
                dual = bool(senses[0, 0, replica])
                slots.append(LinearSlot(part, dual, None if frame is None else by_name[frame]))
        marked = [slot.slot.nodes for slot in slots]
        nodes = np.concatenate([one.ravel() for one in marked])
        if self.keeps_ones[nodes].any():
            return "orthogonal keeping ones", tuple(slots)
        if self.not_general[nodes].any() or self.bound[nodes].any():
            return "orthogonal", tuple(slots)
        return "general", tuple(slots)


def _marked(size: int, ids: list[Ids]) -> NDArray[np.bool_]:
    marks = np.zeros(size, dtype=bool)
    for one in ids:
        marks[one.ravel() >> 1] = True
    return marks
