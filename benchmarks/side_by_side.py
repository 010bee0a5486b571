"""Libraries side by side: each in a process of its own environment, in interleaved rounds."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.rounds import ratio

HERE = Path(__file__).parent
KINDS = ("step", "evaluate", "evaluate_folded")
"""What is timed: forward and backward pass; forward pass; that of the folded network."""
FRESH = 2
"""Processes that are started for the first build of a network and for its memory."""

Description = Mapping[str, Any]
"""What a worker makes a network of."""


def command_line(
    description: str, peer: str, path: Path
) -> tuple[argparse.Namespace, dict[str, str]]:
    """What the command was given, and the python of each library; ``--again`` removes ``path``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(f"--{peer}", help=f"the python of an environment with {peer}")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--build-rounds", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="keep no earlier results")
    given = parser.parse_args()
    pythons = {"goldstone": sys.executable}
    if found := getattr(given, peer):
        pythons[peer] = found
    if given.again:
        path.unlink(missing_ok=True)
    return given, pythons


class Library:
    """A worker process of one library, started when it is first asked."""

    def __init__(self, script: str, name: str, python: str) -> None:
        self.command = [python, str(HERE / script), name]
        self.process: subprocess.Popen[str] | None = None

    def ask(self, *command: Any) -> dict[str, Any]:
        """The answer to one command."""
        if self.process is None:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            )
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} ended the worker {self.command}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()
        self.process = None


class Libraries(dict[str, Library]):
    """Workers by library, closed together."""

    def __init__(self, script: str, pythons: Mapping[str, str]) -> None:
        super().__init__({name: Library(script, name, at) for name, at in pythons.items()})

    def __enter__(self) -> "Libraries":
        return self

    def __exit__(self, *_: object) -> None:
        for library in self.values():
            library.close()


def timings(
    libraries: Mapping[str, Library],
    cases: Mapping[str, Mapping[str, Description]],
    rounds: int,
    kinds: Sequence[str] = KINDS,
) -> dict[str, Any]:
    """Times of cases (library → name → description) in interleaved rounds.

    Returns for each library and case what its worker tells of it and the seconds of each round.
    """
    found: dict[str, Any] = {}
    turns = [(library, name) for library, of in cases.items() for name in of]
    for library, name in turns:
        facts = libraries[library].ask("build", name, cases[library][name])
        libraries[library].ask("fold", name)
        found.setdefault(library, {})[name] = facts | {kind: [] for kind in kinds}
    for kind in kinds:
        for k in range(-1, rounds):
            turn = k % len(turns)
            for library, name in turns[turn:] + turns[:turn]:
                seconds = libraries[library].ask(kind, name)["cpu_s"]
                if k >= 0:  # The first round warms up.
                    found[library][name][kind].append(seconds)
    for library, name in turns:
        libraries[library].ask("drop", name)
    return found


def compared(found: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> dict[str, Any]:
    """Medians in place of times, and ratios.

    These are to the cases named "plain…" of the same process, and of the other libraries' cases to
    goldstone's of the same name.
    """
    result: dict[str, Any] = {}
    for library, cases in found.items():
        for name, case in cases.items():
            facts = {key: value for key, value in case.items() if key not in kinds}
            facts["median_s"] = {kind: statistics.median(case[kind]) for kind in kinds}
            for other in cases:
                if other != name and other.startswith("plain") and not name.startswith("plain"):
                    facts[f"to {other}"] = {
                        kind: ratio(case[kind], cases[other][kind]) for kind in kinds
                    }
            same = found["goldstone"].get(name)
            if library != "goldstone" and same is not None:
                facts["to goldstone"] = {kind: ratio(case[kind], same[kind]) for kind in kinds}
            result.setdefault(library, {})[name] = facts
    return result


def building(
    script: str, pythons: Mapping[str, str], description: Description, rounds: int
) -> dict[str, Any]:
    """Seconds to build a network, imports aside, the first of a fresh process and then warm ones;
    and the peak of resident memory beyond that of the library loaded, with that network alone, in
    eval and then in training steps. Of fresh processes the least counts.
    """
    first: dict[str, list[float]] = {name: [] for name in pythons}
    warm: dict[str, list[float]] = {name: [] for name in pythons}
    peaks: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    with Libraries(script, pythons) as libraries:
        for _ in range(FRESH):
            for name, library in libraries.items():
                library.close()
                library.ask("start")
                first[name].append(library.ask("build", "case", description)["cpu_s"])
                peaks[name].append(
                    {kind: library.ask("peak", "case", kind, 3)["bytes"] for kind in KINDS[1::-1]}
                )
                library.ask("drop", "case")
        for _ in range(rounds):
            for name, library in libraries.items():
                warm[name].append(library.ask("build", "case", description)["cpu_s"])
                library.ask("drop", "case")
    least = {name: min(values) for name, values in first.items()}
    return {
        "first_s": least,
        "warm_s": {name: statistics.median(values) for name, values in warm.items()},
        "peak_bytes": {
            name: {kind: min(peak[kind] for peak in of) for kind in of[0]}
            for name, of in peaks.items()
        },
        "times_faster": {
            name: {
                "first": least[name] / least["goldstone"],
                "warm": ratio(warm[name], warm["goldstone"]),
            }
            for name in pythons
            if name != "goldstone"
        },
    }


def parameters(worker: Library, description: Description) -> int:
    """How many a network has."""
    count: int = worker.ask("build", "counted", description)["parameters"]
    worker.ask("drop", "counted")
    return count
