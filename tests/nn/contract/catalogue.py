"""All layers."""

from tests.nn.contract import features, grids, lattices, points, scales, sets, wrappers
from tests.nn.contract.entry import Case, Entry

SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Fields on grids": grids.ENTRIES,
    "Fields over scales": scales.ENTRIES,
    "Features of any group": features.ENTRIES,
    "Points, and samples of Lie groups": points.ENTRIES,
    "Sets, pairs and sequences": sets.ENTRIES,
    "Whole models": wrappers.ENTRIES,
    "Lattice gauge fields": lattices.ENTRIES,
}

ENTRIES = tuple(entry for entries in SECTIONS.values() for entry in entries)

CASES: dict[str, tuple[Entry, Case]] = {
    f"{entry.layer.__name__}: {name}": (entry, case)
    for entry in ENTRIES
    for name, case in entry.cases.items()
}
