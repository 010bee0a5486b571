"""Tables and figure of the mechanism experiment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.validity.mechanism_summary import MEDIATORS, CaseRuns, all_cases
from goldstone.core import replacing
from goldstone.report.drawing import document
from goldstone.report.marks import GREY, INK, SERIES
from goldstone.report.svg import Axes, inline_svg

MARK = "<!-- tables: written by python -m benchmarks.validity.mechanism -->"
_MEDIATOR_NAMES = {
    "rho": "ρ",
    "rho within class": "ρ within class",
    "probe": "probe, own covectors",
    "kernel": "kernel",
}
_COLOURS = {"ρ": SERIES[0], "kernel": SERIES[2], "probe": SERIES[5], "augmentation": SERIES[4]}
_PANEL = 330


def write_page(runs: Mapping[str, Any], folder: Path) -> str:
    """Put tables below the mark of mechanism.md, whose text above stays; draw the figure."""
    cases = all_cases(runs)
    tables = "\n".join([MARK, "", *(line for c in cases.values() for line in case_tables(c))])
    path = folder / "mechanism.md"
    text = path.read_text(encoding="utf-8").split(MARK)[0] if path.exists() else ""
    with replacing(path) as temporary:
        temporary.write_text(text + tables, encoding="utf-8")
    with replacing(folder / "mechanism.svg") as temporary:
        temporary.write_text(figure(cases), encoding="utf-8")
    return tables


def outcome(c: CaseRuns, role: str = "used") -> str:
    """Accuracy of classifiers, T of others."""
    return f"accuracy {role}" if c.case.labelled else f"T {role}"


def case_tables(c: CaseRuns) -> list[str]:
    """All tables of a case."""
    level = c.case.levels[1]
    lines = [f"### {c.case.name}", ""]
    said = f"{len(c.seeds)} seeds; {c.seconds / 60:.1f} minutes of one core; held-out loss in the "
    said += f"trained pose {level:g} unless another is named."
    return [
        *lines,
        said,
        "",
        *_arms(c, level),
        *_doses(c, level),
        *_moments(c),
        *_mediation(c, level),
    ]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _mean(c: CaseRuns, arm: str, key: str, level: float, digits: int = 2) -> str:
    values = [v for v in c.values(arm, key, level) if np.isfinite(v)]
    return f"{np.mean(values):.{digits}f}" if values else "–"


def _arms(c: CaseRuns, level: float) -> list[str]:
    mediators = [m for m in MEDIATORS if c.case.labelled or m != "rho within class"]
    roles = [r for r in ("used", "between", "beyond") if c.case.named(r)]
    head = ["arm", "seeds", "step", *(_MEDIATOR_NAMES[m] for m in mediators)]
    head += [outcome(c, r) for r in roles]
    head += [f"Δ {outcome(c, 'used')}"] + (["Δ T used"] if c.case.labelled else [])
    rows = []
    for arm in c.arms:
        row = [arm, str(c.effect(arm, "T used", level).seeds), _mean(c, arm, "step", level, 0)]
        row += [_mean(c, arm, f"{m} used", level) for m in mediators]
        row += [_mean(c, arm, outcome(c, r), level) for r in roles]
        row.append("" if arm == "control" else c.effect(arm, outcome(c), level).shown())
        if c.case.labelled:
            row.append("" if arm == "control" else c.effect(arm, "T used", level).shown())
        rows.append(row)
    return [
        "Arms, means over seeds; Δ against the control of the same seed.",
        "",
        *_table(head, rows),
    ]


def _doses(c: CaseRuns, level: float) -> list[str]:
    terms = [t for t in ("ρ", "kernel") if len(c.doses(t)) > 3]
    keys = [outcome(c, r) for r in ("used", "between", "beyond") if c.case.named(r)]
    keys += ["T used", "T beyond"] if c.case.labelled else []
    rows = [[t, *(c.dose_response(t, key, level).shown() for key in keys)] for t in terms]
    title = "Dose and response: rank correlation of strength and outcome within each seed."
    return [title, "", *_table(["raised or lowered", *keys], rows)]


def _moments(c: CaseRuns) -> list[str]:
    places = [(f"held-out loss {v:g}", v, "loss") for v in c.case.levels]
    places += [(f"training loss {v:g}", v, "train") for v in c.case.levels]
    names = [
        n for n, a in c.arms.items() if a.strength in (-1, -0.3, -0.1, 0.1, 1) and n != "control"
    ]
    rows = [
        [name, *(c.effect(name, outcome(c), v, axis).shown() for _, v, axis in places)]
        for name in names
    ]
    title = f"Δ {outcome(c)} at several moments, matched by held-out and by training loss."
    return [title, "", *_table(["arm", *(place for place, _, _ in places)], rows)]


def _mediation(c: CaseRuns, level: float) -> list[str]:
    mediators = [m for m in MEDIATORS if c.case.labelled or m != "rho within class"]
    key = outcome(c)
    rows = []
    for m in mediators:
        correlation, p, runs = c.within_arms(f"{m} used", key, level)
        beyond = f"{correlation:+.2f} (p = {p:.3f}, {runs} runs)" if runs else "–"
        rows.append([_MEDIATOR_NAMES[m], f"{c.between_arms(f'{m} used', key, level):+.2f}", beyond])
    head = [f"held-out coherence against {key}", "between arms", "beyond arm and seed"]
    lines = ["Does the change of the coherence predict the change of the outcome?", ""]
    lines += _table(head, rows)
    terms = [t for t in ("ρ", "kernel") if len(c.doses(t)) > 3]
    others = [
        n for n, a in c.arms.items() if a.term not in (*terms, "control") or a.also or a.primed
    ]
    pairs = [(m, "kernel" if m == "kernel" and "kernel" in terms else terms[0]) for m in mediators]
    rows = [
        [n, *(c.expected(n, f"{m} used", key, level, term).shown() for m, term in pairs)]
        for n in others
    ]
    head = ["arm", *(f"{_MEDIATOR_NAMES[m]} (doses of {term})" for m, term in pairs)]
    title = f"{key} less what its coherence gives on the line of the doses; 0 if that were all."
    return [*lines, title, "", *_table(head, rows)]


def figure(cases: Mapping[str, CaseRuns]) -> str:
    """Outcome against held-out coherence, a point for each arm, for ρ and for the kernel."""
    panels = []
    for row, (name, c) in enumerate(cases.items()):
        for column, m in enumerate(("rho", "kernel")):
            drawn = _panel(f"p{row}{column}", c, name, m)
            place = f'<svg x="{column * _PANEL}" y="{row * 300}"'
            panels.append(drawn.replace("<svg", place, 1))
    paper = f'<rect width="{2 * _PANEL}" height="{300 * len(cases)}" fill="#ffffff"/>'
    title = "Generalisation to unseen poses against held-out coherence, by arm"
    return document(2 * _PANEL, 300 * len(cases), title, "", [paper, *panels])


def _panel(key: str, c: CaseRuns, title: str, mediator: str) -> str:
    level = c.case.levels[1]
    goal = outcome(c)

    def point(arm: str) -> tuple[float, float]:
        x, y = (c.values(arm, k, level) for k in (f"{mediator} used", goal))
        known = np.isfinite(x) & np.isfinite(y)
        return float(np.mean(np.array(x)[known])), float(np.mean(np.array(y)[known]))

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_xlabel(f"{_MEDIATOR_NAMES[mediator]}, used poses, held out")
        axes.set_ylabel(goal)
        for term in ("ρ", "kernel"):
            doses = sorted(point(a.name) for a in c.doses(term) if _reached(c, a.name, level))
            if len(doses) > 2:
                x, y = zip(*doses, strict=True)
                axes.plot(x, y, "o-", color=_COLOURS[term], markersize=4, zorder=2)
                axes.annotate(
                    f"{term} set", (x[-1], y[-1]), xytext=(-4, 6), textcoords="offset points",
                    fontsize=9, ha="right", color=_COLOURS[term],
                )  # fmt: skip
        for name, arm in c.arms.items():
            alone = arm.term in ("ρ", "kernel") and not arm.also and not arm.primed
            if (alone and name != "control") or not _reached(c, name, level):
                continue
            x, y = point(name)
            colour = INK if name == "control" else GREY
            axes.plot([x], [y], "s", color=colour, markersize=5, zorder=3)
            axes.annotate(
                _short(name), (x, y), xytext=(4, -9), textcoords="offset points", fontsize=7.5,
                color=colour,
            )  # fmt: skip

    return inline_svg(key, f"{goal} against {mediator} by arm", draw, _PANEL, 300)


def _reached(c: CaseRuns, arm: str, level: float) -> bool:
    return c.effect(arm, "T used", level).seeds > 0


def _short(name: str) -> str:
    short = {"before training only": "first", "of a wrong action": "wrong", "of ": ""}
    for long, words in short.items():
        name = name.replace(long, words)
    return name.replace(" +1", "").replace(" layers", "")
