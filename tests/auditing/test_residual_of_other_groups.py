"""What remains of Lie groups of matrices and of groups with too many subgroups."""

from math import pi

import pytest
import torch
from torch import nn

from goldstone import AuditSettings, Symmetry, audit
from goldstone.actions import (
    POSITIONS,
    LinearAction,
    image_symmetry,
    point_cloud_symmetry,
)
from goldstone.auditing.residual import axis_verdict
from goldstone.groups import OrthogonalGroup, SpecialOrthogonalGroup, SymmetricGroup
from goldstone.representations import StandardRepresentation
from goldstone.systems.losses import cross_entropy, mse

SETTINGS = AuditSettings(samples=8, trajectories=30, bootstrap=200, permutations=200)
SO3 = SpecialOrthogonalGroup(3)


def about(axis, angle):
    return SO3.exp(tuple(angle * float(k == axis) for k in range(3)))


def test_rotations_remain_by_axis():
    answers = {
        about(2, 0.5): "yes",
        about(2, -1.0): "yes",
        about(0, 0.5): "no",
        about(1, 0.5): "undetermined",
    }
    found = axis_verdict(SO3, {SO3.value(torch.eye(3).double()): "yes"} | answers)
    assert found.answer == "no"
    (low,) = found.residual_low
    assert low.name == "SO(3) along (0,0,1), tested up to 1"
    assert len(low.elements) == 2
    assert [h.name.split(",", 1)[1] for h in found.residual_up] == [
        "0,1), tested up to 1",
        "1,0), tested up to 0.5",
    ]


def test_elements_without_a_logarithm_stand_for_themselves():
    group = OrthogonalGroup(3)
    reflection = group.component_generators()[0]
    half_turn = about(0, pi)
    found = axis_verdict(group, {reflection: "yes", half_turn: "no"})
    assert [h.name for h in found.residual_low] == [group.element_name(reflection)]


def test_large_permutation_groups_remain_by_cyclic_subgroups():
    group = SymmetricGroup(6)
    swap, turn, other = (1, 0, 2, 3, 4, 5), (1, 2, 3, 4, 5, 0), (0, 1, 3, 2, 4, 5)
    found = axis_verdict(group, {swap: "yes", turn: "no", other: "yes"})
    assert {(h.name, h.order) for h in found.residual_low} == {("⟨(1 2)⟩", 2), ("⟨(3 4)⟩", 2)}
    everything = dict.fromkeys((*group.generators(), other), "yes")
    (whole,) = axis_verdict(group, everything).residual_low
    assert (whole.name, whole.order) == ("S6", 720)
    enormous = SymmetricGroup(30)
    swap = (1, 0, *range(2, 30))
    assert axis_verdict(enormous, {swap: "yes"}).residual_low[0].order == 2


class Central(nn.Module):
    """Forces f(|x|) x at each point, with a learned direction added: SO(3) but for ``skew``."""

    def __init__(self, skew):
        super().__init__()
        torch.manual_seed(0)
        self.radial = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
        self.skew = nn.Parameter(skew * torch.tensor([0.0, 0.0, 1.0]))

    def forward(self, x):
        return self.radial(x.norm(dim=-1, keepdim=True)) * x + self.skew


@pytest.mark.parametrize("skew", [0.0, 2.0])
def test_an_audit_of_rotations_of_points(skew):
    g = torch.Generator().manual_seed(0)
    x = torch.randn(150, 5, 3, generator=g)
    y = torch.exp(-x.norm(dim=-1, keepdim=True)) * x + skew * torch.tensor([0.0, 0.0, 1.0])
    model = Central(skew)
    optimiser = torch.optim.Adam(model.radial.parameters(), 1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        mse(model(x[:90]), y[:90]).mean().backward()
        optimiser.step()
    action = LinearAction(StandardRepresentation(SO3))
    turns = tuple(about(axis, angle) for axis in range(3) for angle in (0.7, 1.4))
    symmetry = Symmetry("so3", SO3, action, action, elements=turns)
    result = audit(model, (x[90:], y[90:]), symmetry, loss=mse, settings=SETTINGS)
    names = [h.name for h in result.verdict.holds.residual_low]
    about_z = "SO(3) along (0,0,1), tested up to 1.4"
    assert about_z in names
    assert len(names) == (3 if skew == 0 else 1)


def test_the_named_symmetry_of_point_clouds_runs():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(60, 4, 3, generator=g)
    symmetry = point_cloud_symmetry("so3", 4, output=POSITIONS)
    y = 0.5 * x
    model = nn.Linear(3, 3, bias=False)
    nn.init.eye_(model.weight)
    result = audit(model, (x, y), symmetry, loss=mse, settings=SETTINGS)
    assert all(element.grade == "exact" for element in result.elements)


def test_rotated_images_with_class_labels():
    g = torch.Generator().manual_seed(0)
    axis = torch.arange(12.0) - 5.5
    radius = (axis[:, None] ** 2 + axis**2).sqrt()
    labels = torch.arange(90) % 2
    rings = torch.stack([torch.exp(-(radius**2) / 6), torch.exp(-((radius - 3) ** 2) / 2)])
    x = (rings[labels] * (1 + 0.2 * torch.randn(90, 1, 1, generator=g)))[:, None]
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 2))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        cross_entropy(model(x[:40]), labels[:40]).mean().backward()
        optimiser.step()
    symmetry = image_symmetry("rotations", (12, 12), channels=1)
    result = audit(model.eval(), (x[40:], labels[40:]), symmetry, settings=SETTINGS)
    assert result.model.has_skill
    assert result.symmetry.order is None
    assert result.precheck.law_errors["on_input"] > 1e-6
