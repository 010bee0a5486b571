"""The page of flow_emulators.py: tables, and what they say in words that follow from the runs."""

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.flow_emulators_flows import KINDS, TESTED_STEPS
from benchmarks.flow_emulators_results import (
    COMPARISONS,
    NETWORKS,
    Cell,
    Cells,
    always_broken,
    answers,
    audits,
    cells,
    compared,
    errors,
    geometric,
    of_element,
    paired,
    sizes_of,
    times_fewer,
    usual_residual,
)
from benchmarks.flow_emulators_runs import ARMS, PLAN, SEEDS, STEPS
from benchmarks.rounds import shown as shown_ratio
from benchmarks.study import Runs, interval, shown, table

_PAIRS = [(c, n) for n in NETWORKS[:2] for c in COMPARISONS]


def page(runs: Runs) -> str:
    """All of it."""
    found = cells(runs)
    wanted = [
        (kind, arm.full_name, size)
        for kind, sizes in PLAN.items()
        for size, arms in sizes.items()
        for arm in arms
    ]
    done, planned = sum(len(found.get(cell, {})) for cell in wanted), SEEDS * len(wanted)
    cost = runs.found["cost of a step"]
    one, other = (1000 * cost["cpu"][name] for name in ("plain", "equivariant"))
    lines = [
        "# Flow emulators",
        "",
        (
            "Written by `python -m benchmarks.flow_emulators`, which says what is measured. Errors "
            "are means ± 95 % t-intervals over seeds; ratios are geometric means, with such an "
            "interval, of pairs of one seed, which learned from the same trajectories."
        ),
        "",
        *([f"Not finished: {done} of {planned} runs.", ""] if done < planned else []),
        (
            f"A training step of 16 samples: plain {one:.1f} ms, equivariant {other:.1f} ms of one "
            f"core, {shown_ratio(cost['ratio'])} times as much; {_parameters(found)}."
        ),
        "",
        *_ratios(found),
        *_data(found),
        *_audits(found),
    ]
    for kind in KINDS:
        lines += _errors(runs, found, kind)
    return "\n".join(lines)


def _parameters(found: Cells) -> str:
    counts = {}
    for (_, arm, _), cell in found.items():
        for run in cell.values():
            counts[arm.removesuffix(" 3×")] = run["parameters"]
    return ", ".join(f"{name} {count} parameters" for name, count in counts.items())


def _ratios(found: Cells) -> Iterator[str]:
    yield from (
        "## Error over that of the equivariant U-Net",
        "",
        (
            f"Above 1, equivariance pays. *Equal steps*: {STEPS} of both, or {3 * STEPS} (*3×*). "
            f"*Equal time*: the better run of {STEPS} and {3 * STEPS} steps against {STEPS} of the "
            f"equivariant one. One step of the flow, and rollouts of {TESTED_STEPS}."
        ),
        "",
    )
    for key, title in (("error", "one step"), ("rollout", "rollout")):
        rows = []
        for kind in KINDS:
            for size in sizes_of(found, kind):
                row = [kind, str(size)]
                for comparison, network in _PAIRS:
                    arms, other = compared(comparison, network)
                    a, b = (errors(found, kind, some, size, key) for some in (arms, (other,)))
                    row.append(geometric(paired(a, b)))
                rows.append(row)
        head = ["flow", f"trajectories ({title})", *(f"{n}, {c}" for c, n in _PAIRS)]
        yield from (*table(head, rows), "")


def _data(found: Cells) -> Iterator[str]:
    yield from (
        "## Data that equivariance is worth",
        "",
        (
            "How many times fewer trajectories the equivariant U-Net needs for the one-step error "
            "that another reaches with the number given. Its curve of errors is joined by straight "
            "lines between logarithms; ≥ where it is below that error from its first number of "
            "trajectories on, ≤ where it is above it with its last. An arm that a longer training "
            "still betters is limited by its steps too: its numbers hold for this budget."
        ),
        "",
    )
    for kind in KINDS:
        sizes = sizes_of(found, kind)
        if len(sizes) < 2:
            continue
        rows = []
        for comparison, network in _PAIRS:
            arms = compared(comparison, network)
            rows.append([network, comparison, *(times_fewer(found, kind, arms, n) for n in sizes)])
        rows = [row for row in rows if set(row[2:]) != {"–"}]
        head = [f"U-Net ({kind})", "at", *(f"{n} trajectories" for n in sizes)]
        yield from (*table(head, rows), "")


def _audits(found: Cells) -> Iterator[str]:
    yield from (
        "## What the audits say",
        "",
        (
            "Of D4, over all numbers of trajectories, steps and seeds. T and ρ of the quarter turn "
            "r, mean and range; subgroups with the number of audits that find them the largest of "
            "which all tested elements hold. A model without skill gets no answer."
        ),
        "",
    )
    rows = []
    for kind in KINDS:
        for network in NETWORKS:
            some = audits(found, kind, network)
            if some:
                rows.append([kind, network, str(len(some)), *_audit_row(some)])
    head = ["flow", "U-Net", "audits", "no skill", "holds", "transports"]
    yield from (*table([*head, "T(r)", "ρ(r)", "subgroup that holds"], rows), "")
    for kind in KINDS:
        yield from _in_words(found, kind)
    yield ""


def _audit_row(some: Sequence[dict[str, Any]]) -> list[str]:
    counts = [answers(some, axis) for axis in ("holds", "transports")]
    order = ("yes", "undetermined", "no")
    return [
        str(sum(not audit["has_skill"] for audit in some)),
        *(", ".join(f"{c[a]} {a}" for a in order if c[a]) for c in counts),
        *(_range(of_element(some, "r", value)) for value in ("T", "rho")),
        usual_residual(some, "holds"),
    ]


def _range(values: Sequence[float]) -> str:
    if not values:
        return "–"
    mean = interval(values)[0]
    # Rounding of an exact model is no number to read.
    mean, low, high = (0.0 if abs(v) < 1e-5 else v for v in (mean, min(values), max(values)))
    return f"{mean:.3g} ({low:.3g} to {high:.3g})"


def _in_words(found: Cells, kind: str) -> Iterator[str]:
    some = {network: audits(found, kind, network) for network in NETWORKS}
    some = {network: those for network, those in some.items() if those}
    if not some:
        return
    clauses = []
    for network, those in some.items():
        held, moved = (answers(those, axis)["yes"] for axis in ("holds", "transports"))
        clause = f"{network}, D4 holds in {held} and transports in {moved} of {len(those)} audits"
        broken = always_broken(those)
        clauses.append(clause + (f", {', '.join(broken)} break in all" if broken else ""))
    yield f"- *{kind.capitalize()}*: {'; '.join(clauses)}."
    refused = {name for those in some.values() for audit in those for name in audit["refused"]}
    if refused:
        names = ", ".join(sorted(refused))
        yield (
            f"  The audit refuses D4, since the law does not commute with {names}, and was "
            "forced: to hold it is an error here, which the ground truth shows and the two "
            "axes alone do not."
        )
    learned = [those for network, those in some.items() if network != "equivariant"]
    together = [audit for those in learned for audit in those]
    if together and not answers(together, "transports")["yes"]:
        held = answers(together, "holds")["yes"]
        rho = interval(of_element(together, "r", "rho"))[0]
        yield (
            f"  Where these, plain or augmented, hold D4 ({held} of {len(together)}), they have "
            f"learned it pose by pose: D4 transports in none, and ρ(r) is {rho:.2f} on average, "
            "so that what one pose teaches does not help with the turned one."
        )


def _errors(runs: Runs, found: Cells, kind: str) -> Iterator[str]:
    known = runs.found[f"references, {kind}"]
    still, blind = known["persistence"], known["averaged law"]
    yield from (f"## {kind.capitalize()}", "")
    text = (
        f"Persistence: {still['error']:.3f} one step later, {still['rollout']:.3f} after "
        f"{TESTED_STEPS} steps."
    )
    if blind["error"] > 1e-3:
        text += (
            f" The law averaged over D4, which is the best equivariant map that does not see the "
            f"pose of a state in the state: {blind['error']:.3f} and {blind['rollout']:.3f}."
        )
        text += _against(found, kind, blind["error"])
    yield from (text, "")
    rows = []
    for size in sizes_of(found, kind):
        for arm in ARMS:
            cell = found.get((kind, arm.full_name, size), {})
            if cell:
                rows.append([str(size), arm.full_name, *_error_row(cell)])
    head = ["trajectories", "U-Net", "steps", "seeds", "training loss", "error", "rollout"]
    yield from (*table([*head, "error, random poses", "rollout, random poses"], rows), "")


def _against(found: Cells, kind: str, blind: float) -> str:
    """How the equivariant network does against the averaged law."""
    sizes = [n for n in sizes_of(found, kind) if (kind, "equivariant", n) in found]
    if not sizes:
        return ""
    own, plain = (
        list(errors(found, kind, (arm,), sizes[-1]).values()) for arm in ("equivariant", "plain")
    )
    below = interval(own)[0] < blind
    reads = "reads the pose from what the law has done to the state" if below else "is no better"
    return (
        f" The equivariant U-Net, with {sizes[-1]} trajectories, errs {shown(own)}: it {reads}. "
        f"The plain one errs {shown(plain)}."
    )


def _error_row(cell: Cell) -> list[str]:
    some = list(cell.values())
    keys = ("training_loss", "error", "rollout", "posed_error", "posed_rollout")
    return [
        str(some[0]["steps"]),
        str(len(some)),
        *(shown([run[key] for run in some]) for key in keys),
    ]
