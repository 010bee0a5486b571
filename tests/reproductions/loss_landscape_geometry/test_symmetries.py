import pytest
import torch

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS, Context, reverse_vectors
from goldstone.reproductions.loss_landscape_geometry.symmetries import (
    D4,
    FAILING,
    HOLDING,
    element,
    mass_scaling,
    point_group,
    velocity_scaling,
    violation,
)
from goldstone.systems.flows import ground_truth, simulate
from goldstone.systems.losses import scaled_mse


def moved(convention, name, x, layout):
    return point_group(layout, convention).on_input.act(element(name), x, Context())


@pytest.mark.parametrize("layout", [NAVIER_STOKES_FIELDS, EULER_FIELDS])
@pytest.mark.parametrize("name", [D4.element_name(g) for g in D4.elements()])
def test_swapped_components_reverse_exactly_the_failing_set(name, layout):
    x = torch.randn(2, layout.channels, 6, 6)
    right = moved("right", name, x, layout)
    swapped = moved("swapped", name, x, layout)
    expected = reverse_vectors(right, layout) if name in FAILING else right
    assert torch.equal(swapped, expected)


@pytest.mark.parametrize("name", [D4.element_name(g) for g in D4.elements()])
def test_a_flipped_component_reverses_another_set(name):
    x = torch.randn(1, 2, 4, 4)
    right = moved("right", name, x, NAVIER_STOKES_FIELDS)
    flipped = moved("flipped", name, x, NAVIER_STOKES_FIELDS)
    odd = name in ("r", "r³", "sr", "sr³")
    assert torch.equal(flipped, -right if odd else right)


def test_the_elements_are_the_paper_s():
    # Values by hand, of the paper's definitions: r takes (x, y) to (−y, x), (u, v) to (−v, u).
    x = torch.zeros(1, 2, 4, 4)
    x[0, 0, 3, 1] = 1.0  # at (1.5, −0.5) from the centre: goes to (0.5, 1.5)
    turned = moved("right", "r", x, NAVIER_STOKES_FIELDS)
    assert turned[0, 1, 2, 3] == 1.0
    assert turned.abs().sum() == 1.0
    mirrored = moved("right", "s", x, NAVIER_STOKES_FIELDS)
    assert mirrored[0, 0, 0, 1] == -1.0


def test_every_element_is_named_once():
    assert sorted((*FAILING, *HOLDING)) == sorted(D4.element_name(g) for g in D4.elements()[1:])


@pytest.fixture(scope="module")
def flows():
    def of(system, parameters, name):
        return simulate(
            ground_truth(system, parameters),
            name,
            trajectories=2,
            steps=1,
            grid=(32, 32),
            dt=0.05,
            seed=0,
            dtype=torch.float64,
        )

    return {
        "NS": of("navier-stokes", {"viscosity": 2e-3}, "isotropic-turbulence"),
        "CE": of("compressible-euler", {"gamma": 1.4}, "curved-riemann"),
    }


@pytest.mark.parametrize("flow", ["NS", "CE"])
def test_the_solver_obeys_the_right_elements_and_not_the_swapped_ones(flows, flow):
    data = flows[flow]
    x = data.fields[:, 0]
    for name in ("r", "s", "sr"):
        right = violation(data, x, point_group(data.layout), element(name), scaled_mse)
        assert right.of_change < 1e-8
    wrong = violation(data, x, point_group(data.layout, "swapped"), element("s"), scaled_mse)
    assert wrong.of_change > 0.3
    assert wrong.loss > 1e-3


def test_scalings(flows):
    euler, turbulence = flows["CE"], flows["NS"]
    exact = violation(euler, euler.fields[:, 0], mass_scaling(), 2.0, scaled_mse)
    assert exact.of_change < 1e-8
    x = turbulence.fields[:, 0]
    assert violation(turbulence, x, velocity_scaling(), 2.0, scaled_mse).of_change > 0.3
