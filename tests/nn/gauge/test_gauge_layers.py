"""Gauge layers: covariance in any gauge group, against sums over sites, and what they can make."""

import copy
import pickle
from itertools import product

import pytest
import torch
from torch import nn

from goldstone.actions import Context, GaugeAction, gauge_symmetry
from goldstone.core import InputError
from goldstone.groups import GaugeGroup, SpecialUnitaryGroup, UnitaryGroup
from goldstone.nn.gauge import (
    GaugeActivation,
    GaugeBilinear,
    GaugeConv,
    GaugeTrace,
    Plaquettes,
    plaquettes,
    wilson_loops,
)
from goldstone.testing import assert_equivariant

GROUPS = (UnitaryGroup(1), SpecialUnitaryGroup(2), SpecialUnitaryGroup(3))
NAMES = [group.name for group in GROUPS]


def links(group, lattice, batch=2, seed=0, dtype=torch.complex128):
    source = torch.Generator().manual_seed(seed)
    return group.sample(source, (batch, len(lattice), *lattice)).to(dtype)


def loops(channels, lattice, n, batch=2, seed=1):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, *lattice, n, n, dtype=torch.complex128, generator=source)


class Network(nn.Module):
    """Plaquettes, two convolutions with products, traces; or the loops before these."""

    def __init__(self, axes, dtype, invariant=True):
        super().__init__()
        pairs, kind = axes * (axes - 1) // 2, {"dtype": dtype}
        real = torch.float64 if dtype == torch.complex128 else torch.float32
        self.plaquettes, self.invariant = Plaquettes(), invariant
        self.first = GaugeConv(axes, pairs, 3, 2, **kind)
        self.product = GaugeBilinear(3, pairs, 4, **kind)
        self.activation = GaugeActivation(4, dtype=real)
        self.second = GaugeConv(axes, 4, 2, **kind)
        self.trace = GaugeTrace()

    def forward(self, links):
        start = self.plaquettes(links)
        moved = self.product(self.first(links, start), start)
        found = self.second(links, self.activation(moved))
        return self.trace(found) if self.invariant else found


@pytest.mark.parametrize("group", GROUPS, ids=NAMES)
@pytest.mark.parametrize("lattice", [(4, 6), (2, 4, 3)])
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_deep_networks_are_gauge_covariant(group, lattice, dtype):
    torch.manual_seed(0)
    x = links(group, lattice, dtype=dtype)
    for invariant in (True, False):
        network = Network(len(lattice), dtype, invariant)
        output = "invariant" if invariant else "loops"
        assert_equivariant(network, gauge_symmetry(group, lattice, output), x)
    # Not for want of dependence on the field.
    values = Network(len(lattice), dtype)(x).detach()
    assert float((values[0] - values[1]).norm() / values.norm()) > 0.1


@pytest.mark.parametrize("group", GROUPS, ids=NAMES)
def test_convolution_is_the_sum_over_carried_neighbours(group):
    lattice, n = (3, 4), group.degree
    u, w = links(group, lattice), loops(2, lattice, n)
    layer = GaugeConv(2, 2, 3, 2, dtype=torch.complex128)
    found = layer(u, w)
    weight = layer.weight.detach()
    expected = torch.zeros_like(found)
    for b, i, j in product(range(2), range(3), range(2)):
        for x, y in product(*map(range, lattice)):
            total = weight[0, i, j] * w[b, j, x, y]
            place = 1
            for axis in range(2):
                for sign in (1, -1):
                    line, site = torch.eye(n, dtype=torch.complex128), [x, y]
                    for _ in range(2):
                        before = list(site)
                        site[axis] = (site[axis] + sign) % lattice[axis]
                        step = u[b, axis, before[0], before[1]]
                        back = u[b, axis, site[0], site[1]]
                        line = line @ (step if sign > 0 else back.mH)
                        carried = line @ w[b, j, site[0], site[1]] @ line.mH
                        total = total + weight[place, i, j] * carried
                        place += 1
            expected[b, i, x, y] += total
    torch.testing.assert_close(found, expected)


def test_product_is_the_sum_over_pairs_of_loops():
    lattice, n = (2, 3), 2
    a, b = loops(2, lattice, n, seed=1), loops(3, lattice, n, seed=2)
    layer = GaugeBilinear(2, 3, 2, dtype=torch.complex128)
    one = torch.eye(n, dtype=torch.complex128).expand(2, 1, *lattice, n, n)
    first, second = torch.cat([a, a.mH, one], 1), torch.cat([b, b.mH, one], 1)
    expected = sum(
        layer.weight[:, j, k, None, None, None, None] * (first[:, j] @ second[:, k])[:, None]
        for j, k in product(range(5), range(7))
    )
    torch.testing.assert_close(layer(a, b), expected)


@pytest.mark.parametrize("group", GROUPS, ids=NAMES)
def test_rectangles_are_products_of_links_and_of_carried_plaquettes(group):
    lattice = (4, 4)
    u = links(group, lattice, batch=1)
    found = wilson_loops(u, (2, 1))[0, 0]
    x, y = 3, 1

    def link(axis, i, j):
        return u[0, axis, i % 4, j % 4]

    path = link(0, x, y) @ link(0, x + 1, y) @ link(1, x + 2, y)
    path = path @ link(0, x + 1, y + 1).mH @ link(0, x, y + 1).mH @ link(1, x, y).mH
    torch.testing.assert_close(found[x, y], path.trace().real / group.degree)
    # A convolution that takes the neighbour ahead, times the plaquette, is the rectangle.
    p = plaquettes(u)
    conv, product_ = GaugeConv(2, 1, 1, dtype=u.dtype), GaugeBilinear(1, 1, 1, dtype=u.dtype)
    with torch.no_grad():
        conv.weight.zero_()[1] = 1
        product_.weight.zero_()[0, 0, 0] = 1
        made = GaugeTrace()(product_(conv(u, p), p))
    torch.testing.assert_close(made[0, 0], found)


def test_weights_keep_the_mean_square():
    torch.manual_seed(0)
    group, lattice = SpecialUnitaryGroup(2), (6, 6)
    u, w = links(group, lattice, 8), links(group, (12, 6, 6), 8)[:, 0]
    after = GaugeConv(2, 12, 64, 2, dtype=torch.complex128)(u, w)
    assert 0.8 < float(after.detach().abs().square().mean() / w.abs().square().mean()) < 1.25
    after = GaugeBilinear(12, 12, 64, dtype=torch.complex128)(w, w)
    assert 0.7 < float(after.abs().square().mean() / w.abs().square().mean()) < 1.4


def test_copies_files_and_compilation(tmp_path):
    torch.manual_seed(0)
    network = Network(2, torch.complex128)
    u = links(SpecialUnitaryGroup(2), (4, 4))
    value = network(u)
    for again in (copy.deepcopy(network).eval(), pickle.loads(pickle.dumps(network))):
        torch.testing.assert_close(again(u), value)
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    fresh = Network(2, torch.complex128).eval()
    fresh.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    torch.testing.assert_close(fresh(u), value)
    exported = torch.export.export(network, (u,)).module()
    torch.testing.assert_close(exported(u), value)


def test_gradients():
    torch.manual_seed(0)
    group, lattice = SpecialUnitaryGroup(2), (2, 2)
    u = links(group, lattice, 1)
    w = loops(1, lattice, 2, 1).requires_grad_()
    conv = GaugeConv(2, 1, 1, dtype=torch.complex128)
    bilinear = GaugeBilinear(1, 1, 1, dtype=torch.complex128)
    assert torch.autograd.gradcheck(lambda x: bilinear(conv(u, x), x), (w,))


def test_a_wrong_gauge_action_is_told():
    group, lattice = SpecialUnitaryGroup(2), (4, 4)
    u = links(group, lattice, 1)
    gauge = GaugeGroup(group, lattice)
    element = gauge.sample(torch.Generator().manual_seed(3))
    moved = GaugeAction(gauge).act(element, u, Context())
    value, after = wilson_loops(u, (2, 2)), wilson_loops(moved, (2, 2))
    torch.testing.assert_close(after, value)
    wrong = element @ u @ element.mH  # both ends turned as the first
    assert float((wilson_loops(wrong, (2, 2)) - value).abs().max()) > 0.1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: plaquettes(torch.ones(1, 2, 4, 4, 2, 2)), "complex links"),
        (lambda: plaquettes(torch.ones(1, 1, 4, 2, 2) + 0j), "one axis has no plaquettes"),
        (lambda: wilson_loops(links(GROUPS[0], (4, 4)), (0, 1)), "sides of at least 1"),
        (lambda: GaugeConv(2, 0, 1), "at least 1"),
        (lambda: GaugeBilinear(2, 1, 0), "at least 1"),
        (
            lambda: GaugeConv(2, 1, 1)(links(GROUPS[1], (4, 4)), loops(2, (4, 4), 2)),
            "1 channels ask for",
        ),
        (
            lambda: GaugeConv(3, 1, 1)(links(GROUPS[1], (4, 4)), loops(1, (4, 4), 2)),
            "lattice of 3 axes",
        ),
        (lambda: GaugeBilinear(1, 1, 1)(loops(1, (4,), 2), loops(2, (4,), 2)), "expected loops"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
