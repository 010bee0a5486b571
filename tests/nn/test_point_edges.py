"""Lists of neighbours against a loop over all pairs and images; periodic boxes; stress."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.nn import PointConv, point_edges
from goldstone.representations import SO3Irrep


def noise(*shape, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=source)


CELLS = {
    "cubic": 2.0 * torch.eye(3, dtype=torch.float64),
    "skewed": torch.tensor([[2.0, 0.0, 0.0], [1.5, 1.2, 0.0], [0.3, -0.4, 3.0]]).double(),
    "smaller than the cutoff": 0.7 * torch.eye(3, dtype=torch.float64),
}


def slow_edges(r, cutoff, cell=None, reach=0):
    """(receiver, sender, vector) of all pairs and images nearer than the cutoff."""
    steps = torch.arange(-reach, reach + 1)
    shifts = torch.cartesian_prod(steps, steps, steps)
    moves = shifts.double() @ (torch.eye(3, dtype=torch.float64) if cell is None else cell)
    between = r[None, None] + moves[:, None, None] - r[None, :, None]  # (shift, receiver, sender)
    near = between.norm(dim=-1) < cutoff
    near &= ~(torch.eye(len(r), dtype=torch.bool) & (shifts == 0).all(-1)[:, None, None])
    places = near.nonzero()[:, 1:].tolist()
    return sorted((i, j, *v) for (i, j), v in zip(places, between[near].tolist(), strict=True))


def as_rows(edges):
    rows = zip(edges.receiver.tolist(), edges.sender.tolist(), edges.between.tolist(), strict=True)
    return sorted((i, j, *between) for i, j, between in rows)


@pytest.mark.parametrize("cell", [None, *CELLS])
def test_they_are_those_of_the_slow_loop(cell):
    box = CELLS.get(cell)
    r = (3 if cell else 1) * noise(7, 3)  # partly outside of the box, which does not matter
    edges = point_edges(r, 1.3, cell=box)
    expected = torch.tensor(slow_edges(r, 1.3, box, 16 if cell else 0))
    assert len(expected) > 3
    torch.testing.assert_close(
        torch.tensor(as_rows(edges)).double(), expected.double(), atol=1e-9, rtol=0
    )


def test_samples_do_not_see_each_other_and_have_their_own_boxes():
    r = noise(9, 3)
    sample = torch.tensor([0] * 4 + [1] * 5)
    boxes = torch.stack([CELLS["cubic"], CELLS["skewed"]])
    edges = point_edges(r, 1.4, sample=sample, cell=boxes)
    first = point_edges(r[:4], 1.4, cell=boxes[0])
    second = point_edges(r[4:], 1.4, cell=boxes[1])
    expected = as_rows(first) + [(i + 4, j + 4, *v) for i, j, *v in as_rows(second)]
    torch.testing.assert_close(torch.tensor(as_rows(edges)), torch.tensor(sorted(expected)))
    assert (sample[edges.receiver] == sample[edges.sender]).all()


def test_a_slab_is_periodic_along_two_axes_alone():
    r = noise(5, 3)
    box = 4.0 * torch.eye(3, dtype=torch.float64)
    edges = point_edges(r, 3.0, cell=box, periodic=(True, True, False))
    tall = torch.diag(torch.tensor([4.0, 4.0, 400.0], dtype=torch.float64))
    expected = point_edges(r, 3.0, cell=tall)
    torch.testing.assert_close(torch.tensor(as_rows(edges)), torch.tensor(as_rows(expected)))


def crystal_energy(conv, r, box):
    x = torch.ones(len(r), 1, dtype=torch.float64)
    return conv(x, point_edges(r, 1.6, cell=box)).square().sum()


def test_a_larger_box_of_the_same_crystal_has_the_energy_per_atom():
    torch.manual_seed(0)
    conv = PointConv(SO3Irrep(0), SO3Irrep(0) + SO3Irrep(1), 1, cutoff=1.6, dtype=torch.float64)
    r, box = noise(3, 3), CELLS["skewed"]
    doubled = torch.cat([r, r + box[0]])
    larger = box * torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64)[:, None]
    torch.testing.assert_close(
        crystal_energy(conv, doubled, larger), 2 * crystal_energy(conv, r, box)
    )
    # Atoms may be counted in any cell.
    away = r + torch.tensor([[1.0, 0.0, -2.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]]).double() @ box
    torch.testing.assert_close(crystal_energy(conv, away, box), crystal_energy(conv, r, box))


def test_stress_is_the_derivative_in_a_strain():
    torch.manual_seed(0)
    conv = PointConv(SO3Irrep(0), SO3Irrep(0) + SO3Irrep(1), 1, cutoff=1.6, dtype=torch.float64)
    r, box = noise(3, 3), CELLS["cubic"]

    def energy(strain):
        turn = torch.eye(3, dtype=torch.float64) + strain
        return crystal_energy(conv, r @ turn.T, box @ turn.T)

    strain = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    (stress,) = torch.autograd.grad(energy(strain), strain)
    # Turning the crystal costs nothing.
    torch.testing.assert_close(stress, stress.T)
    step = 1e-5 * torch.tensor([[1.0, 0.4, 0.0], [0.4, 0.0, 0.0], [0.0, 0.0, -0.7]]).double()
    slope = (energy(step) - energy(-step)) / 2
    torch.testing.assert_close(slope, (stress * step).sum(), rtol=1e-5, atol=1e-12)


def test_points_in_one_place_are_neighbours_and_no_points_have_none():
    r = torch.zeros(2, 3)
    assert as_rows(point_edges(r, 1.0)) == [(0, 1, 0.0, 0.0, 0.0), (1, 0, 0.0, 0.0, 0.0)]
    assert len(point_edges(torch.zeros(0, 3), 1.0).receiver) == 0
    assert point_edges(torch.zeros(1, 3), 1.0).between.shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: point_edges(noise(2, 5, 3), 1.0), r"positions \(point, 3\)"),
        (lambda: point_edges(noise(5, 3), 0.0), "positive cutoff"),
        (lambda: point_edges(noise(5, 3), 1.0, sample=torch.zeros(4).long()), "sample"),
        (lambda: point_edges(noise(5, 3), 1.0, sample=torch.zeros(5)), "sample"),
        (lambda: point_edges(noise(5, 3), 1.0, cell=torch.eye(2)), "cell"),
        (lambda: point_edges(noise(5, 3), 1.0, cell=torch.zeros(3, 3)), "no volume"),
        (lambda: point_edges(noise(5, 3) * torch.nan, 1.0), "finite"),
        (lambda: point_edges(noise(5, 3), 1.0, periodic=(True, True, False)), "cell="),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
