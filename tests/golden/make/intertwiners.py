"""Dimensions of equivariant linear maps, by emlp."""

from importlib.metadata import version
from typing import Any

import jax
import numpy as np
from emlp import groups
from emlp.reps import V
from writing import write

jax.config.update("jax_enable_x64", True)


class Given(groups.Group):
    """A group from generating matrices and a basis of its Lie algebra."""

    def __init__(self, name: str, discrete: np.ndarray, continuous: np.ndarray | None = None):
        d = discrete.shape[-1] if len(discrete) else continuous.shape[-1]
        self.discrete_generators = discrete.reshape(-1, d, d)
        self.lie_algebra = np.zeros((0, d, d)) if continuous is None else continuous
        super().__init__(name)


def permutation_matrix(images: list[int]) -> np.ndarray:
    return np.eye(len(images))[:, images]


def regular(name: str, generators: list[tuple[int, ...]]) -> tuple[Given, int]:
    """Left regular representation of the group that permutations generate, and its order."""
    identity = tuple(range(len(generators[0])))
    elements, seen = [identity], {identity}
    for g in elements:
        for s in generators:
            product = tuple(s[i] for i in g)
            if product not in seen:
                seen.add(product)
                elements.append(product)
    index = {g: i for i, g in enumerate(elements)}
    matrices = [
        permutation_matrix([index[tuple(s[i] for i in g)] for g in elements]) for s in generators
    ]
    return Given(name, np.stack(matrices)), len(elements)


def dimension(rep: Any) -> int:
    return int(rep.equivariant_basis().shape[-1])


def maps(group: Any) -> dict[str, Any]:
    W = V(group)
    return {
        "dimension": int(group.d),
        "lie_algebra": np.asarray(
            [np.asarray(A @ np.eye(group.d)) for A in group.lie_algebra]
        ).tolist(),
        "discrete_generators": np.asarray(
            [np.asarray(h @ np.eye(group.d)) for h in group.discrete_generators]
        ).tolist(),
        "V->V": dimension(W >> W),
        "VV->V": dimension(W * W >> W),
        "V->VV": dimension(W >> W * W),
        "VV->VV": dimension(W * W >> W * W),
        "V*->V": dimension(W.T >> W),
        "R->VVV": dimension(W * W * W),
    }


def rotations_about_z() -> Given:
    turn = np.zeros((1, 3, 3))
    turn[0, 0, 1], turn[0, 1, 0] = -1.0, 1.0
    return Given("SO(2) on R^3", np.zeros((0, 3, 3)), turn)


def real_form(name: str, matrices: list[Any]) -> Given:
    """Complex matrices A + iB as real ones, [[A, -B], [B, A]]."""
    basis = [np.asarray(m, dtype=complex) for m in matrices]
    blocks = [np.block([[m.real, -m.imag], [m.imag, m.real]]) for m in basis]
    return Given(name, np.zeros((0, *blocks[0].shape)), np.stack(blocks))


SU2 = [[[0, 1j], [1j, 0]], [[0, 1], [-1, 0]], [[1j, 0], [0, -1j]]]


def main() -> None:
    table = {
        "Z4": groups.Z(4),
        "D4": groups.D(4),
        "S3": groups.S(3),
        "S4": groups.S(4),
        "C3": groups.C(3),
        "C5": groups.C(5),
        "D3": groups.D(3),
        "D6": groups.D(6),
        "SO(2)": groups.SO(2),
        "O(2)": groups.O(2),
        "SO(3)": groups.SO(3),
        "O(3)": groups.O(3),
        "SO(4)": groups.SO(4),
        "O(4)": groups.O(4),
        "SO(2) on R^3": rotations_about_z(),
        "SO+(1,3)": groups.SO13p(),
        "SO(1,3)": groups.SO13(),
        "O(1,3)": groups.O13(),
        "Sp(2,R)": groups.Sp(1),
        "Sp(4,R)": groups.Sp(2),
        "SL(2,R)": groups.SL(2),
        "SL(3,R)": groups.SL(3),
        "SU(2) on R^4": real_form("SU(2) on R^4", SU2),
        "U(2) on R^4": real_form("U(2) on R^4", [*SU2, [[1j, 0], [0, 1j]]]),
    }
    found = {name: maps(group) for name, group in table.items()}

    generators = {
        "C4": [(1, 2, 3, 0)],
        "C8": [(1, 2, 3, 4, 5, 6, 7, 0)],
        "D4": [(1, 2, 3, 0), (0, 3, 2, 1)],
        "Q8": [(1, 2, 3, 0, 5, 6, 7, 4), (4, 7, 6, 5, 2, 1, 0, 3)],
        "A4": [(1, 2, 0, 3), (1, 0, 3, 2)],
        "octahedral": [(1, 2, 3, 0), (1, 0, 2, 3)],
        "S4": [(1, 2, 3, 0), (1, 0, 2, 3)],
        "icosahedral": [(1, 2, 3, 4, 0), (1, 2, 0, 3, 4)],
    }
    hom = {}
    for name, permutations in generators.items():
        group, order = regular(name, permutations)
        W = V(group)
        hom[name] = {
            "order": order,
            "generators": permutations,
            "hom": dimension(W >> W),
        }
    about = {
        "source": f"emlp {version('emlp')} on jax {version('jax')}",
        "maps": "dimension of the linear maps A with A ρ_in(g) = ρ_out(g) A for all g; V is given "
        "by the matrices, VV is its tensor square, V* its dual, R the trivial representation",
        "lie_algebra": "matrices dρ(X) of a basis of the Lie algebra",
        "discrete_generators": "matrices ρ(g); the group is what exp of the Lie algebra and these "
        "generate",
        "names": "Z4, S3, S4 permute coordinates; Cn, Dn are rotations and reflections of the "
        "plane; SO(1,3) is generated by SO+(1,3) and -1; Sp(2,R), Sp(4,R) act on R^2, R^4; SU(2), "
        "U(2) act on C^2 = R^4 as (real parts, imaginary parts), and maps are real",
        "regular": "hom = dim Hom(reg, reg) of the left regular representation; generators are "
        "permutations as zero-based images",
    }
    write("intertwiners.json", about, maps=found, regular=hom)


if __name__ == "__main__":
    main()
