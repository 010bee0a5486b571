"""Equivariant, augmented and plain U-Nets on isotropic and anisotropic flows, trained and audited.

Navier–Stokes on a periodic 16×16 grid, in three kinds:

- isotropic: the law commutes with all of D4, and states come in all poses alike;
- anisotropic states: the same law, of eddies that start stretched along the second axis. Only the
  half turn and the reflections of the axes leave the distribution as it is, and quarter turns are
  never seen; but D4 is true;
- anisotropic law: isotropic states, and a viscosity ten times as large along the first axis. The
  law itself has no quarter turn: to impose D4 is wrong.

Arms, of equal numbers of parameters (within a tenth):

- plain: a U-Net;
- augmented: the same on every trajectory in all eight poses of D4, in as many steps;
- equivariant: a U-Net of D4-steerable convolutions, whose step takes about three times as long.

Each is trained for 512 steps of 16 pairs and for three times as many, by :func:`train_next_step`,
on up to 128 trajectories of four steps. Arms of equal steps are compared; and at equal time the
equivariant one with the better of both lengths of another, since three times its steps take as
long, and less where few data are learned by heart. There is one rate for all, 0.02: of 0.002,
0.006, 0.02 and 0.04, tried with one seed on isotropic flows in 512 steps, the plain and the
equivariant one were best or within a twentieth of it.

Measured on 48 trajectories of other states, the same for all, and on flows from the same states in
random poses: the relative error ‖f(x) − y‖/‖y‖ one step later and after eight. Audited on 32 of
these: T(g), ρ(g), and whether D4 holds and transports.

    python -m benchmarks.flow_emulators [--quick] [--seeds N] [--work FOLDER]

Goes on after an interruption at any moment, from results/flow_emulators.json and from the training
runs in FOLDER. One thread, about twenty minutes of one core.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from benchmarks.flow_emulators_flows import LAW, references
from benchmarks.flow_emulators_page import page
from benchmarks.flow_emulators_picture import picture
from benchmarks.flow_emulators_runs import (
    ARMS,
    PLAN,
    RATE,
    SEEDS,
    STEPS,
    Arm,
    cost_of_a_step,
    measured,
)
from benchmarks.study import RESULTS, Runs, write_text


def study(
    runs: Runs,
    work: Path,
    *,
    seeds: int = SEEDS,
    steps: int = STEPS,
    plan: Mapping[str, Mapping[int, Sequence[Arm]]] = PLAN,
) -> None:
    """Run what is not there yet, seed by seed."""
    runs.get("cost of a step", {}, cost_of_a_step)
    for kind, law in LAW.items():
        runs.get(f"references, {kind}", asdict(law), partial(references, kind))
    for seed in range(seeds):
        for kind, sizes in plan.items():
            for size, arms in sizes.items():
                for arm in arms:
                    settings = {
                        "steps": steps * arm.longer,
                        "rate": RATE,
                        "network": dict(arm.network.arguments),
                        "law": asdict(LAW[kind]),
                    }
                    runs.get(
                        f"{kind}, {arm.full_name}, {size} trajectories, seed {seed}",
                        settings,
                        partial(measured, kind, arm, size, seed, work, steps),
                    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--work", type=Path, default=Path("out/flow_emulators"))
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    runs = Runs(given.out / "flow_emulators.json")
    if given.quick:
        study(runs, given.work, seeds=1, steps=1, plan={kind: {2: ARMS[:3]} for kind in LAW})
    else:
        study(runs, given.work, seeds=given.seeds)
    write_text(given.out / "flow_emulators.md", page(runs))
    write_text(given.out / "flow_emulators.svg", picture(runs))
    print(page(runs))


if __name__ == "__main__":
    main()
