"""The results of equivariant_points.py as text."""

from benchmarks.equivariant_convolution_table import BUILDING, building_rows, libraries_of, pieces
from benchmarks.rounds import shown
from benchmarks.study import table as markdown


def table(found):
    """All pieces that are there."""
    lines = [
        "# Layers for points and features of O(3) beside e3nn and plain layers",
        "",
        (
            "One thread, processor time; ratios are medians of paired ratios of interleaved "
            "rounds, with their 95 % intervals. Features have as many copies of each irrep l ≤ 2. "
            "Errors: |f(gx) − g f(x)|/|f(x)| in float32, the largest of four rotations."
        ),
        "",
    ]
    for part in (_points, _features, _building):
        lines += [*part(found), ""]
    return "\n".join(lines)


def milliseconds(case, kind):
    """A median time."""
    return f"{1e3 * case['median_s'][kind]:.2f}"


def _points(found):
    yield "## Messages between points"
    yield ""
    yield "Milliseconds: training step / eval. Ratios: e3nn's times as multiples of goldstone's."
    yield ""
    rows = []
    for name, piece in pieces(found, "points").items():
        for library in libraries_of(piece):
            for way, case in piece[library].items():
                ratio = case.get("to goldstone")
                rows.append(
                    [
                        name,
                        f"{library}, {way}",
                        f"{case['neighbours']:.1f}",
                        str(case["parameters"]),
                        f"{milliseconds(case, 'step')} / {milliseconds(case, 'evaluate')}",
                        shown(ratio["step"]) if ratio else "",
                        shown(ratio["evaluate"]) if ratio else "",
                        f"{case['error']:.0e}",
                    ]
                )
    head = ("points", "layer", "neighbours", "parameters", "ms", "step", "eval", "error")
    yield from markdown(head, rows)


def _features(found):
    yield "## Linear and bilinear layers"
    yield ""
    yield (
        "Beside `nn.Linear` or `nn.Bilinear` of the same channels: times as multiples of theirs in "
        "the same process; the last columns are e3nn's times as multiples of goldstone's, and "
        "the plain layer of the same number of parameters in multiples of that of the same "
        "channels."
    )
    yield ""
    rows = []
    for kind in ("linear", "bilinear"):
        for name, piece in pieces(found, kind).items():
            for library in libraries_of(piece):
                case = piece[library]["equivariant"]
                plain = piece[library]["plain"]
                small = piece[library]["plain of the same parameters"]
                ratio = case.get("to goldstone")
                smaller = small["median_s"]["step"] / plain["median_s"]["step"]
                rows.append(
                    [
                        f"{kind}, {name}",
                        library,
                        f"{case['parameters']} ({plain['parameters']})",
                        *(
                            shown(case["to plain"][k])
                            for k in ("step", "evaluate", "evaluate_folded")
                        ),
                        f"{case['error']:.0e}",
                        shown(ratio["step"]) if ratio else "",
                        shown(ratio["evaluate"]) if ratio else "",
                        f"{smaller:.2g}",
                    ]
                )
    yield from markdown(
        (
            "layer",
            "library",
            "parameters (plain)",
            "step",
            "eval",
            "folded",
            "error",
            "step, to goldstone",
            "eval, to goldstone",
            "plain, same parameters",
        ),
        rows,
    )


def _building(found):
    yield "## Building and memory"
    yield ""
    yield "e3nn's layers write and compile their code when they are built. " + BUILDING
    yield ""
    yield from building_rows(pieces(found, "build"))
