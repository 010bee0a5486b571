"""The subgroup lattice as a Hasse diagram, marked with what holds, transports and is broken."""

from collections.abc import Sequence
from dataclasses import dataclass

from goldstone.auditing import AuditResult
from goldstone.auditing.results import Answer, AxisVerdict, SubgroupSummary

MOST_SUBGROUPS = 60
NODE_WIDTH, LEVEL_HEIGHT, MARGIN = 62, 92, 46


@dataclass(frozen=True)
class Node:
    """A subgroup in the diagram; ``residual`` marks the maximal one of either axis."""

    name: str
    order: int
    elements: tuple[str, ...]
    x: float
    y: float
    holds: Answer
    transports: Answer
    residual_holds: bool
    residual_transports: bool


@dataclass(frozen=True)
class Level:
    """All subgroups of one order."""

    order: int
    y: float


@dataclass(frozen=True)
class Lattice:
    """A drawn lattice: nodes, edges between their places, and its size in CSS pixels."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[float, float, float, float], ...]
    levels: tuple[Level, ...]
    width: float
    height: float


def lattice(result: AuditResult) -> Lattice | None:
    """The diagram of ``verdict.subgroups``; None without them or beyond sixty.

    Rows are orders, the largest on top; an edge joins a subgroup to one that contains it with
    nothing between (a cover). Rows are ordered by the barycentres of their neighbours.
    """
    subgroups = result.verdict.subgroups
    if not 2 <= len(subgroups) <= MOST_SUBGROUPS:
        return None
    sets = [frozenset(h.elements) for h in subgroups]
    covers = _covers(sets)
    rows = _ordered_rows(subgroups, covers)
    width = MARGIN + NODE_WIDTH * max(len(row) for row in rows)
    height = LEVEL_HEIGHT * len(rows)
    places: dict[int, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        step = (width - MARGIN) / len(row)
        for place, i in enumerate(row):
            places[i] = (MARGIN + step * (place + 0.5), LEVEL_HEIGHT * (level + 0.35))
    nodes = tuple(_node(result, h, *places[i]) for i, h in enumerate(subgroups))
    edges = tuple((*places[i], *places[j]) for i, j in covers)
    levels = tuple(Level(_order(subgroups[row[0]]), places[row[0]][1]) for row in rows)
    return Lattice(nodes, edges, levels, width, height)


def _answer(result: AuditResult, h: SubgroupSummary, axis: str, verdict: AxisVerdict) -> Answer:
    """*yes* if every element of the subgroup passes, *no* if any fails."""
    if _is_residual(h, verdict):
        return "yes"
    answers: dict[str, Answer] = {e.name: getattr(e, axis) for e in result.elements}
    found = [answers[name] for name in h.elements if name in answers]
    if "no" in found:
        return "no"
    untested = len(h.elements) - len(found) > 1  # the identity needs no test
    return "undetermined" if "undetermined" in found or untested else "yes"


def _covers(sets: Sequence[frozenset[str]]) -> list[tuple[int, int]]:
    below = [[j for j, other in enumerate(sets) if other < big] for big in sets]
    return [
        (i, j)
        for i in range(len(sets))
        for j in below[i]
        if not any(sets[j] < sets[k] for k in below[i])
    ]


def _ordered_rows(
    subgroups: Sequence[SubgroupSummary], covers: Sequence[tuple[int, int]]
) -> list[list[int]]:
    orders = sorted({_order(h) for h in subgroups}, reverse=True)
    rows = [[i for i, h in enumerate(subgroups) if _order(h) == order] for order in orders]
    neighbours: dict[int, list[int]] = {i: [] for i in range(len(subgroups))}
    for i, j in covers:
        neighbours[i].append(j)
        neighbours[j].append(i)
    place = {i: (k + 0.5) / len(row) for row in rows for k, i in enumerate(row)}

    def barycentre(i: int) -> float:
        return sum(place[k] for k in neighbours[i]) / max(len(neighbours[i]), 1)

    for _ in range(8):
        for row in rows:
            # Python's sort is stable: ties keep their order, so the drawing is deterministic.
            row.sort(key=barycentre)
            place |= {i: (k + 0.5) / len(row) for k, i in enumerate(row)}
    return rows


def _node(result: AuditResult, h: SubgroupSummary, x: float, y: float) -> Node:
    verdict = result.verdict
    return Node(
        h.name,
        _order(h),
        h.elements,
        x,
        y,
        _answer(result, h, "holds", verdict.holds),
        _answer(result, h, "transports", verdict.transports),
        _is_residual(h, verdict.holds),
        _is_residual(h, verdict.transports),
    )


def _order(h: SubgroupSummary) -> int:
    return len(h.elements) if h.order is None else h.order


def _is_residual(h: SubgroupSummary, axis: AxisVerdict) -> bool:
    return any(other.name == h.name and other.order == h.order for other in axis.residual_low)
