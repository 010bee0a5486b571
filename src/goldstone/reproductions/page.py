"""A reproduction as a page of Markdown: claim and measurement side by side."""

from collections import Counter
from pathlib import Path
from typing import get_args

from goldstone.core import replacing
from goldstone.report.numbers import interval, number, seconds
from goldstone.reproductions.results import Claim, Comparison, Outcome, Reproduction

_SIGNS: dict[Outcome, str] = {
    "reproduced": "✓", "partly": "◐", "not reproduced": "✗", "not tested": "–"
}  # fmt: skip


def markdown(found: Reproduction) -> str:
    """The whole page."""
    lines = [f"# {found.title}", "", f"Source: {found.source}", ""]
    if found.provenance.quick:
        lines += ["**A quick form, which shows that the program runs; its numbers mean little.**"]
        lines += [""]
    lines += [found.setting, "", f"**{summary(found)}**", ""]
    lines += ["| | claim | outcome |", "|---|---|---|"]
    lines += [
        f"| {k} | {_cell(claim.statement)} | {_SIGNS[claim.outcome]} {claim.outcome} |"
        for k, claim in enumerate(found.claims, 1)
    ]
    shown: set[str] = set()
    for k, claim in enumerate(found.claims, 1):
        lines += ["", *_section(found, k, claim, shown)]
    lines += ["", "## How it was made", "", *_provenance(found)]
    return "\n".join(lines) + "\n"


def summary(found: Reproduction) -> str:
    """How many claims had which outcome: ``3 reproduced, 1 partly``."""
    counts = Counter(claim.outcome for claim in found.claims)
    return ", ".join(f"{counts[o]} {o}" for o in get_args(Outcome) if counts[o])


def write(found: Reproduction, out: Path) -> None:
    """Write NAME.json, NAME.md and the figures into ``out``, each atomically."""
    for name, drawing in found.drawings.items():
        with replacing(out / figure_file(found, name)) as temporary:
            temporary.write_text(drawing, encoding="utf-8")
    with replacing(out / f"{found.name}.md") as temporary:
        temporary.write_text(markdown(found), encoding="utf-8")
    found.save_json(out / f"{found.name}.json")


def figure_file(found: Reproduction, figure: str) -> str:
    """The file of a figure."""
    return f"{found.name}-{figure}.svg"


def _section(found: Reproduction, k: int, claim: Claim, shown: set[str]) -> list[str]:
    lines = [
        f"## {k}. {_SIGNS[claim.outcome]} {claim.outcome[0].upper()}{claim.outcome[1:]}",
        "",
        f"**Claim.** {claim.statement} ({claim.source})",
    ]
    if claim.comparisons:
        lines += ["", "| quantity | published | measured | 95 % interval | n |"]
        lines += ["|---|---|---|---|---|"]
        lines += [_row(comparison) for comparison in claim.comparisons]
    if claim.diagnosis:
        lines += ["", claim.diagnosis]
    for name in claim.figures:
        if name not in shown:
            shown.add(name)
            lines += ["", f"![{found.figures[name]}]({figure_file(found, name)})"]
            lines += ["", f"*{found.figures[name]}*"]
    return lines


def _row(comparison: Comparison) -> str:
    measured = comparison.measured
    if measured is None:
        value, span, count = comparison.words, "", ""
    else:
        value = number(measured.estimate)
        value += f" ({comparison.words})" if comparison.words else ""
        span, count = interval(measured), str(measured.n)
    cells = (comparison.quantity, comparison.published or "–", value, span, count)
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _provenance(found: Reproduction) -> list[str]:
    made = found.provenance
    flag = " --quick" if made.quick else ""
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    total = sum(made.seconds.values())
    parts = ", ".join(f"{name} {seconds(value)}" for name, value in made.seconds.items())
    costs = (
        f"Seeds {', '.join(map(str, made.seeds))}; {versions}. "
        f"Processor time {seconds(total)}: {parts}. "
        f"Every number of this page and more is in `{found.name}.json`."
    )
    return [f"    python -m goldstone.reproductions {found.name}{flag}", "", costs]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
