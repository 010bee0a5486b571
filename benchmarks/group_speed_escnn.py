"""The tasks of group_speed.py for escnn; see group_speed_worker.py.

escnn keeps results on disk between processes. Here it keeps them in the folder CACHE, so that a
first use (an empty folder) and a later one can both be timed, and nothing is left behind.
"""

import random
import sys

import numpy as np
import torch
from group_speed_worker import canonical_characters, hom_facts, run


def groups():
    import joblib

    memory = joblib.Memory
    joblib.Memory = lambda *_, **__: memory(sys.argv[3], verbose=0)
    import escnn.group

    return escnn.group


def importing():
    def work():
        groups()

    import joblib  # noqa: F401 - in place of the library's own folder, and not timed

    return work, lambda _: {}


def irreps_of(make):
    """All irreps over ℝ with their matrices on every element, the group's construction included."""

    def task():
        known = groups()

        def work():
            group = make(known)
            return [np.stack([rho(g) for g in group.elements]) for rho in group.irreps()]

        def check(matrices):
            return canonical_characters([m.trace(axis1=1, axis2=2) for m in matrices])

        return work, check

    return task


def regular(make):
    rho = make(groups()).regular_representation
    generators = torch.from_numpy(np.stack([rho(g) for g in rho.group.generators]))
    return rho, generators


def hom_by_kernels(make):
    """``kernels_on_point``, its way to equivariant linear maps, sampled in float64."""

    def task():
        rho, generators = regular(make)
        from escnn.kernels import kernels_on_point

        def work():
            return kernels_on_point(rho, rho).double().sample(torch.zeros(1, 1).double())[0]

        return work, lambda basis: hom_facts(basis, generators)

    return task


def hom_by_sylvester(make):
    """The dense singular value decomposition of the generators' equations."""

    def task():
        rho, generators = regular(make)
        from escnn.group._numerical import find_intertwiner_basis_sylvester

        matrices = list(generators.numpy())

        def check(columns):
            n = rho.size
            basis = torch.from_numpy(np.ascontiguousarray(columns.T)).reshape(-1, n, n)
            return hom_facts(basis, generators)

        return lambda: find_intertwiner_basis_sylvester(matrices, matrices), check

    return task


def composing(make):
    """10,000 products of random elements."""

    def task():
        group = make(groups())
        source = random.Random(0)
        a, b = (source.choices(group.elements, k=10_000) for _ in range(2))
        rho = group.irreps()[1]

        def check(products):
            pairs = list(zip(a, b, products, strict=True))[:200]
            return {"wrong": sum(not np.allclose(rho(x) @ rho(y), rho(z)) for x, y, z in pairs)}

        return lambda: [x @ y for x, y in zip(a, b, strict=True)], check

    return task


TASKS = {
    "import": importing,
    "irreps C32": irreps_of(lambda g: g.cyclic_group(32)),
    "irreps D16": irreps_of(lambda g: g.dihedral_group(16)),
    "irreps O": irreps_of(lambda g: g.octa_group()),
    "irreps Oh": irreps_of(lambda g: g.full_octa_group()),
    "irreps I": irreps_of(lambda g: g.ico_group()),
    "irreps Ih": irreps_of(lambda g: g.full_ico_group()),
    "Hom O": hom_by_kernels(lambda g: g.octa_group()),
    "Hom O, dense": hom_by_sylvester(lambda g: g.octa_group()),
    "Hom Ih": hom_by_kernels(lambda g: g.full_ico_group()),
    "compose Ih": composing(lambda g: g.full_ico_group()),
}

if __name__ == "__main__":
    run(TASKS)
