"""Actions and ready symmetries are values: equal, hashable, picklable, and change nothing."""

import pickle

import pytest
import torch

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    Context,
    FlowScaling,
    PointFeature,
    bounded_symmetry,
    flow_scaling_symmetry,
    graph_symmetry,
    history_symmetry,
    image_symmetry,
    point_cloud_symmetry,
    ragged_graph_symmetry,
    sequence_symmetry,
    set_symmetry,
    volume_symmetry,
)
from goldstone.groups import EuclideanGroup, OrthogonalGroup
from goldstone.representations import StandardRepresentation, SymmetricPower

STRESS = SymmetricPower(StandardRepresentation(OrthogonalGroup(3)), 2)
X = torch.linspace(-1, 1, 2 * 2 * 6 * 6, dtype=torch.float64)
EDGES = torch.tensor([[0, 1, 2], [1, 2, 0]])
CASES = {
    "image": (lambda: image_symmetry("motions", (6, 6), 2, "same"), X.reshape(2, 2, 6, 6)),
    "volume": (lambda: volume_symmetry("octahedral", (3,) * 3, ("vector",)), X[:81]),
    "points": (
        lambda: point_cloud_symmetry(
            "e3", 3, (PointFeature("x", "position"), PointFeature("stress", STRESS))
        ),
        X[:54].reshape(2, 3, 9),
    ),
    "both": (lambda: point_cloud_symmetry("permutations-e3", 4), X[:24].reshape(2, 4, 3)),
    "set": (lambda: set_symmetry(4), X[:24].reshape(2, 4, 3)),
    "graph": (lambda: graph_symmetry(4, {"x": "node"}), {"x": X[:24].reshape(2, 4, 3)}),
    "ragged": (
        lambda: ragged_graph_symmetry(
            torch.tensor([0, 0, 1, 1]), {"x": "node", "edge_index": "edge-index"}
        ),
        {"x": X[:12].reshape(4, 3), "edge_index": EDGES},
    ),
    "sequence": (lambda: sequence_symmetry("cyclic-shifts", 8), X[:16].reshape(2, 8)),
    "walls": (
        lambda: bounded_symmetry("points", NAVIER_STOKES_FIELDS, (6, 6)),
        X.reshape(2, 2, 6, 6),
    ),
    "history": (
        lambda: history_symmetry(image_symmetry("flips", (6, 6), 1), (-1, 0)),
        X.reshape(2, 2, 6, 6),
    ),
    "scaling": (
        lambda: flow_scaling_symmetry(FlowScaling(NAVIER_STOKES_FIELDS)),
        {"state": X.reshape(2, 2, 6, 6), "viscosity": X[:2], "dt": X[:2]},
    ),
}


def clone(x):
    return {k: v.clone() for k, v in x.items()} if isinstance(x, dict) else x.clone()


def same(x, y):
    if isinstance(x, dict):
        return all(torch.equal(x[k], y[k]) for k in y)
    return torch.equal(x, y)


@pytest.mark.parametrize("case", CASES)
def test_ready_symmetries_are_values(case):
    make, x = CASES[case]
    x = x.reshape(1, 3, 3, 3, 3) if case == "volume" else x
    symmetry, again = make(), make()
    assert symmetry == again
    assert hash(symmetry) == hash(again)
    loaded = pickle.loads(pickle.dumps(symmetry))
    assert loaded == symmetry
    before = clone(x)
    elements = symmetry.elements or symmetry.group.generators()
    for g in elements[:3]:
        moved = symmetry.on_input.act(g, x, Context())
        assert same(before, x)
        assert not same(moved, x)
        assert same(moved, loaded.on_input.act(g, x, Context()))


def test_different_actions_differ():
    one = point_cloud_symmetry("so3", 4)
    assert one != point_cloud_symmetry("o3", 4)
    assert one != point_cloud_symmetry("so3", 4, seed=1)
    assert one.on_input != point_cloud_symmetry("e3", 4).on_input
    assert EuclideanGroup(3) == point_cloud_symmetry("e3", 4).group
