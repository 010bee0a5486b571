"""Layers for points and for features of O(3) beside e3nn and plain layers.

Messages between points, linear and bilinear layers with as many copies of each irrep l ≤ 2: step,
eval, memory, build, dimension and error of equivariance. At equal channels the equivariant layers
of both libraries have equally many weights, for all of them are the most general ones of their
kind (goldstone has biases besides). Each library runs in a process of its own with one thread;
times are of the processor, in interleaved rounds.

    python -m benchmarks.equivariant_points --e3nn PATH/TO/python [--rounds 20] [--again]

writes ``results/equivariant_points.json`` and ``.md``; pieces that are there are kept, unless
``--again``. PATH/TO/python is that of an environment with e3nn:

    python3.11 -m venv peers/e3nn
    peers/e3nn/bin/pip install torch==2.13.0 e3nn==0.6.0
"""

from benchmarks.equivariant_points_table import table
from benchmarks.rounds import machine
from benchmarks.side_by_side import Libraries, building, command_line, compared, parameters, timings
from benchmarks.study import RESULTS, Runs, write_text

SCRIPT = "equivariant_points_worker.py"
POINTS = {
    "8 × 16 points, all near": {"batch": 8, "points": 16, "box": 2.0},
    "2 × 64 points": {"batch": 2, "points": 64, "box": 5.5},
    "1 × 256 points": {"batch": 1, "points": 256, "box": 10.0},
}
FEATURES = {  # kind: copies, batch
    "linear": ((8, 4096), (32, 256), (32, 4096)),
    "bilinear": ((4, 512), (8, 64), (8, 512)),
}
WIDE = (
    {"kind": "points", "copies": 32, **POINTS["1 × 256 points"]},
    {"kind": "linear", "copies": 64, "batch": 4096},
    {"kind": "bilinear", "copies": 8, "batch": 512},
)
COMPONENTS = 9


def named(description):
    """A layer's name in the tables."""
    return f"{description['kind']}, {description['copies']} copies"


def of_points(libraries, copies, cloud, rounds):
    """Times of messages along edges, and of goldstone's between all pairs too."""
    layer = {"kind": "points", "copies": copies, **cloud}
    cases = {name: {"edges": layer} for name in libraries}
    if cloud["points"] <= 64:
        cases["goldstone"]["all pairs"] = layer | {"pairs": "all"}
    return with_errors(libraries, cases, rounds)


def of_features(libraries, kind, copies, batch, rounds):
    """Times of a layer and of plain ones of as many channels and of as many parameters."""
    layer = {"kind": kind, "copies": copies, "batch": batch}
    count = parameters(libraries["goldstone"], layer)
    plain = {"kind": kind, "batch": batch}
    cases = {
        "plain": plain | {"width": copies * COMPONENTS},
        "plain of the same parameters": plain
        | {"width": round(count ** (1 / 2 if kind == "linear" else 1 / 3))},
        "equivariant": layer,
    }
    return with_errors(libraries, dict.fromkeys(libraries, cases), rounds)


def with_errors(libraries, cases, rounds):
    """Times of cases, and the error of those that are equivariant."""
    found = compared(timings(libraries, cases, rounds))
    for name, library in libraries.items():
        for case, description in cases[name].items():
            if "copies" in description:
                library.ask("build", "case", description)
                found[name][case]["error"] = library.ask("error", "case")["rotation"]
                library.ask("drop", "case")
    return {"machine": machine(), **found}


def main():
    path = RESULTS / "equivariant_points.json"
    given, pythons = command_line(__doc__.splitlines()[0], "e3nn", path)
    runs, rounds, build_rounds = Runs(path), given.rounds, given.build_rounds
    names = sorted(pythons)

    def keep(name, settings, work):
        runs.get(name, [*settings, names], work)
        write_text(path.with_suffix(".md"), table(runs.found))

    with Libraries(SCRIPT, pythons) as libraries:
        for copies in (8, 32):
            for name, cloud in POINTS.items():
                keep(
                    f"points: {name}, {copies} copies",
                    [copies, cloud, rounds],
                    lambda of=(copies, cloud): of_points(libraries, *of, rounds),
                )
        for kind, rows in FEATURES.items():
            for row in rows:
                keep(
                    f"{kind}: {row[0]} copies, batch {row[1]}",
                    [row, rounds],
                    lambda of=(kind, *row): of_features(libraries, *of, rounds),
                )
    for description in WIDE:
        keep(
            f"build: {named(description)}",
            [description, build_rounds],
            lambda of=description: building(SCRIPT, pythons, of, build_rounds),
        )
    print(table(runs.found))


if __name__ == "__main__":
    main()
