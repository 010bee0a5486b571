"""Tables and figure of the mechanism experiment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.validity.mechanism_arms import Arm
from benchmarks.validity.mechanism_summary import MEDIATORS, CaseRuns, all_cases
from goldstone.core import replacing
from goldstone.report.marks import GREY, INK, PAPER, SERIES
from goldstone.report.svg import Axes, inline_svg

MARK = "<!-- tables: written by python -m benchmarks.validity.mechanism -->"
_MEDIATOR_NAMES = {
    "rho": "ρ",
    "rho within class": "ρ within class",
    "probe": "probe, own covectors",
    "kernel": "kernel",
}
_SET = ("ρ", "kernel")
_COLOURS = {"ρ": SERIES[0], "kernel": SERIES[2]}
_KINDS = {
    "control": ("control", "s", INK),
    "before training": ("raised before training only", "P", SERIES[5]),
    "augmentation and": ("augmentation, ρ lowered", "v", SERIES[4]),
    "augmentation": ("augmentation", "^", SERIES[4]),
    "consistency": ("consistency of outputs", "D", SERIES[3]),
    "shuffled": ("placebos", "X", GREY),
    "common": ("placebos", "X", GREY),
    "wrong": ("placebos", "X", GREY),
    "hidden": ("other kernels raised", "*", SERIES[1]),
    "probe": ("other kernels raised", "*", SERIES[1]),
}
"""By a word in the name of an arm: its group in the figure, mark and colour."""
_PANEL = 400


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
        between = [
            f"{c.between_arms(f'{m} used', key, level, augmented=augmented):+.2f}"
            for augmented in (True, False)
        ]
        rows.append([_MEDIATOR_NAMES[m], *between, beyond])
    head = [f"held-out coherence against {key}", "between arms", "of these without augmentation"]
    head.append("beyond arm and seed")
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
    width, height = 2 * _PANEL, 300 * len(cases)
    title = "Generalisation to unseen poses against held-out coherence, a point for each arm"
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" font-family="system-ui, sans-serif">'
        ),
        f"<title>{title}</title>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
    ]
    for row, (name, c) in enumerate(cases.items()):
        for column, m in enumerate(("rho", "kernel")):
            place = f'<svg x="{column * _PANEL}" y="{row * 300}"'
            panel = _panel(f"p{row}{column}", c, name, m)
            lines.append(panel.replace("<svg", place, 1))
    return "\n".join([*lines, "</svg>", ""])


def _panel(key: str, c: CaseRuns, title: str, mediator: str) -> str:
    level, goal = c.case.levels[1], outcome(c)

    def point(arm: str) -> tuple[float, float]:
        x, y = (np.array(c.values(arm, k, level)) for k in (f"{mediator} used", goal))
        known = np.isfinite(x) & np.isfinite(y)
        return float(x[known].mean()), float(y[known].mean())

    reached = [n for n in c.arms if c.effect(n, "T used", level).seeds]

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_xlabel(f"{_MEDIATOR_NAMES[mediator]} of used poses, held out")
        axes.set_ylabel(goal)
        for term in _SET:
            doses = sorted(point(a.name) for a in c.doses(term) if a.name in reached)
            if len(doses) > 2:
                line = {"color": _COLOURS[term], "markersize": 4, "zorder": 2}
                axes.plot(*zip(*doses, strict=True), "o-", label=f"{term} set", **line)
        others = [n for n in reached if n == "control" or c.arms[n] not in _doses_of(c)]
        for name in others:
            kind, marker, colour = next(k for word, k in _KINDS.items() if word in name)
            mark = {"color": colour, "markersize": 6, "zorder": 3, "fillstyle": "none"}
            known = axes.get_legend_handles_labels()[1]
            label = "_" if kind in known else kind
            axes.plot(*([v] for v in point(name)), marker, label=label, **mark)
        axes.legend(fontsize=8, frameon=False, loc="best", labelcolor=INK, handlelength=1.2)

    return inline_svg(key, f"{goal} against {mediator} by arm", draw, _PANEL, 300)


def _doses_of(c: CaseRuns) -> list[Arm]:
    return [arm for term in _SET for arm in c.doses(term)]
