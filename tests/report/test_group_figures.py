"""Drawings of Cayley graphs and subgroup lattices, from plain data."""

import re
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from goldstone.core import InputError
from goldstone.report.cayley_figure import cayley_figure
from goldstone.report.graph_layout import Rotation, cayley_layout
from goldstone.report.hasse import hasse_layout
from goldstone.report.subgroup_figure import SubgroupNode, subgroup_figure

SVG = "{http://www.w3.org/2000/svg}"


def dihedral(n: int) -> tuple[list[list[int]], list[int]]:
    """Arrows by r and s, and g ↦ r·g: the element k is rᵏ, n + k is s rᵏ."""
    by_r = [*((k + 1) % n for k in range(n)), *(n + (k + 1) % n for k in range(n))]
    by_s = [*(n + (-k) % n for k in range(n)), *((-k) % n for k in range(n))]
    rotation = [*((k + 1) % n for k in range(n)), *(n + (k - 1) % n for k in range(n))]
    return [by_r, by_s], rotation


def crossings(points: np.ndarray, edges: set[tuple[int, int]]) -> int:
    """By the slow definition: pairs of edges without common ends that share an inner point."""

    def turn(a: complex, b: complex, c: complex) -> float:
        return float(((b - a).conjugate() * (c - a)).imag)

    count = 0
    for (a, b), (c, d) in combinations(sorted(edges), 2):
        if len({a, b, c, d}) == 4:
            p, q, r, s = points[[a, b, c, d]].tolist()
            one = turn(p, q, r) * turn(p, q, s)
            other = turn(r, s, p) * turn(r, s, q)
            count += one < -1e-9 and other < -1e-9
    return count


@pytest.mark.parametrize("n", [3, 4, 5, 8, 12])
def test_dihedral_graphs_are_drawn_as_two_rings_without_crossings(n: int) -> None:
    targets, rotation = dihedral(n)
    points = cayley_layout(targets, rotation)
    edges = {(min(v, w), max(v, w)) for column in targets for v, w in enumerate(column)}
    assert crossings(points, edges) == 0
    sizes = sorted(set(np.abs(points).round(6).tolist()))
    assert len(sizes) == 2
    assert sizes[1] == pytest.approx(1.0)


@pytest.mark.parametrize("n", [3, 4, 7])
def test_drawings_have_the_symmetry(n: int) -> None:
    targets, rotation = dihedral(n)
    points = cayley_layout(targets, rotation)
    turned = points * np.exp(2j * np.pi / n)
    np.testing.assert_allclose(points[rotation], turned, atol=1e-6)


def test_rotation_cycles() -> None:
    found = Rotation.of([1, 2, 0, 5, 3, 4])
    assert (found.order, found.count) == (3, 2)
    assert found.cycle.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.step.tolist() == [0, 1, 2, 0, 2, 1]


def test_vertices_do_not_cover_one_another() -> None:
    # ℤ₂³: no rotation of order over 2 helps.
    targets = [[v ^ bit for v in range(8)] for bit in (1, 2, 4)]
    points = cayley_layout(targets, targets[0])
    apart = np.abs(points[:, None] - points[None]) + 10 * np.eye(8)
    assert apart.min() > 0.1


def test_cayley_figure_shows_every_element_and_arrow() -> None:
    targets, rotation = dihedral(4)
    names = ["e", "r", "r²", "r³", "s", "sr", "sr²", "a<b"]
    root = ElementTree.fromstring(cayley_figure("D4", names, ["r", "s"], targets, rotation))
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text == "Cayley graph of D4 by r, s"
    labels = [node.text for node in root.iter(f"{SVG}text")]
    assert sorted(labels) == sorted([*names, "r", "s"])
    arrows = [node for node in root.iter(f"{SVG}path") if node.get("class") == "arrow"]
    with_heads = [node for node in arrows if node.get("marker-end")]
    assert len(with_heads) == 8 + 1  # and one in the legend
    assert len(arrows) - len(with_heads) == 4 + 1  # s is its own inverse: lines
    assert cayley_figure("D4", names, ["r", "s"], targets, rotation) == cayley_figure(
        "D4", names, ["r", "s"], targets, rotation
    )


def test_labels_stay_inside_and_apart() -> None:
    targets, rotation = dihedral(6)
    names = [f"a long name {k}" for k in range(12)]
    root = ElementTree.fromstring(cayley_figure("D6", names, ["r", "s"], targets, rotation))
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = [
        [float(node.get(key)) for key in ("x", "y", "width", "height")]
        for node in root.iter(f"{SVG}rect")
        if node.get("class")
    ]
    assert len(boxes) == 12
    for x, y, w, h in boxes:
        assert x > 0
        assert y > 0
        assert x + w < width
        assert y + h < height
    for (x, y, w, h), (u, v, k, m) in combinations(boxes, 2):
        assert x + w < u or u + k < x or y + h < v or v + m < y


@pytest.mark.parametrize("n", [1, 2])
def test_smallest_graphs(n: int) -> None:
    targets = [[1, 0]] if n == 2 else []
    names = ["e", "r"][:n]
    svg = cayley_figure("C", names, ["r"] * len(targets), targets, [1, 0][:n] if n == 2 else [0])
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert "nan" not in svg


def test_what_cannot_be_drawn_is_explained() -> None:
    with pytest.raises(InputError, match="1 to 120 elements in a Cayley graph, got 121"):
        cayley_figure("C121", ["a"] * 121, [], [], list(range(121)))
    with pytest.raises(InputError, match="permutation of 2 elements"):
        cayley_figure("C2", ["e", "r"], ["r"], [[1, 1]], [1, 0])
    with pytest.raises(InputError, match="got 0"):
        subgroup_figure("C1", [], [])


def test_lines_pass_beside_the_nodes_between() -> None:
    # S3: C3 and the class of C2 are both maximal, on different rows.
    drawn = hasse_layout([1, 2, 3, 6], [(0, 1), (0, 2), (1, 3), (2, 3)], [60.0] * 4)
    assert drawn.rows == ((3,), (2,), (1,), (0,))
    assert abs(drawn.x[1] - drawn.x[2]) > 30
    for line in drawn.lines:
        assert [row for _, row in line] == list(range(line[0][1], line[-1][1] + 1))
        for x, row in line[1:-1]:
            assert all(abs(x - drawn.x[i]) >= 39 - 1e-9 for i in drawn.rows[row])


def test_hasse_rows_keep_their_room_and_have_few_crossings() -> None:
    # Two chains, given crosswise.
    drawn = hasse_layout([4, 4, 2, 2], [(3, 0), (2, 1)], [50.0] * 4)
    top, bottom = drawn.rows
    assert drawn.x[top[1]] - drawn.x[top[0]] >= 50 - 1e-9
    assert (drawn.x[0] < drawn.x[1]) == (drawn.x[3] < drawn.x[2])
    assert sorted(bottom) == [2, 3]


def test_subgroup_figure() -> None:
    nodes = [
        SubgroupNode("C1", "1", 1, 1),
        SubgroupNode("C2", "⟨(1 2)⟩", 2, 3),
        SubgroupNode("C3", "⟨(1 2 3)⟩", 3, 1),
        SubgroupNode("S3", "S3 <all>", 6, 1),
    ]
    svg = subgroup_figure("S3", nodes, [(0, 1), (0, 2), (1, 3), (2, 3)])
    root = ElementTree.fromstring(svg)
    labels = [node.text for node in root.iter(f"{SVG}text")]
    assert sorted(labels) == sorted(
        ["order 6", "order 3", "order 2", "order 1", "C1", "C2", "C3", "S3", "×3"]
    )
    assert len([n for n in root.iter(f"{SVG}rect") if n.get("class") == "normal"]) == 3
    assert len(list(root.iter(f"{SVG}path"))) == 4
    assert "S3 <all>" in [n.text for n in root.iter(f"{SVG}title")]
    numbers = [float(x) for x in re.findall(r'x="(-?[\d.]+)"', svg)]
    assert min(numbers) >= 0
