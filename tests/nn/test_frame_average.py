"""Frames of point clouds and averages over them."""

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import Context, PointFeature, Symmetry, point_cloud_symmetry
from goldstone.core import InputError
from goldstone.nn.frame_average import FrameAverage
from goldstone.nn.pca_frame import PCAFrame
from goldstone.nn.point_pair_frame import PointPairFrame

VECTOR = (PointFeature("force", "vector"),)
SPACES = ("so3", "o3", "se3", "e3", "so2", "o2", "se2", "e2")
CUBE = torch.tensor([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]).double()


class Forces(nn.Module):
    """No symmetry at all: every point's force from all coordinates."""

    def __init__(self, points: int, dimension: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        size = points * dimension
        self.layers = nn.Sequential(nn.Linear(size, 20), nn.Tanh(), nn.Linear(20, size)).double()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x.flatten(1)).reshape(x.shape)
        return y


def cloud(points: int, dimension: int, n: int = 6) -> Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.randn(n, points, dimension, generator=rng, dtype=torch.float64)


def worst_error(model: nn.Module, symmetry: Symmetry, x: Tensor) -> float:
    y = model(x)
    found = 0.0
    for g in symmetry.elements:
        moved = model(symmetry.on_input.act(g, x, Context()))
        wanted = symmetry.on_output.act(g, y, Context())
        found = max(found, float((moved - wanted).abs().max()))
    return found / float(y.abs().max())


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("kind", [PCAFrame, PointPairFrame])
def test_forces_turn_with_the_cloud(name, kind):
    n = int(name[-1])
    symmetry = point_cloud_symmetry(name, 5, output=VECTOR)
    model = Forces(5, n)
    assert worst_error(model, symmetry, cloud(5, n)) > 0.1
    averaged = FrameAverage(model, symmetry, kind(symmetry))
    assert worst_error(averaged, symmetry, cloud(5, n)) < 1e-10


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("kind", [PCAFrame, PointPairFrame])
def test_frames_are_elements_of_the_group(name, kind):
    n = int(name[-1])
    symmetry = point_cloud_symmetry(name, 5)
    elements, weights = kind(symmetry)(cloud(5, n))
    assert symmetry.group.contains(elements)
    torch.testing.assert_close(weights.sum(1), torch.ones(6).double())
    if kind is PCAFrame:
        assert elements.shape[1] == 2 ** (n - 1 if name.startswith("s") else n)


def test_it_is_the_slow_loop():
    symmetry = point_cloud_symmetry("e3", 5, output=VECTOR)
    model, frame, x = Forces(5, 3), PCAFrame(symmetry), cloud(5, 3)
    elements, weights = frame(x)
    wanted = torch.zeros_like(x)
    for i in range(len(x)):
        for g, w in zip(elements[i], weights[i], strict=True):
            back = symmetry.group.inverse(g)
            y = model(symmetry.on_input.act(back, x[i : i + 1], Context()))
            wanted[i] += w * symmetry.on_output.act(g, y, Context())[0]
    torch.testing.assert_close(FrameAverage(model, symmetry, frame)(x), wanted)


@pytest.mark.parametrize("name", ["so3", "o3", "e3"])
def test_planar_clouds_and_lines_keep_their_frame(name):
    symmetry = point_cloud_symmetry(name, 5, output=VECTOR)
    flat = cloud(5, 3)
    flat[..., 2] = 0
    line = flat.clone()
    line[..., 1] = 0
    averaged = FrameAverage(Forces(5, 3), symmetry, PCAFrame(symmetry))
    assert worst_error(averaged, symmetry, flat) < 1e-10
    assert worst_error(averaged, symmetry, line) < 1e-7
    # The force on points of a line is along it.
    assert float(averaged(line)[..., 1:].abs().max()) < 1e-12


@pytest.mark.parametrize("name", ["so3", "o3", "e3"])
def test_symmetric_clouds_need_the_frame_of_pairs(name):
    symmetry = point_cloud_symmetry(name, 8, output=VECTOR)
    x = torch.stack((CUBE, 2 * CUBE))
    frame = PCAFrame(symmetry)
    assert float(frame.gaps(x).max()) < 1e-12
    with pytest.raises(InputError, match=r"sample 0 the first.*PointPairFrame"):
        frame(x)
    averaged = FrameAverage(Forces(8, 3), symmetry, PointPairFrame(symmetry))
    assert worst_error(averaged, symmetry, x) < 1e-10
    # One cube and one cloud without ties: filled up with weights 0.
    mixed = torch.stack((CUBE, cloud(8, 3)[0]))
    assert worst_error(averaged, symmetry, mixed) < 1e-10


def test_points_on_a_line_have_no_pairs():
    symmetry = point_cloud_symmetry("so3", 5)
    line = cloud(5, 3) * torch.tensor([1.0, 0.0, 0.0])
    with pytest.raises(InputError, match="line"):
        PointPairFrame(symmetry)(line)


def test_a_line_with_other_vectors_is_refused():
    features = (PointFeature("position", "position"), PointFeature("velocity", "vector"))
    symmetry = point_cloud_symmetry("so3", 5, features)
    line = torch.cat((cloud(5, 3) * torch.tensor([1.0, 0.0, 0.0]), cloud(5, 3)), -1)
    with pytest.raises(InputError, match="equal principal moments"):
        PCAFrame(symmetry)(line)


def test_energies_have_equivariant_gradients():
    symmetry = point_cloud_symmetry("e3", 5)
    model = nn.Sequential(nn.Flatten(), Forces(5, 3).layers, nn.Linear(15, 1).double())
    energy = FrameAverage(model, symmetry, PCAFrame(symmetry))

    def force(x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        return torch.autograd.grad(energy(x).sum(), x)[0]

    forces = point_cloud_symmetry("e3", 5, output=VECTOR)
    g = forces.elements[1]
    x = cloud(5, 3)
    moved = force(forces.on_input.act(g, x, Context()))
    torch.testing.assert_close(moved, forces.on_output.act(g, force(x), Context()))


def test_other_groups_and_frames_are_refused():
    with pytest.raises(InputError, match="SO\\(n\\)"):
        PCAFrame(point_cloud_symmetry("shifts", 4))
    symmetry = point_cloud_symmetry("so3", 5)
    wrong = FrameAverage(nn.Identity(), symmetry, lambda x: (torch.eye(3)[None], torch.ones(1)))
    with pytest.raises(InputError, match="frame of elements"):
        wrong(cloud(5, 3))


def test_an_unchecked_frame_exports():
    symmetry = point_cloud_symmetry("e3", 5, output=VECTOR)
    wrapper = FrameAverage(Forces(5, 3), symmetry, PCAFrame(symmetry, check=False))
    x = cloud(5, 3)
    exported = torch.export.export(wrapper.eval(), (x,)).module()
    torch.testing.assert_close(exported(x), wrapper(x))


@pytest.mark.parametrize("kind", [PCAFrame, PointPairFrame])
def test_positions_that_are_no_numbers_are_named(kind):
    x = cloud(5, 3)
    x[2, 1, 0] = torch.nan
    with pytest.raises(InputError, match="expected finite numbers"):
        kind(point_cloud_symmetry("se3", 5))(x)
