"""New links from loops, and loops round the lattice."""

import copy

import pytest
import torch
from scipy.linalg import expm
from torch import nn

from goldstone.actions import gauge_symmetry
from goldstone.core import InputError
from goldstone.groups import SpecialUnitaryGroup, UnitaryGroup
from goldstone.nn.gauge import (
    GaugeActivation,
    GaugeBilinear,
    GaugeConv,
    GaugeLinkUpdate,
    GaugeTrace,
    plaquettes,
    polyakov_loops,
    wilson_loops,
)
from goldstone.testing import assert_equivariant

GROUPS = (UnitaryGroup(1), SpecialUnitaryGroup(2), SpecialUnitaryGroup(3), UnitaryGroup(2))
NAMES = [group.name for group in GROUPS]


def links(group, lattice, batch=2, dtype=torch.complex128):
    source = torch.Generator().manual_seed(0)
    return group.sample(source, (batch, len(lattice), *lattice)).to(dtype)


class Flow(nn.Module):
    """Two updates by plaquettes and by loops that convolutions make."""

    def __init__(self, axes, special):
        super().__init__()
        torch.manual_seed(0)
        pairs, double = axes * (axes - 1) // 2, {"dtype": torch.complex128}
        self.first = GaugeLinkUpdate(axes, pairs, special, **double)
        self.conv = GaugeConv(axes, pairs, 3, **double)
        self.second = GaugeLinkUpdate(axes, 3, special, **double)
        for update in (self.first, self.second):
            nn.init.normal_(update.weight, std=0.3)

    def forward(self, links):
        links = self.first(links, plaquettes(links))
        return self.second(links, self.conv(links, plaquettes(links)))


@pytest.mark.parametrize("group", GROUPS, ids=NAMES)
@pytest.mark.parametrize("lattice", [(4, 3), (2, 3, 2)])
def test_links_stay_in_the_group_and_turn_as_links(group, lattice):
    flow = Flow(len(lattice), isinstance(group, SpecialUnitaryGroup))
    u = links(group, lattice)
    assert group.contains(flow(u).detach())
    assert float((flow(u) - u).detach().abs().mean()) > 0.05
    assert_equivariant(flow, gauge_symmetry(group, lattice, "links"), u)


def test_one_link_by_hand():
    group = SpecialUnitaryGroup(3)
    u = links(group, (3, 4), 1)
    w = torch.randn(1, 2, 3, 4, 3, 3, dtype=torch.complex128)
    layer = GaugeLinkUpdate(2, 2, dtype=torch.float64)
    assert torch.equal(layer(u, w), u)  # at first
    nn.init.normal_(layer.weight)
    x, mu = (2, 1), 1
    total = sum(layer.weight[mu, i].item() * w[0, i, *x].numpy() for i in range(2))
    skew = (total - total.conj().T) / 2
    skew = skew - skew.trace() / 3 * torch.eye(3).numpy()
    expected = torch.from_numpy(expm(skew)) @ u[0, mu, *x]
    torch.testing.assert_close(layer(u, w)[0, mu, *x], expected)


def test_smearing_raises_the_plaquette():
    """A step against the gradient of the Wilson action makes fields smoother, β < 0 rougher."""
    u = links(SpecialUnitaryGroup(2), (6, 6), 4)
    layer = GaugeLinkUpdate(2, 1, dtype=torch.float64)
    before = wilson_loops(u, (1, 1)).mean()
    moved = []
    for sign in (1, -1):
        with torch.no_grad():
            # P_x with μ ahead of U_x,0 and behind U_x,1.
            layer.weight.copy_(0.05 * sign * torch.tensor([[-1.0], [1.0]]))
            moved.append(wilson_loops(layer(u, plaquettes(u)), (1, 1)).mean())
    assert moved[0] > before > moved[1]


def test_gradients_flow_through_links_and_weights():
    flow = Flow(2, True)
    u = links(SpecialUnitaryGroup(2), (2, 3), 1).requires_grad_()
    assert torch.autograd.gradcheck(flow, (u,))
    flow(u).abs().sum().backward()
    assert all(float(p.grad.abs().max()) > 0 for p in flow.parameters())


@pytest.mark.parametrize("group", GROUPS, ids=NAMES)
def test_polyakov_loops_go_round_the_lattice(group):
    u = links(group, (3, 4), 1)
    found = polyakov_loops(u)
    x, y = 2, 1
    straight = u[0, 1, x, 1] @ u[0, 1, x, 2] @ u[0, 1, x, 3] @ u[0, 1, x, 0]
    torch.testing.assert_close(found[0, 1, x, y], straight)
    symmetry = gauge_symmetry(group, (3, 4), "loops")
    assert_equivariant(lambda u: polyakov_loops(u), symmetry, u)


def test_plaquettes_do_not_see_what_polyakov_loops_see():
    """A centre transformation of one slice turns Polyakov loops by −1 and leaves plaquettes."""
    u = links(SpecialUnitaryGroup(2), (4, 4))
    turned = u.clone()
    turned[:, 0, 1] *= -1
    torch.testing.assert_close(plaquettes(turned), plaquettes(u))
    found, expected = polyakov_loops(turned), polyakov_loops(u)
    torch.testing.assert_close(found[:, 0], -expected[:, 0])
    torch.testing.assert_close(found[:, 1], expected[:, 1])


def test_su3_in_four_dimensions():
    """Convolution, product, activation and traces; and 4×4 loops on a lattice of four axes."""
    group, lattice = SpecialUnitaryGroup(3), (2, 3, 2, 2)
    u = links(group, lattice, 1)
    torch.manual_seed(0)
    kind = {"dtype": torch.complex128}
    conv, product = GaugeConv(4, 6, 2, **kind), GaugeBilinear(2, 6, 2, **kind)
    activation = GaugeActivation(2, dtype=torch.float64)

    def network(u):
        small = plaquettes(u)
        return GaugeTrace()(activation(product(conv(u, small), small)))

    assert_equivariant(network, gauge_symmetry(group, lattice), u)
    large = wilson_loops(u, (4, 4))
    assert large.shape == (1, 6, *lattice)
    assert_equivariant(lambda u: wilson_loops(u, (4, 4)), gauge_symmetry(group, lattice), u)


def test_copies_and_bad_input():
    flow = Flow(2, True)
    u = links(SpecialUnitaryGroup(2), (3, 3))
    torch.testing.assert_close(copy.deepcopy(flow)(u), flow(u))
    compiled = torch.compile(flow, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(u), flow(u))
    with pytest.raises(InputError, match="at least 1"):
        GaugeLinkUpdate(2, 0)
    one = links(UnitaryGroup(1), (3, 3))
    with pytest.raises(InputError, match="special=False"):
        GaugeLinkUpdate(2, 1)(one, plaquettes(one))
    with pytest.raises(InputError, match="3 axes"):
        GaugeLinkUpdate(3, 1)(u, plaquettes(u))
    with pytest.raises(InputError, match="expected loops"):
        GaugeLinkUpdate(2, 3)(u, plaquettes(u))
