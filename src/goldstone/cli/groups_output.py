"""What a group's summary says in a terminal."""

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from goldstone.groups import GROUP_NAME_FORMS
from goldstone.representations.summary import (
    GLOSSARY,
    ClassSummary,
    FiniteSummary,
    GroupSummary,
    IrrepSummary,
    LieSummary,
    SubgroupSummary,
)

MOST_ROWS = 40
MOST_NAMES = 24
_GAP = 3  # between columns
LONGEST_LABEL = 7
"""The longest first element that heads a column of a character table; else classes are named."""


def show_forms(console: Console) -> None:
    """A row for each form of group names."""
    table = _table("form", "example", "group")
    for form in GROUP_NAME_FORMS:
        table.add_row(*map(escape, (form.form, form.example, form.meaning)))
    console.print(table)


def show_group(console: Console, summary: GroupSummary) -> None:
    """A summary in tables that fit the console's width."""
    if summary.finite is not None:
        _show_finite(console, summary.name, summary.finite)
    if summary.lie is not None:
        _show_lie(console, summary.name, summary.lie)
    if summary.omitted:
        reasons: dict[str, list[str]] = {}
        for omission in summary.omitted:
            reasons.setdefault(omission.reason, []).append(omission.part)
        console.print()
        for reason, parts in reasons.items():
            _say(console, f"Left out: {', '.join(parts)} ({reason}).")


def _show_finite(console: Console, name: str, group: FiniteSummary) -> None:
    kind = "" if group.type in (None, name) else f", isomorphic to {group.type}"
    _title(console, f"{name}: a group of order {_count(group.order)}{kind}")
    facts: dict[str, str | Sequence[str]] = {"generators": group.generators or "none"}
    if group.elements is not None:
        facts["elements"] = _some([element.name for element in group.elements])
    if group.order_counts is not None:
        counts = [f"{count} of order {order}" for order, count in group.order_counts]
        facts["element orders"] = _some(counts)
    if group.exponent is not None:
        facts["exponent"] = str(group.exponent)
    facts["abelian"] = _yes(group.is_abelian)
    if group.is_solvable is not None:
        facts["solvable"] = _yes(group.is_solvable)
    if group.centre is not None:
        facts["centre"] = _subgroup(group.centre)
    if group.commutator_subgroup is not None:
        facts["commutators"] = f"[G, G] = {_subgroup(group.commutator_subgroup)}"
    _show_facts(console, facts)
    if group.classes is not None:
        _title(console, f"Conjugacy classes: {len(group.classes)}")
        rows = [(c.name, str(c.order), str(c.size), c.representative) for c in group.classes]
        _show_rows(console, ("class", "order", "size", "first element"), rows, (1, 2))
    if group.lattice is not None:
        _show_lattice(console, group)
    if group.classes is not None and group.complex_irreps is not None:
        _show_characters(console, group.classes, group.complex_irreps)
    if group.real_irreps is not None:
        _title(console, f"Irreps over ℝ: {len(group.real_irreps)}")
        _show_irreps(console, group.real_irreps)


def _show_lattice(console: Console, group: FiniteSummary) -> None:
    lattice = group.lattice
    if lattice is None:
        return
    _title(console, f"Subgroups: {lattice.count} in {len(lattice.classes)} classes")
    maximal: dict[int, list[str]] = {}
    for covering in lattice.coverings:
        count = f"{covering.below}×" if covering.below > 1 else ""
        maximal.setdefault(covering.upper, []).append(f"{count}{covering.lower + 1}")
    rows = [
        (
            *(str(number + 1), str(found.order), found.type or "", str(found.conjugates)),
            *("normal" if found.is_normal else "", ", ".join(maximal.get(number, []))),
            found.name,
        )
        for number, found in enumerate(lattice.classes)
    ]
    headings = ("#", "order", "type", "conjugates", "", "maximal subgroups", "one of them")
    _show_rows(console, headings, rows, (0, 1, 3))


def _show_characters(
    console: Console, classes: Sequence[ClassSummary], irreps: Sequence[IrrepSummary]
) -> None:
    """The table in blocks of as many columns as fit the width."""
    _title(console, "Character table")
    shown = irreps[:MOST_ROWS]
    labels = [c.representative for c in classes]
    if max(map(len, labels)) > LONGEST_LABEL:
        labels = [c.name for c in classes]
    columns = [
        (label, [irrep.characters[j] for irrep in shown])
        for j, label in enumerate(labels[:MOST_ROWS])
    ]
    ends = max(len(irrep.name) for irrep in shown), max(len(irrep.type) for irrep in shown)
    while columns:
        stop, room = 0, console.width - sum(max(end, 5) + _GAP for end in ends)
        for label, values in columns:
            room -= max(map(len, (label, *values))) + _GAP
            if room < 0 and stop > 0:
                break
            stop += 1
        table = _table("irrep", *(label for label, _ in columns[:stop]), "type")
        for column in table.columns:
            column.no_wrap = True
        for column in table.columns[1:-1]:
            column.justify = "right"
        for row, irrep in enumerate(shown):
            values = [values[row] for _, values in columns[:stop]]
            table.add_row(*map(escape, (irrep.name, *values, irrep.type)))
        console.print(table)
        columns = columns[stop:]
    cells = "".join(value for irrep in shown for value in irrep.characters)
    notes = [meaning for letter, meaning in GLOSSARY.items() if letter in cells]
    if len(irreps) > MOST_ROWS:
        notes.append(f"the first {MOST_ROWS} rows and columns of {len(irreps)}; --json has all")
    for note in notes:
        _say(console, f"  {note}")


def _show_irreps(console: Console, irreps: Sequence[IrrepSummary]) -> None:
    rows = [(irrep.name, str(irrep.dimension), irrep.type) for irrep in irreps]
    _show_rows(console, ("irrep", "dimension", "type"), rows, (1,))


def _show_lie(console: Console, name: str, group: LieSummary) -> None:
    compact = "compact" if group.is_compact else "not compact"
    _title(console, f"{name}: a Lie group of dimension {group.dimension}, {compact}")
    components = group.component_generators
    facts: dict[str, str | Sequence[str]] = {
        "components": f"generated by those of {', '.join(components)}"
        if components
        else "one: it is connected",
        "Lie algebra": _some(group.basis, MOST_ROWS) or "0",
    }
    if group.brackets is not None:
        facts["brackets"] = _some(group.brackets, MOST_ROWS) or "all are zero"
    if group.killing_signature is not None:
        positive, negative, zero = group.killing_signature
        kind = "semisimple" if zero == 0 and group.dimension else "degenerate"
        facts["Killing form"] = f"{positive} positive, {negative} negative, {zero} zero: {kind}"
    _show_facts(console, facts)
    if group.irreps is not None:
        _title(console, f"Irreps up to degree {group.irreps_degree}")
        _show_irreps(console, group.irreps)


def _title(console: Console, words: str) -> None:
    console.print()
    console.print(Text(words, style="bold"))


def _say(console: Console, words: str) -> None:
    console.print(Text(words))


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(escape(heading), overflow="fold")
    return table


def _show_facts(console: Console, facts: Mapping[str, str | Sequence[str]]) -> None:
    grid = Table.grid(padding=(0, 2))
    for column in ("heading", "words"):
        grid.add_column(column, overflow="fold")
    width = console.width - max(map(len, facts)) - 6
    for heading, words in facts.items():
        lines = words if isinstance(words, str) else _lines(words, width)
        grid.add_row(f"  {heading}", Text(lines))
    console.print(grid)


def _lines(names: Sequence[str], width: int) -> str:
    """Names with commas, in lines that break between names only."""
    lines: list[list[str]] = [[]]
    length = 0
    for name in names:
        if lines[-1] and length + len(name) + 2 > width:
            lines.append([])
            length = 0
        lines[-1].append(name)
        length += len(name) + 2
    return ",\n".join(", ".join(line) for line in lines)


def _show_rows(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Iterable[int] = (),
) -> None:
    table = _table(*headings)
    for number in right:
        table.columns[number].justify = "right"
        table.columns[number].no_wrap = True
    for row in rows[:MOST_ROWS]:
        table.add_row(*map(escape, row))
    console.print(table)
    if len(rows) > MOST_ROWS:
        _say(console, f"  … and {len(rows) - MOST_ROWS} more; --json has all")


def _some(names: Sequence[str], most: int = MOST_NAMES) -> list[str]:
    more = [f"… ({len(names)} in all)"] if len(names) > most else []
    return [*names[:most], *more]


def _subgroup(found: SubgroupSummary) -> str:
    kind = "" if found.type in (None, found.name) else f", {found.type}"
    return f"{found.name} (order {found.order}{kind})"


def _count(number: int) -> str:
    """With commas, or by powers of ten where that is too long to read."""
    if number < 10**15:
        return f"{number:,}"
    digits = str(number)
    return f"{digits[0]}.{digits[1:3]}·10^{len(digits) - 1}"


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
