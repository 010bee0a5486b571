"""The results of equivariant_convolution.py as text."""

from benchmarks.rounds import shown
from benchmarks.side_by_side import KINDS
from benchmarks.study import table as markdown

STEP_GOAL, BUILD_GOAL, BUILD_SECONDS = 1.10, 20, 0.2


def table(found):
    """All pieces that are there."""
    lines = [
        "# Group convolutions beside plain convolution and escnn",
        "",
        (
            "One thread, processor time; ratios are medians of paired ratios of interleaved "
            "rounds, with their 95 % intervals."
        ),
        "",
    ]
    for part in (_goals, _equal_channels, _equal_parameters, _building, _filters):
        lines += [*part(found), ""]
    return "\n".join(lines)


def pieces(found, kind):
    """Results by name of the pieces of a kind."""
    prefix = f"{kind}: "
    return {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)}


def libraries_of(piece):
    """The libraries that a piece has results of."""
    return [name for name in ("goldstone", "escnn", "e3nn") if name in piece]


def _goals(found):
    equal = pieces(found, "equal channels")
    if not equal:
        return
    rows = {name: piece["goldstone"]["equivariant"]["to plain"] for name, piece in equal.items()}
    high, worst = max((ratios["step"]["high"], name) for name, ratios in rows.items())
    missed = [name for name, ratios in rows.items() if ratios["step"]["high"] > STEP_GOAL]
    yield (
        f"- Step at most {STEP_GOAL:.2f} times a plain one's, upper ends of the intervals: "
        + (f"missed by {', '.join(missed)}" if missed else "reached by all")
        + f"; the largest is {high:.2f} ({worst})."
    )
    folded = [ratios["evaluate_folded"] for ratios in rows.values()]
    low, high = min(r["median"] for r in folded), max(r["median"] for r in folded)
    yield f"- Folded inference as a plain one's: medians from {low:.3f} to {high:.3f}."
    built = {k: v for k, v in pieces(found, "build").items() if not k.startswith("plain")}
    slow = [k for k, v in built.items() if v["first_s"]["goldstone"] > BUILD_SECONDS]
    longest = max((v["first_s"]["goldstone"] for v in built.values()), default=0.0)
    yield (
        f"- Wide networks built in less than {BUILD_SECONDS} s, the first of a process: "
        + (f"missed by {'; '.join(slow)}" if slow else "reached by all")
        + f"; the longest takes {longest:.3f} s."
    )
    faster = {k: v["times_faster"]["escnn"] for k, v in built.items() if "escnn" in v["first_s"]}
    for kind in ("first", "warm"):
        slow = [
            k
            for k, v in faster.items()
            if (v["first"] if kind == "first" else v["warm"]["median"]) < BUILD_GOAL
        ]
        yield f"- Built {BUILD_GOAL} times faster than by escnn, {kind}: " + (
            f"missed by {'; '.join(slow)}." if slow else "reached by all."
        )


def _equal_channels(found):
    yield "## Equal channels"
    yield ""
    yield (
        "Convolutions of 32/64/64 channels with ReLU on 8 images of 28×28; six layers with batch "
        "norms and two strides on 29×29; in space 24/48/48 channels of regular fields, and "
        "27/45/45 of irreps l ≤ 2 with gates, on 4 volumes of 12³ or 2 of 16³. Times as multiples "
        "of the plain network's of the same channels. Errors: how far a turn about 90° and about "
        "the group's smallest angle, or a general one, moves the invariants of 8 smooth images, "
        "relative to their spread over images. What goldstone adds to a step or an eval is the "
        "assembling of weights, the same for small batches and large ones. escnn cannot fold "
        "gates; there *folded* is its eval mode."
    )
    yield ""
    rows = []
    for name, piece in pieces(found, "equal channels").items():
        for library in libraries_of(piece):
            case = piece[library]["equivariant"]
            error = case["error"]
            rows.append(
                [
                    name,
                    library,
                    str(case["parameters"]),
                    *(shown(case["to plain"][kind]) for kind in KINDS),
                    f"{error['quarter turn']:.0e}",
                    f"{error['turn']:.1e}" if "turn" in error else "–",
                ]
            )
    head = ("network", "library", "parameters", "step", "eval", "folded", "90°", "other angle")
    yield from markdown(head, rows)
    yield ""
    yield "Times of escnn as multiples of goldstone's, round by round:"
    yield ""
    rows = [
        [name, *(shown(piece["escnn"]["equivariant"]["to goldstone"][kind]) for kind in KINDS)]
        for name, piece in pieces(found, "equal channels").items()
        if "escnn" in piece
    ]
    yield from markdown(("network", "step", "eval", "folded"), rows)


def _equal_parameters(found):
    yield "## Equal parameters"
    yield ""
    yield (
        "Widths at which each network has about the parameters of the plain one of 16/32/32 "
        "channels (4/8/8 in space); of irreps the copies of each l. Times as multiples of that "
        "plain network's, and of the plain network's of the same channels."
    )
    yield ""
    rows = []
    for group, piece in pieces(found, "equal parameters").items():
        for library in libraries_of(piece):
            case, plain = piece[library]["equivariant"], piece[library]["plain"]
            rows.append(
                [
                    group,
                    library,
                    "/".join(map(str, case["widths"])),
                    f"{case['parameters']} ({plain['parameters']})",
                    *(shown(case["to plain"][kind]) for kind in KINDS[:2]),
                    *(shown(case["to plain of the same channels"][kind]) for kind in KINDS[:2]),
                    shown(case["to goldstone"]["step"]) if "to goldstone" in case else "",
                ]
            )
    yield from markdown(
        (
            "group",
            "library",
            "widths",
            "parameters (plain)",
            "step",
            "eval",
            "step, same channels",
            "eval, same channels",
            "step, to goldstone",
        ),
        rows,
    )


def _building(found):
    yield "## Building and memory"
    yield ""
    yield "Three layers of 5×5 or 5×5×5 kernels. " + BUILDING
    yield ""
    yield from building_rows(pieces(found, "build"))


BUILDING = (
    "Seconds to build, imports aside: the first of a fresh process / once warm; memory: the peak "
    "of resident memory beyond that of the library loaded, with this network alone in the process, "
    "in eval / in training steps, MB. Of two fresh processes the lesser."
)


def building_rows(built):
    """The table of times to build and of memory."""
    names = libraries_of(next(iter(built.values()))["first_s"]) if built else []
    rows = []
    for name, row in built.items():
        cells = [f"{row['first_s'][n]:.3f} / {row['warm_s'][n]:.3f}" for n in names]
        for other in names[1:]:
            faster = row["times_faster"][other]
            cells.append(f"{faster['first']:.3g} / {shown(faster['warm'])}")
        for n in names:
            peak = row["peak_bytes"][n]
            cells.append(f"{peak['evaluate'] / 2**20:.0f} / {peak['step'] / 2**20:.0f}")
        rows.append([name, *cells])
    head = ("network", *(f"{n}, s" for n in names), *(f"times faster than {n}" for n in names[1:]))
    yield from markdown((*head, *(f"{n}, MB" for n in names)), rows)


def _filters(found):
    spaces = {k: v for k, v in found.get("filters", {}).items() if k != "settings"}
    names = libraries_of(next(iter(spaces.values()))) if spaces else []
    yield "## Filter spaces"
    yield ""
    yield (
        "Free coefficients of a pair of regular fields, with a kernel of so many taps along an "
        "axis: those of one scalar filter (of so many taps) times the group's order. *Outside*: "
        "the share of orthonormal scalar filters that is outside the other library's span. For "
        "groups of the grid goldstone's filters are free in every tap, which is all there is; "
        "elsewhere both are rings of harmonics, with limits to their frequencies, and goldstone's "
        "are corrected for what a square lattice takes for another frequency."
    )
    yield ""
    rows = []
    for name, row in spaces.items():
        if "filters" not in row[names[0]]:
            continue
        first = row[names[0]]
        cells = [f"{row[n]['pair']} ({row[n]['filters']} of {first['taps']})" for n in names]
        for n in names:
            cells += [f"{abs(row[n][key]):.0%}" for key in row[n] if key.startswith("outside")]
        rows.append([name, *cells])
    others = [f"{n} outside {o}" for n in names for o in names if o != n]
    yield from markdown(("group, taps", *names, *others), rows)
    yield ""
    yield "Kernels between irreps of SO(3), a row for each l of the input:"
    yield ""
    rows = [
        [name, *("; ".join(" ".join(map(str, line)) for line in row[n]["pairs"]) for n in names)]
        for name, row in spaces.items()
        if "pairs" in row[names[0]]
    ]
    yield from markdown(("group, taps", *names), rows)
