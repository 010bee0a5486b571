"""What groups and representations cost, beside escnn and e3nn where these have the same.

    python benchmarks/group_speed.py [--escnn PYTHON] [--e3nn PYTHON] [--rounds 5]

Each PYTHON is the interpreter of an environment in which that library is installed; without it the
library's columns stay empty. Every measurement is a process of its own with one thread, so nothing
was computed before; the libraries take turns, round by round. Times are the processor's, which with
one thread are the wall clock's on an idle machine. escnn keeps results on disk between processes:
it is timed with that folder empty (*cold*) and then with what it left there (*warm*). Results are
compared, so that the work is the same: characters on every element, coupling coefficients up to
sign, Wigner matrices, dimension and rank of Hom.

Prints median times with their ranges and ratios to goldstone's, and writes all times to
benchmarks/results/group_speed.json. Exits with 1 where results differ or a bound is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

HERE = Path(__file__).parent
TASKS = {  # name in the scripts: (what it is, the most seconds goldstone may take)
    "import": ("import, torch already imported", 0.3),
    "irreps C32": ("irreps of C32 on all elements", 0.05),
    "irreps D16": ("irreps of D16 (order 32) on all elements", 0.05),
    "irreps O": ("irreps of O (24) on all elements", None),
    "irreps Oh": ("irreps of Oh (48) on all elements", None),
    "irreps I": ("irreps of I (60) on all elements", 0.2),
    "irreps Ih": ("irreps of Ih (120) on all elements", 0.2),
    "irreps S6": ("irreps of S6 (720) on all elements", 5.0),
    "Hom O": ("Hom(regular, regular) of O, 576 unknowns", None),
    "Hom O, dense": ("the same, escnn's dense decomposition", None),
    "Hom Ih": ("Hom(regular, regular) of Ih, 14,400 unknowns", 1.0),
    "Hom S5": ("Hom(regular, regular) of S5, 14,400 unknowns", 1.0),
    "Clebsch-Gordan": ("Clebsch–Gordan of SO(3), all l ≤ 6", None),
    "Wigner D": ("Wigner matrices l ≤ 6 of 1,000 rotations", None),
    "compose Ih": ("10,000 products in Ih", None),
    "compose D5000": ("100,000 products in D5000 (order 10,000)", None),
    "compose S8": ("100,000 products in S8 (order 40,320)", None),
    "table D1000": ("Cayley table of D1000 (order 2,000)", None),
    "Wigner error 11": ("three Wigner matrices l = 11 of 100 rotations", None),
    "Wigner error 20": ("three Wigner matrices l = 20 of 100 rotations", None),
}
LIBRARIES = {
    "escnn": {"import", "compose Ih", "Hom O", "Hom O, dense", "Hom Ih"}
    | {f"irreps {group}" for group in ("C32", "D16", "O", "Oh", "I", "Ih")},
    "e3nn": {"import", "Clebsch-Gordan", "Wigner D", "Wigner error 11", "Wigner error 20"},
    "goldstone": set(TASKS) - {"Hom O, dense"},
}
KEPT_ON_DISK = {"Hom O", "Hom Ih"} | {t for t in TASKS if t.startswith("irreps")}
COLUMNS = ("goldstone", "escnn cold", "escnn warm", "e3nn")


class Bench:
    """Runs measurements and keeps their times and what they found."""

    def __init__(self, interpreters, folder):
        self.interpreters, self.folder = interpreters, Path(folder)
        self.seconds, self.wall, self.found, self.failures = {}, {}, {}, {}

    def measure(self, task, column, cache):
        library = column.split()[0]
        result = self.folder / "result.npz"
        result.unlink(missing_ok=True)
        # Bytecode is kept, as that of an installed package is.
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        script = str(HERE / f"group_speed_{library}.py")
        command = [self.interpreters[library], script, task, str(result), str(cache)]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if run.returncode or not result.exists():
            last = run.stderr.strip().splitlines()
            self.failures[task, column] = last[-1] if last else f"exit status {run.returncode}"
            return
        with np.load(result) as arrays:
            found = dict(arrays)
        self.seconds.setdefault((task, column), []).append(float(found.pop("seconds")))
        self.wall.setdefault((task, column), []).append(float(found.pop("wall")))
        self.found[task, column] = found

    def round(self, number, budget):
        for task in TASKS:
            order = [
                lib for lib in LIBRARIES if lib in self.interpreters and task in LIBRARIES[lib]
            ]
            for library in order[:: -1 if number % 2 else 1]:
                cache = self.folder / f"cache of round {number}" / task
                first = "escnn cold" if library == "escnn" else library
                if sum(self.seconds.get((task, first), ())) >= budget:
                    continue
                self.measure(task, first, cache)
                if task in KEPT_ON_DISK and any(cache.rglob("output.pkl")):
                    self.measure(task, "escnn warm", cache)


def disagreements(found):
    """Where the columns' results are not the same, or break their own laws."""
    wrong = []
    for (task, column), arrays in found.items():
        reference = found.get((task, "goldstone"), found.get(("Hom O", "goldstone")))
        for name, values in arrays.items():
            if name in ("violation", "orthogonality", "homomorphism", "wrong"):
                agrees = float(values) < 1e-6
            elif name not in reference or values.shape != reference[name].shape:
                agrees = False
            elif task == "Clebsch-Gordan":
                # Each has norm √dim c; the sign is free.
                cosine = abs(np.vdot(values, reference[name])) / values.shape[-1]
                agrees = abs(cosine - 1) < 1e-12
            else:
                agrees = np.allclose(values, reference[name], atol=1e-5, rtol=0)
            if not agrees:
                wrong.append(f"{task}: {name} of {column} differs from goldstone's")
    return wrong


def shown(seconds):
    return f"{seconds:.3g} s" if seconds >= 0.1 else f"{1e3 * seconds:.2g} ms"


def cell(times, reference):
    if not times:
        return ""
    text = f"{shown(median(times))} ({shown(min(times))} to {shown(max(times))})"
    ratio = median(times) / median(reference) if reference else 1
    return text if times is reference or not reference else f"{text}; ×{ratio:.3g}"


def table(seconds):
    lines = ["| task | " + " | ".join(COLUMNS) + " | bound |", "|---" * (len(COLUMNS) + 2) + "|"]
    for task, (label, bound) in TASKS.items():
        reference = seconds.get((task, "goldstone"))
        cells = [cell(seconds.get((task, column)), reference) for column in COLUMNS]
        if not any(cells):
            continue
        limit = ""
        if bound is not None and reference:
            met = "met" if median(reference) <= bound else "MISSED"
            limit = f"{shown(bound)}: {met}"
        lines.append(f"| {label} | " + " | ".join(cells) + f" | {limit} |")
    return "\n".join(lines)


def accuracy(found):
    lines = []
    for (task, column), arrays in found.items():
        scalars = {
            name: float(arrays[name])
            for name in ("violation", "orthogonality", "homomorphism")
            if name in arrays
        }
        if scalars:
            errors = ", ".join(f"{name} {value:.1e}" for name, value in scalars.items())
            lines.append(f"{TASKS[task][0]}, {column}: {errors}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--escnn", help="a Python with escnn")
    parser.add_argument("--e3nn", help="a Python with e3nn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds, then no more rounds")
    chosen = parser.parse_args()
    peers = {name: getattr(chosen, name) for name in ("escnn", "e3nn") if getattr(chosen, name)}
    for name in {"escnn", "e3nn"} - set(peers):
        print(f"Without --{name}: goldstone is not compared with {name}.")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench({"goldstone": sys.executable, **peers}, folder)
        for library in bench.interpreters:
            # Once for the bytecode, uncounted.
            for task in sorted(LIBRARIES[library] & {"import", "Hom O", "Wigner D"}):
                bench.measure(task, library, Path(folder) / "unused")
        for kept in (bench.seconds, bench.wall, bench.found):
            kept.clear()
        for number in range(chosen.rounds):
            bench.round(number, chosen.budget)
            print(f"round {number + 1} of {chosen.rounds}", file=sys.stderr)
    print(table(bench.seconds))
    print(*accuracy(bench.found), sep="\n")
    wrong = disagreements(bench.found)
    wrong += [f"{task}, {column}: {why}" for (task, column), why in bench.failures.items()]
    missed = [
        f"{label}: over {shown(bound)}"
        for task, (label, bound) in TASKS.items()
        if bound is not None and median(bench.seconds.get((task, "goldstone"), [0.0])) > bound
    ]
    print(*(wrong or ["All compared results agree."]), *missed, sep="\n")
    facts = {
        "python": platform.python_version(),
        "torch": version("torch"),
        "threads": 1,
        "rounds": chosen.rounds,
        "compared_with": sorted(peers),
        "disagreements": wrong,
        "bounds_missed": missed,
        "accuracy": accuracy(bench.found),
    }
    for name, times in (("seconds", bench.seconds), ("wall_seconds", bench.wall)):
        facts[name] = {
            task: {c: times[task, c] for c in COLUMNS if (task, c) in times} for task in TASKS
        }
    path = HERE / "results" / "group_speed.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    sys.exit(bool(wrong or missed))


if __name__ == "__main__":
    main()
