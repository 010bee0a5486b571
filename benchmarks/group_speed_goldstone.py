"""The tasks of group_speed.py for goldstone; see group_speed_worker.py."""

import torch
from group_speed_worker import (
    canonical_characters,
    degree_triples,
    hom_facts,
    law_errors,
    rotations,
    run,
)


def importing():
    def work():
        import goldstone  # noqa: F401

    return work, lambda _: {}


def irreps_of(make):
    """All irreps over ℝ with their matrices on every element, the group's construction included."""

    def task():
        from goldstone import groups, representations

        def work():
            group = make(groups)
            elements = group.element_tensor()
            return [rho(elements) for rho in representations.irreps(group)]

        def check(matrices):
            traces = [m.diagonal(dim1=-2, dim2=-1).sum(-1) for m in matrices]
            return canonical_characters(torch.stack(traces).numpy())

        return work, check

    return task


def hom_of(make):
    """A dense basis of Hom(regular, regular), group and representation made beforehand."""

    def task():
        from goldstone import groups, representations

        group = make(groups)
        regular = representations.RegularRepresentation(group)

        def work():
            return representations.intertwiner_basis(regular, regular).dense()

        def check(basis):
            return hom_facts(basis, regular(group.tensor(group.generators())))

        return work, check

    return task


def coupling():
    from goldstone.representations import SO3Irrep, clebsch_gordan

    triples = degree_triples(6)

    def work():
        irreps = [SO3Irrep(degree) for degree in range(7)]
        return [clebsch_gordan(irreps[a], irreps[b], irreps[c])[0] for a, b, c in triples]

    def check(tensors):
        return {",".join(map(str, t)): x.numpy() for t, x in zip(triples, tensors, strict=True)}

    return work, check


def wigner():
    from goldstone.representations import wigner_matrices

    turns = rotations(1000)
    return lambda: list(wigner_matrices(6, turns)), lambda found: {
        f"D{degree}": x.numpy() for degree, x in enumerate(found)
    }


def wigner_error(degree):
    def task():
        from goldstone.representations import SO3Irrep

        r, s = rotations(100, 1), rotations(100, 2)
        rho = SO3Irrep(degree)
        return lambda: (rho(r), rho(s), rho(r @ s)), lambda found: law_errors(*found)

    return task


def composing(make, count=100_000):
    """Products of random elements and the numbers of the results; no Cayley table."""

    def task():
        from goldstone import groups

        group = make(groups)
        source = torch.Generator().manual_seed(0)
        a, b = group.sample(source, (count,)), group.sample(source, (count,))

        def check(_):
            # By another way: one pair after another, as values.
            pairs = zip(group.values(a[:200]), group.values(b[:200]), strict=True)
            singly = group.tensor([group.compose(x, y) for x, y in pairs])
            return {"wrong": int((singly != group.compose(a[:200], b[:200])).sum())}

        return lambda: group.index(group.compose(a, b)), check

    return task


def tabulating():
    from goldstone.groups import DihedralGroup, cayley_table

    def check(table):
        lines = torch.cat((table, table.T)).sort(1).values
        return {"wrong": int((lines != torch.arange(len(table))).sum())}

    return lambda: cayley_table(DihedralGroup(1000)), check


TASKS = {
    "import": importing,
    "irreps C32": irreps_of(lambda g: g.CyclicGroup(32)),
    "irreps D16": irreps_of(lambda g: g.DihedralGroup(16)),
    "irreps O": irreps_of(lambda g: g.octahedral_group()),
    "irreps Oh": irreps_of(lambda g: g.octahedral_group(reflections=True)),
    "irreps I": irreps_of(lambda g: g.icosahedral_group()),
    "irreps Ih": irreps_of(lambda g: g.icosahedral_group(reflections=True)),
    "irreps S6": irreps_of(lambda g: g.SymmetricGroup(6)),
    "Hom O": hom_of(lambda g: g.octahedral_group()),
    "Hom Ih": hom_of(lambda g: g.icosahedral_group(reflections=True)),
    "Hom S5": hom_of(lambda g: g.SymmetricGroup(5)),
    "Clebsch-Gordan": coupling,
    "Wigner D": wigner,
    "Wigner error 11": wigner_error(11),
    "Wigner error 20": wigner_error(20),
    "compose Ih": composing(lambda g: g.icosahedral_group(reflections=True), 10_000),
    "compose D5000": composing(lambda g: g.DihedralGroup(5000)),
    "compose S8": composing(lambda g: g.SymmetricGroup(8)),
    "table D1000": tabulating,
}

if __name__ == "__main__":
    run(TASKS)
