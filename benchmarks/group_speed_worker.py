"""One measurement of group_speed.py, in a process of its own and in any library's environment.

    python group_speed_LIBRARY.py TASK RESULT.npz [CACHE]

A task is a function that imports and prepares what is not timed and returns ``(work, check)``:
``work()`` is timed once, with nothing computed before; ``check(result)`` gives arrays that
identify the result, for comparison with the other libraries'.
"""

import sys
import time

import numpy as np
import torch


def run(tasks):
    name, path = sys.argv[1:3]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    work, check = tasks[name]()
    wall, start = time.perf_counter(), time.process_time()
    result = work()
    seconds, wall = time.process_time() - start, time.perf_counter() - wall
    np.savez(path, seconds=seconds, wall=wall, **check(result))


def canonical_characters(characters):
    """Rows of characters, (irreps, |G|), freed from the order of elements and of irreps."""
    rows = np.sort(np.asarray(characters, dtype=np.float64).round(6) + 0.0, axis=1)
    return {"characters": rows[np.lexsort(rows.T)]}


def hom_facts(basis, generators):
    """The dimension, rank and largest violation of maps (k, n, n) by generators (c, n, n)."""
    flat = basis.flatten(1)
    residual = max(float((g @ basis - basis @ g).abs().max()) for g in generators)
    rank = int(torch.linalg.matrix_rank(flat @ flat.T, hermitian=True))
    return {"dimension": len(basis), "rank": rank, "violation": residual}


def rotations(count, seed=0):
    """Haar-distributed rotation matrices (count, 3, 3), the same in every environment."""
    a, b, c, d = np.moveaxis(np.random.RandomState(seed).randn(count, 4), -1, 0) + 0.0
    norm = a * a + b * b + c * c + d * d
    rows = [
        [norm - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), norm - 2 * (b * b + d * d), 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), norm - 2 * (b * b + c * c)],
    ]
    return torch.from_numpy(np.moveaxis(np.array(rows) / norm, -1, 0).copy())


def degree_triples(most):
    """All (a, b, c) up to ``most`` with |a − b| ≤ c ≤ a + b."""
    return [
        (a, b, c)
        for a in range(most + 1)
        for b in range(most + 1)
        for c in range(abs(a - b), min(a + b, most) + 1)
    ]


def law_errors(first, second, product):
    """Largest violations of D Dᵀ = 1 and of D(R)D(S) = D(RS)."""
    one = torch.eye(first.shape[-1], dtype=first.dtype)
    return {
        "orthogonality": float((first @ first.mT - one).abs().max()),
        "homomorphism": float((first @ second - product).abs().max()),
    }
