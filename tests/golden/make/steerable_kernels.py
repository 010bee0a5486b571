"""Dimensions of steerable kernels on one ring or sphere, and real irreps, by escnn."""

from importlib.metadata import version
from typing import Any

from escnn import group, kernels
from writing import write

RING = {"radii": [1.0], "sigma": [0.6]}
LARGEST = 3


def dimension(make: Any, source: Any, target: Any, **options: Any) -> int:
    try:
        return make(source, target, **RING, **options).dim
    except kernels.EmptyBasisException:
        return 0


def between_irreps(g: Any, make: Any) -> list[list[Any]]:
    """[id of the input, id of the output, dimension] for each pair of irreps."""
    irreps = [rho for rho in g.irreps() if all(f <= LARGEST for f in rho.id)]
    return [[list(a.id), list(b.id), dimension(make, a, b)] for a in irreps for b in irreps]


def regular(g: Any, make: Any, frequency: int) -> int:
    rho = g.regular_representation
    return dimension(make, rho, rho, maximum_frequency=frequency)


def main() -> None:
    so2, o2 = group.so2_group(LARGEST), group.o2_group(LARGEST)
    so3, o3 = group.so3_group(LARGEST), group.o3_group(LARGEST)
    continuous = {
        "SO(2)": between_irreps(so2, kernels.kernels_SO2_act_R2),
        "O(2)": between_irreps(o2, kernels.kernels_O2_act_R2),
        "SO(3)": between_irreps(so3, kernels.kernels_SO3_act_R3),
        "O(3)": between_irreps(o3, kernels.kernels_O3_act_R3),
    }
    discrete = []
    for n in (2, 4, 8):
        for frequency in range(5):
            cyclic, dihedral = group.cyclic_group(n), group.dihedral_group(n)
            discrete += [
                [f"C{n}", frequency, regular(cyclic, kernels.kernels_CN_act_R2, frequency)],
                [f"D{n}", frequency, regular(dihedral, kernels.kernels_DN_act_R2, frequency)],
            ]
    finite = {
        "C1": group.trivial_group(),
        **{f"C{n}": group.cyclic_group(n) for n in (2, 3, 4, 5, 6, 8, 16)},
        **{f"D{n}": group.dihedral_group(n) for n in (3, 4, 5, 6, 8)},
        "octahedral": group.octa_group(),
        "icosahedral": group.ico_group(),
    }
    endomorphisms = {"R": 1, "C": 2, "H": 4}
    real = {
        name: sorted([rho.size, endomorphisms[rho.type]] for rho in g.irreps())
        for name, g in finite.items()
    }
    about = {
        "source": f"escnn {version('escnn')} on torch {version('torch')}",
        "continuous": "[irrep of the input, of the output, dimension] of the kernels K on the unit "
        "circle or sphere with K(gx) = ρ_out(g) K(x) ρ_in(g)^-1, real irreps to degree 3: SO(2): "
        "[frequency]; O(2): [j, frequency], reflections act by (-1)^j where the frequency is 0 "
        "(j = 1 else); SO(3): [l]; O(3): [j, l], the inversion acts by (-1)^j",
        "discrete": "[group, F, dimension] of kernels between left regular representations on the "
        "circle whose angular frequencies are at most F (real Fourier modes 0…F)",
        "real_irreps": "[dimension, dimension of the endomorphism algebra: 1 real, 2 complex, 4 "
        "quaternionic] of every real irrep",
    }
    write(
        "steerable_kernels.json",
        about,
        continuous=continuous,
        discrete=discrete,
        real_irreps=real,
    )


if __name__ == "__main__":
    main()
