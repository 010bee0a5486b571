"""Rotation groups of the polyhedra: characters by rotation angle, and what their actions contain.

The rotations are explicit matrices; GAP gives classes and irreps of their action on vertices.
"""

from fractions import Fraction
from itertools import combinations, product
from math import cos, pi, sqrt
from typing import Any

import gap
import numpy as np
from character_tables import as_pair, number
from mpmath import mp
from writing import write

PHI = (1 + sqrt(5)) / 2
LARGEST = 12  # degree l of SO(3)

PROGRAM = """
Show := function(G, n)
  local T;
  T := CharacterTable(G);
  Print("@", Json([Size(G), List(ConjugacyClasses(T), c -> FromZero(Representative(c), n)),
    SizesConjugacyClasses(T), List(Irr(T), c -> List(ValuesOfClassFunction(c), Expansion)),
    Indicator(T, Irr(T), 2)]), "\\n");
end;;
"""


def icosahedron() -> np.ndarray:
    signs = list(product((1, -1), repeat=2))
    rows = [(0, a, b * PHI) for a, b in signs]
    return np.array([np.roll(row, turn) for turn in range(3) for row in rows])


CUBE = np.array(list(product((1.0, -1.0), repeat=3)))
TETRAHEDRON = CUBE[CUBE.prod(axis=1) > 0]


def about_axis(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K


def permutation(points: np.ndarray, matrix: np.ndarray) -> list[int]:
    """Where each point goes; points may be directions of any length, but closed under the turn."""
    distances = np.abs((points @ matrix.T)[:, None] - points[None]).max(axis=2)
    images = distances.argmin(axis=1)
    assert distances.min(axis=1).max() < 1e-9
    assert len(set(images.tolist())) == len(points)
    return images.tolist()


def midpoints(vertices: np.ndarray, count: int) -> np.ndarray:
    """Centres of the sets of ``count`` vertices that are pairwise nearest neighbours."""
    distances = np.linalg.norm(vertices[:, None] - vertices[None], axis=2)
    edge = distances[distances > 1e-9].min()
    near = np.abs(distances - edge) < 1e-9
    return np.array(
        [
            vertices[list(chosen)].mean(axis=0)
            for chosen in combinations(range(len(vertices)), count)
            if all(near[i, j] for i, j in combinations(chosen, 2))
        ]
    )


def so3_character(degree: int, angle: float) -> float:
    return 1 + 2 * sum(cos(m * angle) for m in range(1, degree + 1))


def angle_of(matrix: np.ndarray) -> Fraction:
    """The rotation angle in units of π."""
    angle = np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1)) / pi
    return Fraction(float(angle)).limit_denominator(5)


def names(irreps: list[list[complex]], angles: list[Fraction]) -> list[str]:
    """Names after Mulliken: T1 is the vector; A2 is -1 on the quarter turns."""
    vector = [so3_character(1, float(a) * pi) for a in angles]
    dimensions = [round(row[0].real) for row in irreps]
    found, conjugates = [], 0
    for row, d in zip(irreps, dimensions, strict=True):
        letter = {1: "A", 2: "E", 3: "T", 4: "G", 5: "H"}[d]
        if d == 1 and any(abs(x.imag) > 1e-9 for x in row):
            conjugates += 1
            found.append(f"E{'+-'[conjugates - 1]}")
        elif d in (1, 3) and dimensions.count(d) == 2:
            first = vector if d == 3 else [1.0] * len(row)
            same = max(abs(a - b) for a, b in zip(row, first, strict=True)) < 1e-9
            found.append(letter + ("1" if same else "2"))
        else:
            found.append(letter)
    return found


def group(
    row: list[Any],
    generators: list[np.ndarray],
    vertices: np.ndarray,
    actions: dict[str, np.ndarray],
) -> dict[str, Any]:
    order, representatives, sizes, expansions, indicators = row
    inverse = np.linalg.pinv(vertices)
    # matrix·v_i = v_images[i] for every vertex
    matrices = [(inverse @ vertices[images]).T for images in representatives]
    angles = [angle_of(m) for m in matrices]
    irreps = [[number(x) for x in irrep] for irrep in expansions]
    labels = names(irreps, angles)

    def multiplicities(character: list[float]) -> dict[str, int]:
        found = {}
        for label, irrep in zip(labels, irreps, strict=True):
            total = sum(
                s * c * x.conjugate() for s, c, x in zip(sizes, character, irrep, strict=True)
            )
            assert abs(total / order - round(total.real / order)) < 1e-9
            if round(total.real / order):
                found[label] = round(total.real / order)
        return found

    contained = {}
    for name, points in actions.items():
        fixed = [sum(i == j for i, j in enumerate(permutation(points, m))) for m in matrices]
        contained[name] = {
            "points": len(points),
            "character": fixed,
            "multiplicities": multiplicities(fixed),
        }
    spheres = [
        multiplicities([so3_character(degree, float(a) * pi) for a in angles])
        for degree in range(LARGEST + 1)
    ]
    return {
        "order": order,
        "generators": [m.tolist() for m in generators],
        "class_sizes": sizes,
        "class_angles_over_pi": [str(a) for a in angles],
        "class_representatives": [m.round(15).tolist() for m in matrices],
        "irreps": [
            {
                "name": label,
                "dimension": round(irrep[0].real),
                "frobenius_schur": indicator,
                "characters": [as_pair(x) for x in irrep],
            }
            for label, irrep, indicator in zip(labels, irreps, indicators, strict=True)
        ],
        "actions": contained,
        "so3_restricted": spheres,
    }


def main() -> None:
    mp.dps = 40
    ico = icosahedron()
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    edges = np.array([v for v in product((-1.0, 0.0, 1.0), repeat=3) if np.abs(v).sum() == 2])
    pentagon, triangle = ico[0], midpoints(ico, 3)[0]
    diagonal, z = np.ones(3), np.array([0.0, 0.0, 1.0])
    solids = {
        "tetrahedral": (
            [about_axis(diagonal, 2 * pi / 3), about_axis(z, pi)],
            TETRAHEDRON,
            {"vertices": TETRAHEDRON, "edges": axes, "faces": -TETRAHEDRON},
        ),
        "octahedral": (
            [about_axis(diagonal, 2 * pi / 3), about_axis(z, pi / 2)],
            CUBE,
            {"cube_vertices": CUBE, "cube_faces": axes, "edges": edges},
        ),
        "icosahedral": (
            [about_axis(pentagon, 2 * pi / 5), about_axis(triangle, 2 * pi / 3)],
            ico,
            {"vertices": ico, "edges": midpoints(ico, 2), "faces": midpoints(ico, 3)},
        ),
    }
    shows = []
    for generators, vertices, _ in solids.values():
        lists = ", ".join(
            f"PermList({[i + 1 for i in permutation(vertices, m)]})" for m in generators
        )
        shows.append(f"Show(Group({lists}), {len(vertices)});")
    rows = gap.run(PROGRAM + "\n".join(shows))
    groups = {name: group(row, *of) for row, (name, of) in zip(rows, solids.items(), strict=True)}
    assert [g["order"] for g in groups.values()] == [12, 24, 60]
    about = {
        "source": f"{gap.version()}; rotation matrices and fixed points by numpy {np.__version__}",
        "generators": "rotation matrices acting on columns, to about 1e-16",
        "class_angles_over_pi": "angle of the rotations of each class, in units of π; the "
        "octahedral group has two classes of half turns (3 about faces, 6 about edges), the "
        "tetrahedral one two of third turns",
        "class_representatives": "one rotation matrix of each class, to about 1e-15",
        "irreps": "complex irreps; characters as [real part, imaginary part] in the order of the "
        "classes; names after Mulliken: A trivial (A2 is -1 on quarter turns), T1 the vector, "
        "T2 the other of dimension 3, E+ and E- complex conjugates whose sum is the real irrep E",
        "actions": "permutation characters (fixed points by class) of the action on vertices, "
        "edges, faces, and their multiplicities of irreps",
        "so3_restricted": "multiplicities of irreps in the SO(3) irrep of degree l = 0, 1, …",
    }
    write("polyhedral.json", about, groups=groups)


if __name__ == "__main__":
    main()
