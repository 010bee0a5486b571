"""Groups and representations in other processes and threads; nothing kept between uses."""

import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
import torch

from goldstone import groups as g
from goldstone import representations as r

GROUPS = {
    "cyclic": lambda: g.CyclicGroup(6),
    "dihedral": lambda: g.DihedralGroup(5),
    "symmetric": lambda: g.SymmetricGroup(4),
    "alternating": lambda: g.AlternatingGroup(5),
    "quaternion": g.quaternion_group,
    "octahedral": lambda: g.octahedral_group(reflections=True),
    "icosahedral": g.icosahedral_group,
    "product": lambda: g.direct_product(g.CyclicGroup(2), g.SymmetricGroup(3)),
}

REPRESENTATIONS = {
    "regular": lambda: r.RegularRepresentation(g.icosahedral_group()),
    "square": lambda: (
        r.StandardRepresentation(g.SymmetricGroup(4)) * r.RegularRepresentation(g.SymmetricGroup(4))
    ),
    "rotations": lambda: r.SO3Irrep(2) * r.SO3Irrep(1),
    "SU(3)": lambda: r.SU3Irrep(1, 1),
}


def describe(group):
    """Everything that is derived from the group here, as plain data and tensors."""
    irreps = r.irreps(group)
    elements = group.element_tensor()
    regular = r.RegularRepresentation(group)
    return (
        group,
        irreps,
        g.conjugacy_classes(group),
        g.cayley_table(group),
        torch.cat([rho(elements).flatten() for rho in irreps]),
        r.intertwiner_basis(regular, regular).dense(),
    )


def same(one, other):
    return all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("make", GROUPS.values(), ids=GROUPS)
def test_building_again_gives_equal_values_and_the_same_numbers(make):
    one, two = describe(make()), describe(make())
    assert one[0] is not two[0]
    assert same(one, two)
    assert same(one, pickle.loads(pickle.dumps(one)))
    assert [hash(rho) for rho in one[1]] == [hash(rho) for rho in two[1]]


def test_threads_build_the_same_groups_and_irreps_at_once():
    expected = [describe(make()) for make in GROUPS.values()]
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(lambda make: describe(make()), make) for make in GROUPS.values()] * 3
        for reference, job in zip(expected * 3, work, strict=True):
            assert same(reference, job.result())


def test_spawned_processes_build_the_same_groups_and_irreps():
    known = [make() for make in GROUPS.values()]
    modules = [make() for make in REPRESENTATIONS.values()]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        # Each goes there pickled, is worked with, and what was derived comes back.
        irreps = [pool.submit(r.irreps, group) for group in known]
        tables = [pool.submit(g.cayley_table, group) for group in known]
        bases = [pool.submit(r.intertwiner_basis, rho, rho) for rho in modules]
        made = pool.submit(g.icosahedral_group)
        for group, job, table in zip(known, irreps, tables, strict=True):
            here, there = r.irreps(group), job.result()
            assert here == there
            assert all(rho.group == group for rho in there)
            elements = group.element_tensor()
            assert all(
                torch.equal(a(elements), b(elements)) for a, b in zip(here, there, strict=True)
            )
            assert torch.equal(g.cayley_table(group), table.result())
        for rho, job in zip(modules, bases, strict=True):
            basis = job.result()
            assert basis.source == basis.target == rho
            assert torch.allclose(
                basis.dense(), r.intertwiner_basis(rho, rho).dense(), rtol=0, atol=1e-12
            )
        assert made.result() == g.icosahedral_group()


STATE = """
import copy, sys

sys.dont_write_bytecode = True
import torch
import goldstone
from goldstone import groups as g
from goldstone import representations as r

written = []


def note(event, arguments):
    if event == "open" and arguments[1] and set(str(arguments[1])) & set("wax+"):
        written.append(arguments[0])
    if event in ("os.mkdir", "sqlite3.connect"):
        written.append(arguments[0])


def state():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(("goldstone.groups", "goldstone.representations")):
            for key, value in vars(module).items():
                if not key.startswith("__"):
                    assert not hasattr(value, "cache_info"), f"{name}.{key} keeps its results"
                if isinstance(value, (dict, list, set, bytearray)) and key != "__builtins__":
                    found[name, key] = copy.copy(value)
                if isinstance(value, type) and value.__module__ == name:
                    for kept in ("dict", "list", "set"):
                        for field, held in vars(value).items():
                            if type(held).__name__ == kept and not field.startswith("__"):
                                found[name, key, field] = copy.copy(held)
    return found


def work():
    for group in (g.icosahedral_group(True), g.SymmetricGroup(4), g.CyclicGroup(6)):
        r.irreps(group)
        g.character_table(group)
        regular = r.RegularRepresentation(group)
        r.intertwiner_basis(regular, regular).dense()
    for degree in range(4):
        r.clebsch_gordan(r.SO3Irrep(degree), r.SO3Irrep(2), r.SO3Irrep(degree))
        r.SO3Irrep(degree)(g.SpecialOrthogonalGroup(3).sample(torch.Generator().manual_seed(0)))


for number in range(2):
    before = state()
    if number:
        # The first time modules of other packages may still be imported.
        sys.addaudithook(note)
    work()
    after = state()
    changed = [place for place in before if after[place] != before[place]]
    assert not changed, f"changed: {changed}"
assert not written, f"files were written: {written}"
"""


def test_nothing_is_kept_on_disk_or_in_modules(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", STATE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert not list(tmp_path.iterdir())
