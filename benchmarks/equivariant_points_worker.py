"""One library's layers for points and features of O(3), for equivariant_points.py.

``python equivariant_points_worker.py goldstone|e3nn`` imports nothing else of this repository but
its neighbour, so that it runs in the other library's environment. Features have as many copies of
each irrep l ≤ 2 of O(3), of the parity of vectors and their tensors. A layer is described by

- ``kind``: "points" for messages between points nearer than 2.5, "linear" or "bilinear";
- ``copies`` of each irrep, or None for ``nn.Linear`` or ``nn.Bilinear`` of ``width`` channels;
- ``batch``: of samples, and for points their number (``points``) and the ``box`` they lie in;
- ``pairs``: "edges" for a list of neighbours, "all" for all pairs of points, where there is that.
"""

import sys

import torch
from side_by_side_worker import Case, serve
from torch import nn
from torch.nn import functional

DEGREE, CUTOFF, RADIAL, HIDDEN, NEIGHBOURS = 2, 2.5, 8, 32, 8.0
COMPONENTS = (DEGREE + 1) ** 2


class OfGoldstone:
    """Layers of goldstone."""

    def __init__(self):
        import goldstone.nn
        from goldstone.groups import OrthogonalGroup
        from goldstone.representations import DirectSum, O3Irrep

        self.nn, self.irrep, self.sum = goldstone.nn, O3Irrep, DirectSum
        self.group = OrthogonalGroup(3)

    def features(self, copies):
        irreps = [self.irrep(degree, (-1) ** degree) for degree in range(DEGREE + 1)]
        return self.sum(self.group, tuple(r for r in irreps for _ in range(copies)))

    def turn(self, copies, rotation):
        return self.features(copies).matrix(rotation).float()

    def layer(self, kind, copies):
        features = self.features(copies)
        if kind == "linear":
            return self.nn.EquivariantLinear(features, features, bias=False)
        if kind == "bilinear":
            return self.nn.EquivariantBilinear(features, features, features, bias=False)
        options = {"cutoff": CUTOFF, "radial": RADIAL, "hidden": HIDDEN, "neighbours": NEIGHBOURS}
        return self.nn.PointConv(features, features, DEGREE, **options)

    def points(self, features, positions, edges, pairs):
        if pairs == "all":
            return features, positions
        between = (positions.flatten(0, 1)[k] for k in edges)
        return features.flatten(0, 1), self.nn.PointEdges(*edges, -torch.sub(*between))

    def fold(self, layer):
        return self.nn.to_plain(layer)


class PointsOfE3nn(nn.Module):
    """A layer of e3nn's parts: its message passing with products copy by copy."""

    def __init__(self, copies):
        super().__init__()
        from e3nn import o3
        from e3nn.math import soft_one_hot_linspace
        from e3nn.nn import FullyConnectedNet

        self.o3, self.one_hot = o3, soft_one_hot_linspace
        features = irreps_of_e3nn(copies)
        self.harmonics = o3.Irreps.spherical_harmonics(DEGREE)
        middle, paths = [], []
        for i, (count, a) in enumerate(features):
            for j, (_, b) in enumerate(self.harmonics):
                for c in a * b:
                    if c in features:
                        paths.append((i, j, len(middle), "uvu", True))
                        middle.append((count, c))
        middle, order, _ = o3.Irreps(middle).sort()
        paths = [(i, j, order[k], mode, train) for i, j, k, mode, train in paths]
        self.product = o3.TensorProduct(
            features, self.harmonics, middle, paths, internal_weights=False, shared_weights=False
        )
        sizes = [RADIAL, HIDDEN, self.product.weight_numel]
        self.weights = FullyConnectedNet(sizes, functional.silu)
        self.mix = o3.Linear(middle.simplify(), features)
        self.own = o3.Linear(features, features)

    def forward(self, features, positions, receiver, sender):
        between = positions[sender] - positions[receiver]
        harmonics = self.o3.spherical_harmonics(
            self.harmonics, between, normalize=True, normalization="component"
        )
        radial = self.one_hot(
            between.norm(dim=1), 0.0, CUTOFF, RADIAL, basis="smooth_finite", cutoff=True
        )
        weights = self.weights(radial * RADIAL**0.5)
        messages = self.product(features[sender], harmonics, weights)
        empty = messages.new_zeros(len(features), messages.shape[1])
        arrived = empty.index_add(0, receiver, messages) / NEIGHBOURS**0.5
        return self.own(features) + self.mix(arrived)


def irreps_of_e3nn(copies):
    from e3nn import o3

    return o3.Irreps([(copies, (degree, (-1) ** degree)) for degree in range(DEGREE + 1)])


class OfE3nn:
    """Layers of e3nn."""

    fold = None

    def __init__(self):
        import e3nn.nn
        import e3nn.o3

        self.o3 = e3nn.o3

    def turn(self, copies, rotation):
        return irreps_of_e3nn(copies).D_from_matrix(rotation).float()

    def layer(self, kind, copies):
        features = irreps_of_e3nn(copies)
        if kind == "linear":
            return self.o3.Linear(features, features)
        if kind == "bilinear":
            return self.o3.FullyConnectedTensorProduct(features, features, features)
        return PointsOfE3nn(copies)

    def points(self, features, positions, edges, pairs):
        return features.flatten(0, 1), positions.flatten(0, 1), *edges


def neighbours(positions):
    """Receivers and senders of all pairs nearer than the cutoff, in the list of all points."""
    count = positions.shape[1]
    near = (torch.cdist(positions, positions) < CUTOFF) & ~torch.eye(count, dtype=torch.bool)
    sample, i, j = near.nonzero().unbind(1)
    return sample * count + i, sample * count + j


def rotations(count):
    """Random rotations, (count, 3, 3)."""
    q, _ = torch.linalg.qr(torch.randn(count, 3, 3, generator=seeded(1), dtype=torch.float64))
    return q * torch.linalg.det(q)[:, None, None]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def main():
    library = {"goldstone": OfGoldstone, "e3nn": OfE3nn}[sys.argv[1]]()

    def make(kind, copies=None, width=None, batch=1, points=1, box=1.0, pairs="edges"):
        if copies is None:
            layer = {"linear": nn.Linear, "bilinear": nn.Bilinear}[kind]
            network = layer(*[width] * (2 if kind == "linear" else 3), bias=False)
        else:
            network, width = library.layer(kind, copies), copies * COMPONENTS
        places = torch.rand(batch, points, 3, generator=seeded(0)) * box

        def inputs(turn=None, rotation=None):
            if kind == "points":
                x = torch.randn(batch, points, width, generator=seeded(0))
                x, r = (x, places) if turn is None else (x @ turn.T, places @ rotation.T.float())
                return library.points(x, r, neighbours(places), pairs)
            count = 1 if kind == "linear" else 2
            found = torch.randn(count, batch, width, generator=seeded(0))
            return tuple(found if turn is None else found @ turn.T)

        def error():
            straight, found = network(*inputs()), []
            for rotation in rotations(4):
                turn = library.turn(copies, rotation)
                turned = network(*inputs(turn, rotation))
                found.append(float((turned - straight @ turn.T).norm() / straight.norm()))
            return {"rotation": max(found)}

        edges = len(neighbours(places)[0]) / places.shape[:2].numel() if kind == "points" else None
        facts = {"neighbours": edges}
        return Case(network, inputs, None if copies is None else library.fold, None, error, facts)

    serve(make)


if __name__ == "__main__":
    main()
