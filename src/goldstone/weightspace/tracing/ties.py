"""Which indices move together: a graph of labels, its components and their colours."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from goldstone.weightspace.tracing.labels import Ids


@dataclass(eq=False)
class Ties:
    """Constraints collected while a graph is walked; solved once.

    A *node* is one index of one axis of one parameter, or one of the blocks of such indices that
    operations treat alike (the heads of an attention layer); node 0 is what cannot move. A label is
    2·node, or 2·node + 1 for the inverse. A *frame* is a diagonal change of basis by a parameter,
    as the weight of a norm makes: what comes behind transforms by D g D⁻¹.
    """

    size: int = 1
    edges: list[tuple[Ids, Ids]] = field(default_factory=list)
    cells: list[tuple[int, Ids]] = field(default_factory=list)
    families: list[tuple[Ids, Ids]] = field(default_factory=list)
    products: list[tuple[Ids, Ids, Ids]] = field(default_factory=list)
    not_matrix: list[Ids] = field(default_factory=list)
    not_general: list[Ids] = field(default_factory=list)
    keeps_ones: list[Ids] = field(default_factory=list)
    frames: int = 1
    frame_edges: list[tuple[int, int]] = field(default_factory=list)
    rooted: set[int] = field(default_factory=set)
    framed: list[tuple[int, Ids]] = field(default_factory=list)
    diagonals: list[tuple[Ids, Ids]] = field(default_factory=list)
    frame_parameters: dict[int, str] = field(default_factory=dict)

    def fresh(self, shape: tuple[int, ...]) -> Ids:
        """Labels of new nodes."""
        count = int(np.prod(shape))
        ids = 2 * np.arange(self.size, self.size + count, dtype=np.int64).reshape(shape)
        self.size += count
        return ids

    def fresh_frame(self, parameter: str | None = None) -> int:
        """A new frame, unknown or that of a parameter."""
        self.frames += 1
        if parameter is not None:
            self.frame_parameters[self.frames - 1] = parameter
        return self.frames - 1

    def root_frame(self, frame: int, ids: Ids) -> None:
        """What has these labels transforms by g itself."""
        self.rooted.add(frame)
        self.framed.append((frame, ids))

    def same_frame(self, a: int, b: int, ids: Ids) -> None:
        """What has these labels transforms in two frames that are one."""
        self.frame_edges.append((a, b))
        self.framed.append((a, ids))

    def tie(self, a: Ids, b: Ids) -> None:
        """Indices with these labels transform alike."""
        a, b = np.broadcast_arrays(a, b)
        self.edges.append((a.ravel(), b.ravel()))

    def fix(self, a: Ids) -> None:
        """Indices with these labels do not transform."""
        self.tie(a, np.zeros((), dtype=np.int64))

    def cell(self, number: int, a: Ids) -> None:
        """These labels, and no others, took part in an operation in one and the same role."""
        self.cells.append((number, a.ravel() >> 1))

    def blocks(self, ids: Ids) -> Ids:
        """Labels of the rows of ``ids`` (rows, members) as blocks that move as a whole."""
        rows, index = np.unique(ids >> 1, axis=0, return_inverse=True)
        parents = self.fresh((len(rows),))
        self.families.append((parents >> 1, rows))
        labels: Ids = parents[index.reshape(-1)]
        return labels

    def pairs(self, a: Ids, b: Ids) -> Ids:
        """Labels of pairs of an index labelled ``a`` and one labelled ``b``: rows and columns."""
        labels = self.fresh((len(a), len(b)))
        self.tie(self.blocks(labels), a)
        self.tie(self.blocks(labels.T), b)
        self.products.append((a >> 1, b >> 1, labels >> 1))
        self.not_matrix.append(labels)
        return labels

    def components(self) -> tuple[Ids, NDArray[np.bool_]]:
        """The component of each node, and whether each component is fixed."""
        a, b = (ends >> 1 for ends in self._ends())
        free = (a > 0) & (b > 0)
        labels = self._merge_equal_blocks(_components(self.size, a[free], b[free]))
        fixed = np.zeros(labels.max() + 1, dtype=bool)
        fixed[labels[np.r_[0, a[~free], b[~free]]]] = True
        for one, two, both in self.products:
            if np.intersect1d(labels[one], labels[two]).size:
                fixed[labels[both]] = True  # (i, j) and (j, i) could not be told apart
        before = -1
        while before != fixed.sum():
            before = fixed.sum()
            for parents, rows in self.families:
                fixed[labels[parents]] |= fixed[labels[rows]].any(1)
        return labels, fixed

    def _ends(self) -> tuple[Ids, Ids]:
        none = np.zeros(1, dtype=np.int64)
        left, right = zip((none, none), *self.edges, strict=True)
        return np.concatenate(left), np.concatenate(right)

    def _merge_equal_blocks(self, labels: Ids) -> Ids:
        """Two blocks of the same members are one block."""
        while True:
            seen: dict[tuple[int, ...], int] = {}
            pairs = []
            for parents, rows in self.families:
                for parent, row in zip(labels[parents], labels[rows], strict=True):
                    first = seen.setdefault(tuple(np.unique(row)), parent)
                    if first != parent:
                        pairs.append((first, parent))
            if not pairs:
                return labels
            a, b = np.array(pairs).T
            labels = _components(int(labels.max()) + 1, a, b)[labels]

    def senses(self) -> tuple[Ids, Ids, NDArray[np.bool_]]:
        """Component and sense (0 or 1) of each node, and whether it is its own inverse or fixed."""
        a, b = self._ends()
        free = (a > 1) & (b > 1)
        ends = np.r_[a[free], a[free] ^ 1], np.r_[b[free], b[free] ^ 1]
        double = _components(2 * self.size, *ends)
        plus, minus = double[0::2], double[1::2]
        parts = np.minimum(plus, minus)
        bound = np.zeros(2 * self.size, dtype=bool)
        bound[parts[np.r_[0, a[~free] >> 1, b[~free] >> 1]]] = True
        bound[parts[plus == minus]] = True
        return parts, (plus > minus).astype(np.int64), bound[parts]

    def frame_of(self) -> tuple[dict[int, str | None], set[int]]:
        """The parameter of each frame, None for the root frame, and the contradictory frames."""
        edges = np.array(self.frame_edges or [(0, 0)]).T
        labels = _components(self.frames, edges[0], edges[1])
        found: dict[int, set[str | None]] = defaultdict(set)
        for number in self.rooted:
            found[labels[number]].add(None)
        for number, name in self.frame_parameters.items():
            found[labels[number]].add(name)
        wrong = {n for n in range(self.frames) if len(found[labels[n]]) > 1}
        return {
            n: next(iter(found[labels[n]]), None) for n in range(self.frames) if n not in wrong
        }, wrong


def _components(size: int, a: Ids, b: Ids) -> Ids:
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), (size, size))
    labels: Ids = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels
