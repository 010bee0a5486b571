"""Inner products of per-sample gradients, and curvature solves, beside the peers that install.

    python benchmarks/gradient_peers.py [--peers-python PYTHON] [--rounds 5] [--samples 4]

PYTHON is the interpreter of an environment with this torch and opacus, backpack-for-pytorch and
curvlinops-for-pytorch; without it the peers that are not installed here are left out, and it says
so. All methods run in one process with one thread in interleaved rounds, on a U-Net of half a
million parameters on 64×64 fields (with norms and attention, and without) and ``--samples`` samples
at every element of D4. Errors are those of the Gram matrix against a float64 loop; peak memory,
over that of the prepared task, is measured in a process of its own. A method that refuses is a
result: what it says stands in its row.

The solves are those of a smaller network; their distance is that of all cosines of the gradients
to those by conjugate gradients in the full Gauss–Newton metric at the same λ.

Prints tables and writes benchmarks/results/gradient_peers.json and .md.
"""

import argparse
import json
import platform
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from gradient_peers_methods import GRAMS, SOLVES, VARIANTS, Work
from rounds import in_fresh_process, interleaved, machine, medians, peak_memory, ratios, shown

from goldstone.curvature import gauss_newton_gram, output_jvps, per_sample_gradients

HERE = Path(__file__).parent
PEERS = ("opacus", "backpack-for-pytorch", "curvlinops-for-pytorch")
GRID = 64
SMALL = (16, 2)
"""Grid and samples of the solves."""
DAMPING = 1e-2


def prepared(methods, make):
    """The methods that do the task once, and what the others said."""
    works, refusals = {}, {}
    for name, method in methods.items():
        try:
            work = make(method)
            work()
        except Exception as error:  # noqa: BLE001 Peers refuse in many ways.
            refusals[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
        else:
            works[name] = work
    return works, refusals


def gram_error(gram, wanted):
    """Largest error of an inner product, over the norms of its two gradients."""
    norms = wanted.diagonal().sqrt()
    return float(((gram.double() - wanted) / norms / norms[:, None]).abs().max())


def measure_grams(variant, samples, rounds):
    wanted = Work.make(variant, GRID, samples).reference_gram()
    # Some peers change the model that they are given, so each has its own.
    works, refusals = prepared(GRAMS, lambda m: m(Work.make(variant, GRID, samples)))
    times, found = interleaved(works, rounds, warm_up=False)
    memory = {}
    for name in works:
        output = in_fresh_process(__file__, "--memory", name, variant, samples)
        memory[name] = int(output.split()[-1])
    return {
        "gradients": len(wanted),
        "seconds": medians(times),
        "ratio": ratios(times, "loop, discarded"),
        "error": {n: gram_error(g, wanted) for n, g in found.items() if g is not None},
        "memory": memory,
        "refusals": refusals,
    }


def measure_solves(variant, rounds):
    task = Work.make(variant, *SMALL)
    rows = per_sample_gradients(task.model, task.loss, task.inputs)
    few = rows[:: max(1, len(rows) // 8)]
    pushed, _ = output_jvps(task.model, task.reference, few)
    damping = DAMPING * float(pushed.square().mean(1).sum() / few.square().sum())
    double = task.model.double()
    full = gauss_newton_gram(double, task.reference.double(), rows.double(), damping, 1e-3, 200)
    task.model.float()
    works, refusals = prepared(SOLVES, lambda m: m(Work.make(variant, *SMALL), rows, damping))
    works["gradients"] = lambda: per_sample_gradients(task.model, task.loss, task.inputs)
    times, found = interleaved(works, rounds, warm_up=False)

    def cosines(gram):
        norms = gram.double().diagonal().sqrt()
        return gram / norms / norms[:, None]

    wanted = cosines(full.gram)
    products = [found[n] for n in found if "products" in n]
    return {
        "right_hand_sides": len(rows),
        "conjugate_gradients": {"residual": full.residual, "iterations": full.iterations},
        "seconds": medians(times),
        "ratio": ratios(times, "gradients"),
        "distance": {
            n: float((cosines(g) - wanted).square().mean().sqrt())
            for n, g in found.items()
            if g.shape == wanted.shape
        },
        "products_differ": float((products[0] - products[-1]).norm() / products[0].norm()),
        "refusals": refusals,
    }


def memory(name, variant, samples):
    """Peak memory of one method over that of its prepared task, in this process."""
    # Libraries of kernels load with the first gradient, here that of another model.
    other = Work.make(variant, GRID, 1)
    torch.autograd.grad(other.loss(other.model(other.inputs[:1]), 0), other.parameters)
    work = GRAMS[name](Work.make(variant, GRID, samples))
    # Forgets the peak so far (proc_pid_clear_refs(5)).
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory()
    work()
    print(peak_memory() - before)


def installed():
    found = {}
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            print(f"{name} is not installed in {sys.prefix}: left out", file=sys.stderr)
    return found


def gram_table(found):
    lines = ["| method | × loop, processor | × loop, wall | error | peak MB |", "|---" * 5 + "|"]
    for name in GRAMS:
        if name in found["refusals"]:
            lines.append(f"| {name} | refuses: {found['refusals'][name]} | | | |")
            continue
        cpu, wall = found["ratio"]["cpu"][name], found["ratio"]["wall"][name]
        error = f"{found['error'][name]:.1e}" if name in found["error"] else ""
        peak = f"{found['memory'][name] / 1e6:.0f}"
        lines.append(f"| {name} | {shown(cpu)} | {shown(wall)} | {error} | {peak} |")
    return "\n".join(lines)


def solve_table(found):
    lines = ["| method | × gradients, processor | distance of cosines |", "|---" * 3 + "|"]
    for name in SOLVES:
        if name in found["refusals"]:
            lines.append(f"| {name} | refuses: {found['refusals'][name]} | |")
            continue
        apart = f"{found['distance'][name]:.3f}" if name in found["distance"] else ""
        lines.append(f"| {name} | {shown(found['ratio']['cpu'][name])} | {apart} |")
    return "\n".join(lines)


def worker(samples, rounds):
    """Everything, in the environment of the peers."""
    facts = {"torch": torch.__version__, "python": platform.python_version(), "threads": 1}
    facts |= {"peers": installed(), "rounds": rounds, "before": machine()}
    facts["grams"] = {v: measure_grams(v, samples, rounds) for v in VARIANTS}
    facts["solves"] = {v: measure_solves(v, rounds) for v in VARIANTS}
    return facts | {"after": machine()}


def write(facts):
    heading = (
        f"One thread, load {facts['after']['load'][0]} on {facts['after']['cores']} cores, torch "
        f"{facts['torch']}, {', '.join(f'{n} {v}' for n, v in facts['peers'].items())}. Medians "
        f"of paired ratios in {facts['rounds']} interleaved rounds, with 95 % intervals."
    )
    parts = ["# Gradients and curvature beside peers", heading]
    for variant, found in facts["grams"].items():
        loop = found["seconds"]["cpu"]["loop, discarded"]
        parts += [
            f"## Gram matrix, {variant}",
            f"{found['gradients']} gradients; the loop that discards them takes {loop:.2f} s.",
            gram_table(found),
        ]
    for variant, found in facts["solves"].items():
        full = found["conjugate_gradients"]
        about = (
            f"{found['right_hand_sides']} right-hand sides; conjugate gradients to a residual of "
            f"{full['residual']:.1e}. The products with Gauss–Newton of both libraries differ by "
            f"{found['products_differ']:.1e}."
        )
        parts += [f"## Solves, {variant}, small", about, solve_table(found)]
    text = "\n\n".join(parts) + "\n"
    print(text)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / "gradient_peers.md").write_text(text)
    (folder / "gradient_peers.json").write_text(json.dumps(facts, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers-python", default=sys.executable, help="a Python with the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if chosen.memory:
        name, variant, samples = chosen.memory
        memory(name, variant, int(samples))
    elif chosen.worker:
        print(json.dumps(worker(chosen.samples, chosen.rounds)))
    else:
        options = ["--worker", "--rounds", chosen.rounds, "--samples", chosen.samples]
        source = HERE.parent / "src"
        output = in_fresh_process(__file__, *options, python=chosen.peers_python, path=source)
        write(json.loads(output.splitlines()[-1]))


if __name__ == "__main__":
    main()
