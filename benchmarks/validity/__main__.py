"""The zoo: train, audit and teach every model, once; then score the audit.

    python -m benchmarks.validity --out FOLDER [--tasks digits flows] [--processes 2] [--quick]

Resumable: FOLDER keeps the weights and what was measured of each model; a killed run goes on with
the next. Results, without weights, are written to benchmarks/results/validity.
"""

import argparse
import json
import traceback
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.validity.kept import measured, work
from benchmarks.validity.zoo import TASKS, members
from goldstone.core import replacing

RESULTS = Path(__file__).parents[1] / "results" / "validity"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validity", description=__doc__, formatter_class=_Plain
    )
    parser.add_argument("--out", type=Path, default=Path("validity"), help="weights and progress")
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--quick", action="store_true", help="eight tiny models of known answer, two minutes"
    )
    options = parser.parse_args()
    if options.quick:
        from benchmarks.validity.quick import main as quick

        raise SystemExit(quick())
    options.out.mkdir(parents=True, exist_ok=True)
    zoo = members(tuple(options.tasks))
    missing = [m.name for m in zoo if measured(options.out, m) is None]
    print(f"{len(zoo)} models, {len(missing)} to measure", flush=True)
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        jobs = {name: pool.submit(partial(work, name, options.out)) for name in missing}
        for name, job in jobs.items():
            error = job.exception()
            if error:
                traceback.print_exception(error)
            print(f"{name}: {error!r}" if error else job.result(), flush=True)
    failed = [m.name for m in zoo if measured(options.out, m) is None]
    if failed:
        raise SystemExit(f"{len(failed)} models failed: {', '.join(failed)}")
    if set(options.tasks) == set(TASKS):
        RESULTS.mkdir(parents=True, exist_ok=True)
        found = {m.name: measured(options.out, m) for m in zoo}
        with replacing(RESULTS / "zoo.json") as temporary:
            temporary.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


if __name__ == "__main__":
    main()
