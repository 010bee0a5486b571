"""Models that see their input in a canonical pose."""

import copy
import math
import pickle

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import (
    Context,
    LinearAction,
    PointFeature,
    Symmetry,
    TrivialAction,
    image_symmetry,
    linear_symmetry,
    point_cloud_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup
from goldstone.nn.canonicalised import Canonicalised
from goldstone.nn.gram_schmidt_canonicaliser import GramSchmidtCanonicaliser
from goldstone.nn.point_vectors import PointVectors
from goldstone.nn.scoring_canonicaliser import ScoringCanonicaliser
from goldstone.representations import StandardRepresentation, TrivialRepresentation

D4 = DihedralGroup(4)
IMAGES = image_symmetry("turns-and-flips", (6, 6), 1, "same")
VECTOR = (PointFeature("force", "vector"),)
SPACES = ("so3", "o3", "se3", "e3", "so2", "o2", "se2", "e2")


def backbone() -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1))
    return nn.Sequential(*layers).double()


def scorer(size: int = 36) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.Tanh(), nn.Linear(8, 1)).double()


def images(n: int = 10) -> Tensor:
    rng = torch.Generator().manual_seed(3)
    return torch.randn(n, 1, 6, 6, generator=rng, dtype=torch.float64)


def worst_error(model: nn.Module, symmetry: Symmetry, x: Tensor) -> float:
    elements = symmetry.elements or symmetry.group.elements()
    with torch.no_grad():
        errors = [
            model(symmetry.on_input.act(g, x, Context()))
            - symmetry.on_output.act(g, model(x), Context())
            for g in elements
        ]
        return float(torch.stack(errors).abs().max() / model(x).abs().max())


@pytest.mark.parametrize("choice", ["straight-through", "soft"])
@pytest.mark.parametrize("training", [True, False])
def test_a_scored_pose_is_exact(choice, training):
    model = Canonicalised(backbone(), IMAGES, ScoringCanonicaliser(scorer(), choice))
    assert worst_error(model.train(training), IMAGES, images()) < 1e-12


def test_the_hard_choice_is_the_slow_loop():
    model, network, x = backbone(), scorer(), images()
    wanted = []
    for one in x.split(1):
        moved = {g: IMAGES.on_input.act(D4.inverse(g), one, Context()) for g in D4.elements()}
        best = max(moved, key=lambda g: float(network(moved[g]).detach()))
        wanted.append(IMAGES.on_output.act(best, model(moved[best]), Context()))
    found = Canonicalised(model, IMAGES, ScoringCanonicaliser(network))(x)
    torch.testing.assert_close(found, torch.cat(wanted))


def test_the_soft_choice_is_the_weighted_orbit():
    model, network, x = backbone(), scorer(), images()
    canonicaliser = ScoringCanonicaliser(network, "soft", temperature=0.5)
    p = canonicaliser.probabilities(x, IMAGES, Context())
    torch.testing.assert_close(p.sum(1), torch.ones(len(x)).double())
    wanted = torch.zeros_like(x)
    for k, g in enumerate(D4.elements()):
        y = model(IMAGES.on_input.act(D4.inverse(g), x, Context()))
        wanted = wanted + p[:, k, None, None, None] * IMAGES.on_output.act(g, y, Context())
    torch.testing.assert_close(Canonicalised(model, IMAGES, canonicaliser)(x), wanted)


def test_the_gradient_of_the_hard_choice_is_that_of_the_mixture():
    # A linear model with an invariant output: y = w · Σ_g c_g g⁻¹x with c one-hot forwards.
    c4 = CyclicGroup(4)
    plane = StandardRepresentation(c4)
    symmetry = linear_symmetry(plane, TrivialRepresentation(c4))
    model, network = nn.Linear(2, 1, bias=False).double(), nn.Linear(2, 1).double()
    x = torch.tensor([[0.3, 1.2], [-0.5, 0.4]]).double()
    out = Canonicalised(model, symmetry, ScoringCanonicaliser(network))(x).sum()
    found = torch.autograd.grad(out, network.weight)[0]
    moves = LinearAction(plane)
    poses = torch.stack([moves.act(c4.inverse(g), x, Context()) for g in c4.elements()])
    p = network(poses).squeeze(-1).softmax(0)
    mixture = (p * model(poses).detach().squeeze(-1)).sum()
    wanted = torch.autograd.grad(mixture, network.weight)[0]
    torch.testing.assert_close(found, wanted)


def test_ties_are_reported():
    model = Canonicalised(backbone(), IMAGES, ScoringCanonicaliser(scorer()))
    x = images(2)
    x[1] = x[1] + x[1].flip(-1)  # mirror symmetric: two poses are one
    margin = model.margin(x)
    assert margin[0] > 1e-4
    assert margin[1] < 1e-12
    # The soft choice needs no decision.
    soft = Canonicalised(backbone(), IMAGES, ScoringCanonicaliser(scorer(), "soft"))
    assert worst_error(soft, IMAGES, x) < 1e-12


def test_the_prior_is_a_divergence():
    x = images()
    plain = ScoringCanonicaliser(scorer())
    p = plain.probabilities(x, IMAGES, Context()).detach()
    assert float(plain.prior_loss(x, IMAGES, Context()).detach()) == pytest.approx(
        float(-p[:, 0].log().mean())
    )
    prior = torch.tensor([0.65, *[0.05] * 7]).double()
    spread = ScoringCanonicaliser(scorer(), prior=prior.tolist())
    wanted = (prior * (prior.log() - p.log())).sum(1).mean()
    assert float(spread.prior_loss(x, IMAGES, Context()).detach()) == pytest.approx(float(wanted))


def test_the_prior_trains_the_pose_of_the_data():
    # Images with their weight in one corner: the canonicaliser learns to leave them as they are.
    x = images(64) * 0.3
    x[..., :2, :3] += 1
    model = Canonicalised(backbone(), IMAGES, ScoringCanonicaliser(scorer()))
    optimiser = torch.optim.Adam(model.canonicaliser.parameters(), 0.02)
    for _ in range(60):
        optimiser.zero_grad()
        model.prior_loss(x).backward()
        optimiser.step()
    assert torch.equal(model.canonical_inputs(x), x)
    assert worst_error(model, IMAGES, x) < 1e-12


@pytest.mark.parametrize("name", SPACES)
def test_a_predicted_pose_is_exact(name):
    n = int(name[-1])
    symmetry = point_cloud_symmetry(name, 5, output=VECTOR)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(5 * n, 5 * n), nn.Unflatten(1, (5, n))).double()
    canonicaliser = GramSchmidtCanonicaliser(PointVectors(symmetry))
    wrapper = Canonicalised(model, symmetry, canonicaliser)
    x = torch.randn(6, 5, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert symmetry.group.contains(canonicaliser.elements(x, symmetry))
    # Rounding is enlarged by one over the margin.
    assert wrapper.margin(x).median() > 0.02
    assert wrapper.margin(x).min() > 1e-4
    assert worst_error(model, symmetry, x) > 0.1
    # φ works in float32.
    assert worst_error(wrapper, symmetry, x) < 1e-3
    assert worst_error(wrapper.double(), symmetry, x) < 1e-11


def test_the_predicted_pose_is_trained():
    symmetry = point_cloud_symmetry("so3", 4)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 1)).double()
    wrapper = Canonicalised(
        model, symmetry, GramSchmidtCanonicaliser(PointVectors(symmetry))
    ).double()
    x = torch.randn(3, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    parameter = wrapper.canonicaliser.network.network[0].weight
    direction = torch.randn(parameter.shape, dtype=torch.float64)
    slope = float((torch.autograd.grad(wrapper(x).sum(), parameter)[0] * direction).sum())
    values = []
    for step in (1e-5, -1e-5):
        with torch.no_grad():
            parameter += step * direction
            values.append(float(wrapper(x).sum()))
            parameter -= step * direction
    assert slope == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-4)


def test_the_prior_of_a_rotation():
    symmetry = point_cloud_symmetry("so2", 2)
    canonicaliser = GramSchmidtCanonicaliser(nn.Identity())
    angle = torch.tensor([0.3, 2.0]).double()
    vectors = torch.stack((angle.cos(), angle.sin()), -1)[:, None]
    found = canonicaliser.prior_loss(vectors, symmetry, Context())
    assert float(found) == pytest.approx(2 - 2 * (math.cos(0.3) + math.cos(2.0)) / 2)


def test_dependent_vectors_are_reported():
    symmetry = point_cloud_symmetry("so3", 8)
    cube = torch.tensor([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]).double()
    wrapper = Canonicalised(
        nn.Flatten(), symmetry, GramSchmidtCanonicaliser(PointVectors(symmetry))
    ).double()
    other = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    margin = wrapper.margin(torch.stack((cube, other)))
    # All points of a cube weigh the same: its vectors are no more than rounding.
    assert float(wrapper.canonicaliser.network(cube[None]).detach().abs().max()) < 1e-12
    assert margin[0] < 1e-6
    assert margin[1] > 1e-3


def cubes(count=6, size=1.0):
    corners = [[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
    cube = size * torch.tensor(corners, dtype=torch.float64)
    turns = point_cloud_symmetry("so3", 8).group.sample(torch.Generator().manual_seed(0), (count,))
    return cube @ turns.mT


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-6), (torch.float32, 1e-2)])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_vectors_that_are_rounding_count_as_nothing(dtype, bound, size):
    """However long one rounding error is beside another; in any unit of length."""
    symmetry = point_cloud_symmetry("so3", 8)
    torch.manual_seed(0)
    network = PointVectors(symmetry).to(dtype)
    wrapper = Canonicalised(nn.Flatten(), symmetry, GramSchmidtCanonicaliser(network))
    assert float(wrapper.margin(cubes(size=size)).detach().max()) < bound
    x = size * torch.randn(6, 8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert float(wrapper.margin(x).detach().median()) > 0.05


@pytest.mark.parametrize("name", ["so3", "o3", "se3", "e3", "so2", "o2"])
def test_a_pose_is_an_element_of_the_group_whatever_comes(name):
    symmetry, n = point_cloud_symmetry(name, 5), int(name[-1])
    torch.manual_seed(0)
    canonicaliser = GramSchmidtCanonicaliser(PointVectors(symmetry)).double()
    x = torch.randn(4, 5, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x[1] = x[1, :, :1] * x[1, :1]  # on a line
    x[2] = 0.0
    x[3] = x[3, :1]  # in one place
    elements = canonicaliser.elements(x.requires_grad_(), symmetry)
    assert symmetry.group.contains(elements.detach())
    elements.square().sum().backward()
    assert x.grad.isfinite().all()


def test_points_on_a_line_have_an_invariant_energy():
    """Which pose about the line is taken does not matter to it."""
    symmetry = point_cloud_symmetry("se3", 5)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(15, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    pose = GramSchmidtCanonicaliser(PointVectors(symmetry)).double()
    line = torch.randn(6, 5, 1).double() * torch.randn(6, 1, 3).double()
    wrapper = Canonicalised(model, symmetry, pose)
    assert worst_error(wrapper, symmetry, line) < 1e-9
    assert float(wrapper(line).detach().std()) > 1e-2


def test_small_margins_can_be_refused():
    symmetry = point_cloud_symmetry("so3", 8)
    pose = GramSchmidtCanonicaliser(PointVectors(symmetry)).double()
    wrapper = Canonicalised(nn.Flatten(), symmetry, pose, least_margin=1e-6)
    x = torch.randn(3, 8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    wrapper(x)
    with pytest.raises(InputError, match=r"1 of 3 samples, sample 2 .* not determined"):
        wrapper(torch.cat((x[:2], cubes(1))))


def test_the_state_is_that_of_its_parts():
    model = Canonicalised(backbone(), IMAGES, ScoringCanonicaliser(scorer()))
    prefixes = {key.split(".")[0] for key in model.state_dict()}
    assert prefixes == {"model", "canonicaliser"}
    model.model.load_state_dict(backbone().state_dict())
    x = images()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(x), model(x))
    compiled = torch.compile(model, backend="aot_eager")
    torch.testing.assert_close(compiled(x), model(x))


def test_bad_canonicalisers_are_refused():
    with pytest.raises(InputError, match="straight-through"):
        ScoringCanonicaliser(scorer(), "hard")
    with pytest.raises(InputError, match="sum to 1"):
        ScoringCanonicaliser(scorer(), prior=[0.5, 0.4])
    invariant = Symmetry("d4", D4, IMAGES.on_input, TrivialAction())
    with pytest.raises(InputError, match="one score for each sample"):
        Canonicalised(backbone(), invariant, ScoringCanonicaliser(nn.Flatten()))(images())
    space = point_cloud_symmetry("so3", 4)
    with pytest.raises(InputError, match="vectors of shape"):
        Canonicalised(nn.Flatten(), space, GramSchmidtCanonicaliser(nn.Identity()))(
            torch.randn(2, 4, 3)
        )
    with pytest.raises(InputError, match="too many elements"):
        Canonicalised(nn.Flatten(), space, ScoringCanonicaliser(scorer(12)))(torch.randn(2, 4, 3))


def test_a_predicted_pose_exports():
    symmetry = point_cloud_symmetry("se3", 5, output=VECTOR)
    model = nn.Sequential(nn.Flatten(), nn.Linear(15, 15), nn.Unflatten(1, (5, 3)))
    wrapper = Canonicalised(model, symmetry, GramSchmidtCanonicaliser(PointVectors(symmetry)))
    x = torch.randn(4, 5, 3)
    exported = torch.export.export(wrapper.eval(), (x,)).module()
    torch.testing.assert_close(exported(x), wrapper(x))
