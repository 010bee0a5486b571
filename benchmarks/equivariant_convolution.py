"""Group convolutions in the plane and in space beside plain convolution and escnn.

Networks of three convolutions (and deeper ones with strides and batch norm) at equal channels and
at equal numbers of parameters: training step, eval, folded eval, memory, build, dimension of the
filter space, equivariance error. Each library runs in a process of its own with one thread; both
time the same plain network too, to which their ratios are. Times are of the processor, in
interleaved rounds.

    python -m benchmarks.equivariant_convolution --escnn PATH/TO/python [--rounds 20] [--again]

writes ``results/equivariant_convolution.json`` and ``.md``; pieces that are there are kept, unless
``--again``. PATH/TO/python is that of an environment with escnn 1.0.11, which needs Python 3.11,
NumPy below 2 and, for py3nj, a Fortran compiler:

    python3.11 -m venv peers/escnn
    peers/escnn/bin/pip install torch==2.13.0 "numpy<2" escnn==1.0.11

escnn keeps results on disk; its first builds here find what earlier runs left there.
"""

import torch

from benchmarks.equivariant_convolution_table import table
from benchmarks.rounds import machine
from benchmarks.side_by_side import (
    KINDS,
    Libraries,
    building,
    command_line,
    compared,
    parameters,
    timings,
)
from benchmarks.study import RESULTS, Runs, write_text

SCRIPT = "equivariant_convolution_worker.py"
ORDER = {"C4": 4, "C8": 8, "D4": 8, "C16": 16, "D8": 16, "O": 24, "SO3": 1}
EQUAL_CHANNELS = {  # field, group, widths, size, shape, strides
    **{
        f"{group}, 5×5": ("plane", group, (32, 64, 64), 5, (8, 1, 28, 28), None)
        for group in ("C4", "C8", "D4", "C16", "D8")
    },
    "C8, six layers with strides": (
        *("plane", "C8", (32, 32, 64, 64, 64, 64), 5),
        *((8, 1, 29, 29), (1, 1, 2, 1, 2, 1)),
    ),
    "D4, 5×5, 32 images": ("plane", "D4", (32, 64, 64), 5, (32, 1, 28, 28), None),
    "C8, six layers with strides, 32 images": (
        *("plane", "C8", (32, 32, 64, 64, 64, 64), 5),
        *((32, 1, 29, 29), (1, 1, 2, 1, 2, 1)),
    ),
    "O, 3×3×3": ("space", "O", (24, 48, 48), 3, (2, 1, 16, 16, 16), None),
    "O, 5×5×5": ("space", "O", (24, 48, 48), 5, (4, 1, 12, 12, 12), None),
    "SO(3), 3×3×3": ("irreps", "SO3", (3, 5, 5), 3, (2, 1, 16, 16, 16), None),
    "SO(3), 3×3×3, 8 volumes": ("irreps", "SO3", (3, 5, 5), 3, (8, 1, 16, 16, 16), None),
    "SO(3), 5×5×5": ("irreps", "SO3", (3, 5, 5), 5, (4, 1, 12, 12, 12), None),
}
EQUAL_PARAMETERS = {  # group: field, widths of the plain network, size, shape
    **dict.fromkeys(("C4", "C8", "D4", "D8"), ("plane", (16, 32, 32), 5, (4, 1, 28, 28))),
    "O": ("space", (4, 8, 8), 5, (1, 1, 12, 12, 12)),
    "SO3": ("irreps", (4, 8, 8), 5, (1, 1, 12, 12, 12)),
}
WIDE = (
    ("plane", None, (64, 128, 128), 5, (8, 1, 28, 28)),
    ("plane", "C8", (64, 128, 128), 5, (8, 1, 28, 28)),
    ("plane", "D8", (64, 128, 128), 5, (8, 1, 28, 28)),
    ("plane", "D8", (128, 256, 256), 5, (2, 1, 28, 28)),
    ("space", "O", (24, 48, 48), 5, (4, 1, 12, 12, 12)),
    ("space", "O", (48, 96, 96), 5, (1, 1, 12, 12, 12)),
    ("irreps", "SO3", (3, 5, 5), 5, (4, 1, 12, 12, 12)),
    ("irreps", "SO3", (16, 32, 32), 5, (1, 1, 12, 12, 12)),
)


def described(field, group, widths, size, shape=None, strides=None):
    """A network as the worker takes it."""
    return {
        "field": field,
        "group": group,
        "widths": widths,
        "size": size,
        "shape": shape,
        "strides": strides,
    }


def equal_channels(libraries, row, rounds):
    """Times of a network and of the plain one with as many channels, errors of equivariance."""
    field, _, *rest = row
    cases = {"plain": described(field, None, *rest), "equivariant": described(*row)}
    found = compared(timings(libraries, dict.fromkeys(libraries, cases), rounds))
    for name, library in libraries.items():
        library.ask("build", "case", cases["equivariant"])
        found[name]["equivariant"]["error"] = library.ask("error", "case")
        library.ask("drop", "case")
    return found


def equal_parameters(libraries, group, row, rounds):
    """Each library's widths at which it has the plain network's number of parameters, and times."""
    field, plain_widths, size, shape = row
    plain = described("plane" if field == "plane" else "space", None, plain_widths, size, shape)
    cases = {}
    for name, library in libraries.items():
        widths = fitting(library, parameters(library, plain), field, group, size)
        cases[name] = {
            "plain": plain,
            "plain of the same channels": described(field, None, widths, size, shape),
            "equivariant": described(field, group, widths, size, shape),
        }
    found = compared(timings(libraries, cases, rounds, KINDS[:2]), KINDS[:2])
    for name, of in cases.items():
        found[name]["equivariant"]["widths"] = of["equivariant"]["widths"]
    return found


def fitting(library, wanted, field, group, size):
    """Widths (w, 2w, 2w), as near as whole fields allow, with about so many parameters."""
    order = ORDER[group]

    def count(fields):
        return parameters(library, described(field, group, widths(fields), size))

    def widths(fields):
        return (order * max(1, fields // 2), order * fields, order * fields)

    low, high = 1, 2
    while count(high) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < wanted else (low, middle)
    return widths(min((low, high), key=lambda fields: abs(count(fields) - wanted)))


def filter_spaces(libraries):
    """Dimensions of pairs of fields, and how far one library's filters lie in the other's span."""
    found = {}
    for field, group, size in (
        *(("plane", group, size) for group in ("C4", "D4", "C8", "D8") for size in (3, 5, 7)),
        *(("space", "O", size) for size in (3, 5)),
        *(("irreps", "SO3", size) for size in (3, 5)),
    ):
        answers = {n: x.ask("filters", field, group, size) for n, x in libraries.items()}
        if field != "irreps":
            spans = {n: torch.tensor(a["filters"]).double() for n, a in answers.items()}
            for name, span in spans.items():
                answers[name] |= {"filters": len(span), "taps": span.shape[1]}
                for other in spans:
                    if other != name:
                        answers[name][f"outside {other}"] = outside(span, spans[other])
        found[f"{group}, {size}"] = answers
    return found


def outside(span, other):
    """Share of the squared norm of orthonormal filters that lies outside another span."""
    one, two = (torch.linalg.svd(x, full_matrices=False)[2] for x in (span, other))
    return float(1 - (one @ two.T).square().sum() / len(one))


def main():
    path = RESULTS / "equivariant_convolution.json"
    given, pythons = command_line(__doc__.splitlines()[0], "escnn", path)
    runs, rounds, build_rounds = Runs(path), given.rounds, given.build_rounds
    names = sorted(pythons)

    def keep(name, settings, work):
        runs.get(name, [settings, names], work)
        write_text(path.with_suffix(".md"), table(runs.found))

    for row in WIDE:
        keep(
            f"build: {row[1] or 'plain'}, {'/'.join(map(str, row[2]))}",
            [row, build_rounds],
            lambda row=row: building(SCRIPT, pythons, described(*row), build_rounds),
        )
    with Libraries(SCRIPT, pythons) as libraries:
        for name, row in EQUAL_CHANNELS.items():
            keep(
                f"equal channels: {name}",
                [row, rounds],
                lambda row=row: {"machine": machine(), **equal_channels(libraries, row, rounds)},
            )
        keep("filters", None, lambda: filter_spaces(libraries))
        for group, row in EQUAL_PARAMETERS.items():
            keep(
                f"equal parameters: {group}",
                [row, rounds],
                lambda of=(group, row): equal_parameters(libraries, *of, rounds),
            )
    print(table(runs.found))


if __name__ == "__main__":
    main()
