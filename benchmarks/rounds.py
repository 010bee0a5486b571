"""Interleaved rounds of alternatives in one process, and what they say of ratios."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


def interleaved(works, rounds, *, warm_up=True):
    """Times of each of ``works`` (name → function) in rounds, and its last result.

    The order turns from round to round, so that a drift of the machine's speed favours nobody.
    Returns ``{"cpu": {name: [seconds]}, "wall": …}`` and ``{name: result}``.
    """
    names = list(works)
    found = {name: works[name]() for name in names} if warm_up else {}
    times = {kind: {name: [] for name in names} for kind in ("cpu", "wall")}
    for k in range(rounds):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            wall, cpu = time.perf_counter(), time.process_time()
            result = works[name]()
            times["cpu"][name].append(time.process_time() - cpu)
            times["wall"][name].append(time.perf_counter() - wall)
            found[name] = result
            del result
    return times, found


def ratio(times, reference):
    """Median of the paired ratios of two lists of times, and a 95 % interval of that median.

    The interval is by bootstrap of the rounds.
    """
    ratios = np.asarray(times) / np.asarray(reference)
    draws = np.random.default_rng(0).integers(0, len(ratios), (2000, len(ratios)))
    medians = np.median(ratios[draws], 1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return {"median": float(np.median(ratios)), "low": float(low), "high": float(high)}


def ratios(times, reference):
    """By kind of time: :func:`ratio` of every name to the name ``reference``."""
    return {
        kind: {name: ratio(values, of[reference]) for name, values in of.items()}
        for kind, of in times.items()
    }


def medians(times):
    return {
        kind: {name: statistics.median(values) for name, values in of.items()}
        for kind, of in times.items()
    }


def shown(value, digits=3):
    """A ratio with its interval."""
    return f"{value['median']:.{digits}g} ({value['low']:.{digits}g} to {value['high']:.{digits}g})"


def peak_memory():
    """Peak resident memory of this process in bytes (Linux).

    Not getrusage's: that may be the peak of the process which this one was forked from.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in status if line.startswith("VmHWM")))


def in_fresh_process(script, *arguments, python=sys.executable, path=None):
    """Standard output of a script in a process of its own with one thread, or its last error."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [python, str(script), *map(str, arguments)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError((run.stderr.strip().splitlines() or ["no output"])[-1])
    return run.stdout


def machine():
    """How busy the machine is; ratios of times in one run bear it, times do not."""
    return {"cores": os.cpu_count(), "load": [round(x, 2) for x in os.getloadavg()]}
