"""Linear maps on sets and pairs: the whole space of maps, sizes, padding, initial variance."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.actions import graph_symmetry, set_symmetry
from goldstone.core import InputError
from goldstone.groups import SymmetricGroup
from goldstone.nn import EquivariantLinear, PermutationLinear
from goldstone.representations import (
    StandardRepresentation,
    TensorProduct,
    TrivialRepresentation,
    intertwiner_basis,
)
from goldstone.testing import assert_equivariant

ORDERS = list(product(range(3), range(3)))
DIMENSIONS = {0: (1, 1, 2), 1: (1, 2, 5), 2: (2, 5, 15)}
KINDS = ("graph", "node", "adjacency")


def tensor(order, n, channels, batch=3, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, *[n] * order, channels, generator=generator, dtype=dtype)


def randomised(layer, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return layer


def dense_maps(source, target, n):
    """The matrix (n^target, n^source) of the layer for each of its weights alone at one."""
    layer = PermutationLinear(1, 1, source, target, bias=False, dtype=torch.float64)
    vectors = torch.eye(n**source, dtype=torch.float64).reshape(-1, *[n] * source, 1)
    found = []
    with torch.no_grad():
        for p in layer.parameters():
            for k in range(p.numel()):
                for q in layer.parameters():
                    q.zero_()
                p.view(-1)[k] = 1
                found.append(layer(vectors, size=n).reshape(n**source, -1).T)
    return torch.stack(found)


def representation(order, n):
    group = SymmetricGroup(n)
    v = StandardRepresentation(group)
    return (TrivialRepresentation(group), v, TensorProduct(group, (v, v)))[order]


@pytest.mark.parametrize(("source", "target"), ORDERS)
def test_it_spans_all_equivariant_maps(source, target):
    n = 4
    basis = intertwiner_basis(representation(source, n), representation(target, n)).dense()
    maps = dense_maps(source, target, n).flatten(1)
    assert len(maps) == len(basis) == DIMENSIONS[source][target]
    assert torch.linalg.matrix_rank(maps) == len(basis)
    orthonormal = basis.flatten(1)
    torch.testing.assert_close(maps @ orthonormal.T @ orthonormal, maps, rtol=0, atol=1e-12)
    assert PermutationLinear(3, 2, source, target).map_dimension == 6 * len(basis)


@pytest.mark.parametrize(("n", "expected"), [(1, 1), (2, 8), (3, 14), (5, 15), (6, 15)])
def test_maps_of_pairs_at_any_size(n, expected):
    # Partitions of 4 indices into at most n classes: Stirling numbers summed.
    maps = dense_maps(2, 2, n)
    assert torch.linalg.matrix_rank(maps.flatten(1)) == expected
    patterns = {}
    for i, j, k, m in product(range(n), repeat=4):
        entry = maps[:, i * n + j, k * n + m]
        key = tuple((i, j, k, m).index(index) for index in (i, j, k, m))
        torch.testing.assert_close(patterns.setdefault(key, entry), entry, rtol=0, atol=1e-12)


def test_sets_by_the_formula():
    layer = randomised(PermutationLinear(3, 2, dtype=torch.float64))
    x = tensor(1, 5, 3)
    a, b = layer.standard[0, :, 0], layer.trivial[0, :, 0]
    mean = x.mean(1, keepdim=True)
    expected = (x - mean) @ a.T + mean @ b.T + layer.bias[0]
    torch.testing.assert_close(layer(x), expected)


def embedding(n, order):
    """Columns: the trivial copies, then the standard ones, copy by copy, by the formula."""
    if order == 1:
        one = torch.ones(n, 1, dtype=torch.float64)
        return torch.cat((one, torch.eye(n, dtype=torch.float64) - 1 / n), 1)
    s, a = ((n - 1) / (2 * (n - 2))) ** 0.5, ((n - 1) / (2 * n)) ** 0.5
    centred = torch.eye(n, dtype=torch.float64) - 1 / n
    columns = torch.zeros(n, n, 2 + 3 * n, dtype=torch.float64)
    for i, j in product(range(n), repeat=2):
        if i == j:
            columns[i, i, 0] = 1
            columns[i, i, 2 : 2 + n] = centred[i]
        else:
            columns[i, j, 1] = 1
            columns[i, j, 2 + n : 2 + 2 * n] = s * (centred[i] + centred[j])
            columns[i, j, 2 + 2 * n :] = a * (centred[i] - centred[j])
    return columns.reshape(n * n, -1)


@pytest.mark.parametrize("n", [3, 4, 6])
def test_pairs_against_a_dense_least_squares_fit(n):
    layer = randomised(PermutationLinear(3, 2, 2, 2, dtype=torch.float64))
    x = tensor(2, n, 3, batch=1)
    columns = embedding(n, 2)
    parts = torch.linalg.lstsq(columns, x[0].flatten(0, 1), driver="gelsd").solution
    rest = (x[0].flatten(0, 1) - columns @ parts).reshape(n, n, 3)
    trivial = torch.einsum("kolc,lc->ko", layer.trivial, parts[:2]) + layer.bias
    standard = parts[2:].reshape(3, n, 3)
    standard = torch.einsum("kolc,lnc->kno", layer.standard, standard)
    both, opposite = layer.rest
    swapped = rest.transpose(0, 1)
    y = columns @ torch.cat((trivial, standard.flatten(0, 1)))
    y = y.reshape(n, n, 2) + (rest + swapped) / 2 @ both.T + (rest - swapped) / 2 @ opposite.T
    torch.testing.assert_close(layer(x)[0], y)


@pytest.mark.parametrize(("source", "target"), [(1, 2), (2, 1), (2, 0), (1, 0), (0, 1), (0, 2)])
def test_between_orders_against_the_embedding(source, target):
    n = 5
    layer = randomised(PermutationLinear(2, 3, source, target, dtype=torch.float64))
    x = tensor(source, n, 2, batch=1)
    if source == 0:
        trivial, standard = x, None
    else:
        columns = embedding(n, source)
        fit = torch.linalg.lstsq(columns, x.reshape(-1, 2), driver="gelsd").solution
        trivial, standard = fit[:source], fit[source:].reshape(-1, n, 2)
    mixed = torch.einsum("kolc,lc->ko", layer.trivial, trivial) + layer.bias
    if target == 0:
        expected = mixed
    else:
        empty = torch.zeros(2 * target - 1, n, 3, dtype=torch.float64)
        standard = (
            empty if standard is None else torch.einsum("kolc,lnc->kno", layer.standard, standard)
        )
        expected = embedding(n, target) @ torch.cat((mixed, standard.flatten(0, 1)))
    found = layer(x, size=n)
    assert found.shape == (1, *[n] * target, 3)
    torch.testing.assert_close(found.reshape(-1, 3), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("source", "target"), [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)])
def test_it_is_equivariant(source, target, dtype):
    n = 6
    layer = randomised(PermutationLinear(3, 4, source, target, dtype=dtype))
    symmetry = graph_symmetry(n, {"x": KINDS[source]}, KINDS[target])
    x = tensor(source, n, 3, dtype=dtype)
    assert_equivariant(
        layer, symmetry, {"x": x}, tolerance=1e-6 if dtype == torch.float32 else 1e-13
    )
    # And it is no constant: the output moves where it should.
    if target:
        y = layer(x)
        assert (y - y.flip(1)).norm() > 0.1 * y.norm()


@pytest.mark.parametrize(("source", "target"), ORDERS)
@given(data=st.data())
def test_padding_does_not_matter(source, target, data):
    layer = randomised(PermutationLinear(2, 3, source, target, dtype=torch.float64))
    n, pad = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 3))
    order = data.draw(st.permutations(range(n + pad)))
    place = torch.tensor(order[:n])
    mask = torch.zeros(1, n + pad, dtype=torch.bool)
    mask[0, place] = True
    x = tensor(source, n, 2, batch=1, seed=n)
    padded = torch.full((1, *[n + pad] * source, 2), torch.nan, dtype=torch.float64)
    if source == 0:
        padded = x
    elif source == 1:
        padded[:, place] = x
    else:
        padded[:, place[:, None], place] = x
    y = layer(padded, mask)
    alone = layer(x, size=n)
    if target == 0:
        found = y
    else:
        found = y[:, place] if target == 1 else y[:, place[:, None], place]
        assert torch.count_nonzero(y) == torch.count_nonzero(found)
    torch.testing.assert_close(found, alone)


def test_gradients_do_not_see_padding():
    layer = randomised(PermutationLinear(2, 3, 2, 2, dtype=torch.float64))
    x = tensor(2, 5, 2).requires_grad_()
    mask = torch.arange(5) < torch.tensor([[2], [0], [5]])
    with torch.no_grad():
        x[0, 3] = torch.inf
    layer(x, mask).square().sum().backward()
    assert x.grad.isfinite().all()
    assert not x.grad[1].any()
    assert not x.grad[0, 2:].any()
    assert x.grad[2].any()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def orbit_squares(x, order):
    """Sum of the mean squares over each orbit of entries, for each channel."""
    squares = x.square().mean(0)
    if order < 2:
        return squares if order == 0 else squares.mean(0)
    n = len(squares)
    diagonal = squares.diagonal().mean(-1)
    return diagonal + (squares.sum((0, 1)) - n * diagonal) / (n * (n - 1))


@pytest.mark.parametrize("n", [3, 4, 12])
@pytest.mark.parametrize("kind", ["independent", "of nodes", "constant"])
@pytest.mark.parametrize(("source", "target"), [(1, 1), (2, 2), (1, 2), (0, 2)])
def test_initial_variance_for_any_input(source, target, n, kind):
    torch.manual_seed(n)
    x = torch.randn(2, *[n] * source, 8, dtype=torch.float64)
    if kind != "independent":
        node = torch.randn(2, n if kind == "of nodes" else 1, 8, dtype=torch.float64)
        node = node.expand(2, n, 8)
        x = (node[:, 0], node, node[:, :, None] + 2 * node[:, None] + 1)[source]
    layer = PermutationLinear(8, 4000, source, target, dtype=torch.float64)
    before = orbit_squares(x, source).mean()
    after = orbit_squares(layer(x, size=n).detach(), target).mean()
    expected = 2 if source < 2 == target else 1
    assert after / before == pytest.approx(expected, rel=0.1)


def test_initial_variance_through_a_deep_net():
    torch.manual_seed(0)
    x = torch.randn(4, 20, 20, 64)
    for _ in range(10):
        x = PermutationLinear(64, 64, 2, 2)(x).detach()
    diagonal = x.diagonal(dim1=1, dim2=2).var()
    assert 0.1 < diagonal < 3
    assert 0.5 < x.var() < 3


def test_it_agrees_with_the_layer_of_one_size():
    n = 4
    v = representation(2, n)
    fixed = EquivariantLinear(v, v, bias=False, dtype=torch.float64)
    assert fixed.map_dimension == 15
    maps = dense_maps(2, 2, n).flatten(1).T
    weight = fixed.weight().detach().flatten()[:, None]
    weights = torch.linalg.lstsq(maps, weight).solution
    torch.testing.assert_close(maps @ weights, weight)
    layer = PermutationLinear(1, 1, 2, 2, bias=False, dtype=torch.float64)
    torch.nn.utils.vector_to_parameters(weights[:, 0], layer.parameters())
    x = tensor(2, n, 1)
    torch.testing.assert_close(layer(x).reshape(3, -1), fixed(x.reshape(3, -1)))


def test_a_deep_set_is_invariant():
    net = torch.nn.Sequential(
        PermutationLinear(3, 8), torch.nn.ReLU(), PermutationLinear(8, 8, 1, 0)
    )
    assert_equivariant(net, set_symmetry(7), torch.randn(4, 7, 3))


def test_same_generator_same_weights():
    layers = [PermutationLinear(2, 3, 2, 1) for _ in range(2)]
    for layer in layers:
        layer.reset_parameters(torch.Generator().manual_seed(1))
    for a, b in zip(*(layer.parameters() for layer in layers), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PermutationLinear(1, 1, 3), "expected orders 0"),
        (lambda: PermutationLinear(0, 1), "expected channels"),
        (lambda: PermutationLinear(2, 1)(torch.ones(1, 3, 1)), "with 2 channels"),
        (lambda: PermutationLinear(2, 1, 2)(torch.ones(1, 3, 4, 2)), "as many rows as columns"),
        (lambda: PermutationLinear(2, 1, 0, 1)(torch.ones(1, 2)), "give a mask or size="),
        (lambda: PermutationLinear(2, 1)(torch.ones(1, 3, 2), torch.ones(1, 3)), "boolean mask"),
        (
            lambda: PermutationLinear(2, 1)(torch.ones(1, 3, 2), torch.ones(1, 4) > 0),
            "boolean mask",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
