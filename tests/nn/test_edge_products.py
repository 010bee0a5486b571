"""Sums of products along edges against the loop that the formula writes."""

import torch

from goldstone.nn.edge_products import EdgeProducts
from goldstone.nn.parts import parts_by_type
from goldstone.representations import DirectSum, SO3Irrep, clebsch_gordan


def test_sums_are_those_of_the_written_loop():
    vector, scalar = SO3Irrep(1), SO3Irrep(0)
    source = DirectSum(vector.group, [vector, scalar, vector, scalar, scalar])
    types = parts_by_type(source)
    paths = [
        (s, low, product)
        for s, (part, _) in enumerate(types)
        for low in range(3)
        for high in range(2)
        for product in clebsch_gordan(part, SO3Irrep(low), SO3Irrep(high))
    ]
    layer = EdgeProducts(types, paths, 2)
    sender, receiver = torch.tensor([0, 1, 3, 2, 1]), torch.tensor([1, 0, 1, 1, 3])
    features = torch.randn(4, source.dimension, dtype=torch.float64)
    harmonics = torch.randn(5, 9, dtype=torch.float64)
    copies = [len(types[s][1]) for s, _, _ in paths]
    weights = torch.randn(5, sum(copies), dtype=torch.float64)
    expected = [[] for _ in range(4)]
    for point, row in enumerate(expected):
        column = 0
        for s, low, product in paths:
            part, starts = types[s]
            for start in starts:
                total = torch.zeros(product.shape[2], dtype=torch.float64)
                for e in (receiver == point).nonzero()[:, 0].tolist():
                    x = features[sender[e], start : start + part.dimension]
                    y = harmonics[e, low**2 : (low + 1) ** 2]
                    total += weights[e, column] * torch.einsum("k,m,kmc->c", x, y, product)
                row.append(total)
                column += 1
    found = layer(features, sender, receiver, harmonics, weights)
    torch.testing.assert_close(found, torch.stack([torch.cat(row) for row in expected]))
    assert not layer.state_dict()


def test_points_without_edges_receive_nothing():
    vector = SO3Irrep(1)
    types = parts_by_type(DirectSum(vector.group, [vector, vector]))
    layer = EdgeProducts(types, [(0, 0, clebsch_gordan(vector, SO3Irrep(0), vector)[0])], 0)
    none = torch.zeros(0, dtype=torch.int64)
    empty = torch.zeros(0, 1, dtype=torch.float64), torch.zeros(0, 2, dtype=torch.float64)
    found = layer(torch.ones(3, 6, dtype=torch.float64), none, none, *empty)
    assert torch.equal(found, torch.zeros(3, 6, dtype=torch.float64))
