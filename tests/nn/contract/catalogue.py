"""All layers."""

from tests.nn.contract import features, grids, lattices, points, scales, sets, wrappers
from tests.nn.contract.entry import Case, Entry

ENTRIES: tuple[Entry, ...] = (
    *grids.ENTRIES,
    *scales.ENTRIES,
    *features.ENTRIES,
    *points.ENTRIES,
    *sets.ENTRIES,
    *wrappers.ENTRIES,
    *lattices.ENTRIES,
)

CASES: dict[str, tuple[Entry, Case]] = {
    f"{entry.layer.__name__}: {name}": (entry, case)
    for entry in ENTRIES
    for name, case in entry.cases.items()
}
