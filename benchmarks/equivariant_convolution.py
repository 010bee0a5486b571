"""Planar group convolutions beside plain convolution and escnn: build, step, eval, folded, memory.

Networks of three 5×5 convolutions with ReLU at equal channels. Each library runs in a process of
its own (escnn in its own environment, see ``--escnn``), with one thread; both time the same plain
network too, to which their ratios are. Times are of the processor, in interleaved rounds.

    python benchmarks/equivariant_convolution.py --escnn PATH/TO/python

writes ``results/equivariant_convolution.json`` and ``.md``.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from rounds import machine, ratio, shown

HERE = Path(__file__).parent
RESULT = HERE / "results" / "equivariant_convolution.json"
GROUPS = ("C4", "C8", "D4", "C16", "D8")
CHANNELS, SIZE, BATCH, SIDE = (32, 64, 64), 5, 32, 28
WIDE = (  # channels
    ("C8", (64, 128, 128)),
    ("D8", (64, 128, 128)),
    ("D8", (128, 256, 256)),
    ("C8", (512, 1024, 1024)),
    ("D8", (1024, 2048, 2048)),
)
KINDS = ("step", "evaluate", "evaluate_folded")


class Library:
    """A worker process of one library."""

    def __init__(self, name, python):
        command = [python, str(HERE / "equivariant_convolution_worker.py"), name]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, *command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} ended the worker")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure_building(pythons, rounds):
    """Seconds to build each wide network: the first of a fresh process, then warm ones."""
    found = []
    for group, channels in WIDE:
        times = {name: [] for name in pythons}
        workers = {name: Library(name, python) for name, python in pythons.items()}
        for worker in workers.values():
            worker.ask("build", "plain", None, channels, SIZE)
        for _ in range(rounds + 1):
            for name, worker in workers.items():
                answer = worker.ask("build", "wide", group, channels, SIZE)
                times[name].append(answer["cpu_s"])
                worker.ask("drop", "wide")
        for worker in workers.values():
            worker.close()
        found.append(
            {
                "group": group,
                "channels": channels,
                "first_s": {name: values[0] for name, values in times.items()},
                "warm_s": {name: statistics.median(values[1:]) for name, values in times.items()},
                "times_faster": ratio(times["escnn"][1:], times["goldstone"][1:])
                if "escnn" in times
                else None,
            }
        )
    return found


def measure_running(pythons, rounds):
    """Ratios of times to the plain network's in the same process, round by round."""
    workers = {name: Library(name, python) for name, python in pythons.items()}
    parameters = {}
    for name, worker in workers.items():
        answer = worker.ask("build", "plain", None, CHANNELS, SIZE)
        parameters.setdefault("plain", answer["parameters"])
        for group in GROUPS:
            answer = worker.ask("build", group, group, CHANNELS, SIZE)
            worker.ask("fold", group)
            parameters[f"{name} {group}"] = answer["parameters"]
    names = ("plain", *GROUPS)
    times = {
        kind: {f"{library} {name}": [] for library in workers for name in names} for kind in KINDS
    }
    for kind in KINDS:
        for k in range(-1, rounds):
            order = names[k % len(names) :] + names[: k % len(names)]
            for name in order:
                for library, worker in workers.items():
                    seconds = worker.ask(kind, name, BATCH, SIDE)["cpu_s"]
                    if k >= 0:  # the first round warms up
                        times[kind][f"{library} {name}"].append(seconds)
    memory = {name: worker.ask("memory")["resident_bytes"] for name, worker in workers.items()}
    for worker in workers.values():
        worker.close()
    return {
        "rounds": rounds,
        "parameters": parameters,
        "median_s": {
            kind: {name: statistics.median(values) for name, values in of.items()}
            for kind, of in times.items()
        },
        "to_plain": {
            kind: {
                name: ratio(values, of[f"{name.split()[0]} plain"])
                for name, values in of.items()
                if not name.endswith(" plain")
            }
            for kind, of in times.items()
        },
        "resident_bytes": memory,
    }


def table(result):
    """The results as text."""
    running, building = result["running"], result["building"]
    libraries = list(running["resident_bytes"])
    lines = [
        "# Planar group convolutions beside plain convolution",
        "",
        (
            f"Three {SIZE}×{SIZE} convolutions of {'/'.join(map(str, CHANNELS))} channels with "
            f"ReLU, batch {BATCH} of {SIDE}×{SIDE}; processor time with one thread as a multiple "
            "of the plain network's in the same process: median of paired ratios and its 95 % "
            f"interval, {running['rounds']} interleaved rounds."
        ),
        "",
        "| group | library | parameters | step | eval | eval, folded |",
        "|---|---|---|---|---|---|",
    ]
    for group in GROUPS:
        for library in libraries:
            name = f"{library} {group}"
            ratios = " | ".join(shown(running["to_plain"][kind][name]) for kind in KINDS)
            lines.append(f"| {group} | {library} | {running['parameters'][name]} | {ratios} |")
    plain = {name: running["median_s"]["step"][f"{name} plain"] for name in libraries}
    lines += [
        "",
        f"Plain: {running['parameters']['plain']} parameters; a step takes "
        + ", ".join(f"{1e3 * seconds:.0f} ms ({name})" for name, seconds in plain.items())
        + ". Resident memory with all networks: "
        + ", ".join(f"{v / 2**20:.0f} MB ({k})" for k, v in running["resident_bytes"].items())
        + ".",
        "",
        "Building such networks, imports aside, seconds of processor time: first / once warm.",
        "",
        f"| group | channels | {' | '.join(libraries)} | times faster |",
        "|---|---|" + "---|" * (len(libraries) + 1),
    ]
    for row in building:
        cells = [f"{row['first_s'][n]:.3f} / {row['warm_s'][n]:.3f}" for n in libraries]
        faster = shown(row["times_faster"]) if row["times_faster"] else "–"
        widths = "/".join(map(str, row["channels"]))
        lines.append(f"| {row['group']} | {widths} | {' | '.join(cells)} | {faster} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--escnn", help="the python of an environment with escnn")
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--build-rounds", type=int, default=5)
    arguments = parser.parse_args()
    pythons = {"goldstone": sys.executable}
    if arguments.escnn:
        pythons["escnn"] = arguments.escnn
    result = {
        "machine": machine(),
        "building": measure_building(pythons, arguments.build_rounds),
        "running": measure_running(pythons, arguments.rounds),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    RESULT.with_suffix(".md").write_text(table(result), encoding="utf-8")
    print(table(result))


if __name__ == "__main__":
    main()
