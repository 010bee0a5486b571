"""What bases of intertwiners cost, beside the dense singular value decomposition.

- *goldstone*: ``intertwiner_basis``, the method it chooses; then ``dense()`` where that fits.
- *naive*: ``torch.linalg.svd`` of the dense equations of the same generators, where that is
  feasible.

    python benchmarks/intertwiners.py [--rounds 3]

prints the median times and ratios and writes them to benchmarks/results/intertwiners.json.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import torch

from goldstone.groups import (
    AlternatingGroup,
    GalileiGroup,
    HeisenbergGroup,
    LorentzGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    SymplecticGroup,
)
from goldstone.representations import (
    RegularRepresentation,
    StandardRepresentation,
    TensorProduct,
    intertwiner_basis,
)
from goldstone.representations.intertwiners import intertwiner_constraints

MOST_NAIVE = 800
MOST_DENSE = 2**26


def tensors(group, order):
    return TensorProduct(group, (StandardRepresentation(group),) * order)


def cases():
    for group in (SymmetricGroup(4), AlternatingGroup(5), SymmetricGroup(5)):
        regular = RegularRepresentation(group)
        yield f"{group.name}, regular → regular", regular, regular
    for n in (10, 30, 50):
        group = SymmetricGroup(n)
        yield f"{group.name}, V⊗2 → V⊗2", tensors(group, 2), tensors(group, 2)
    rotations = SpecialOrthogonalGroup(3)
    for a, b in ((3, 3), (4, 4), (5, 5), (5, 6), (6, 6)):
        yield f"SO(3), V⊗{a} → V⊗{b}", tensors(rotations, a), tensors(rotations, b)
    for group in (LorentzGroup(), SymplecticGroup(2)):
        yield f"{group.name}, V⊗4 → V⊗4", tensors(group, 4), tensors(group, 4)
    for group, a, b in ((SpecialEuclideanGroup(3), 3, 4), (GalileiGroup(), 3, 3)):
        yield f"{group.name}, V⊗{a} → V⊗{b}", tensors(group, a), tensors(group, b)
    group = HeisenbergGroup()
    yield f"{group.name}, V⊗3 → V⊗3", tensors(group, 3), tensors(group, 3)


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def naive_dimension(source, target):
    values = torch.linalg.svd(intertwiner_constraints(source, target).dense())[1]
    unknowns = source.dimension * target.dimension
    return unknowns - int((values > 1e-9 * values[0]).sum())


def measure(source, target, rounds):
    intertwiner_basis(source, target)
    seconds, dense, naive = [], [], []
    for _ in range(rounds):
        took, basis = timed(lambda: intertwiner_basis(source, target))
        seconds.append(took)
        unknowns = source.dimension * target.dimension
        if len(basis) * unknowns <= MOST_DENSE:
            dense.append(timed(basis.dense)[0])
        if unknowns <= MOST_NAIVE:
            took, dimension = timed(lambda: naive_dimension(source, target))
            naive.append(took)
            if dimension != len(basis):
                raise SystemExit(f"{dimension} maps by SVD, {len(basis)} by goldstone")
    return {
        "unknowns": unknowns,
        "maps": len(basis),
        "method": basis.method,
        "residual": basis.residual,
        "seconds": statistics.median(seconds),
        "seconds_dense": statistics.median(dense) if dense else None,
        "seconds_naive": statistics.median(naive) if naive else None,
        "ratio": statistics.median(naive) / statistics.median(seconds) if naive else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    found = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "rounds": chosen.rounds,
        "cases": {},
    }
    for name, source, target in cases():
        result = measure(source, target, chosen.rounds)
        found["cases"][name] = result
        dense, naive = result["seconds_dense"], result["seconds_naive"]
        print(
            f"{name}: {result['unknowns']:,} unknowns, {result['maps']} maps, "
            f"{result['method']}: {result['seconds']:.4f} s"
            + (f", dense form {dense:.4f} s" if dense is not None else ", dense form not made")
            + (f"; naive {naive:.3f} s, {result['ratio']:.0f}×" if naive else "")
            + f"; residual {result['residual']:.1e}",
            flush=True,
        )
    path = Path(__file__).parent / "results" / "intertwiners.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
