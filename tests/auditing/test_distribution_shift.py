"""Symmetries at home and abroad: models whose answer is known."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import LinearAction, Symmetry, flow_symmetry
from goldstone.auditing import AuditSettings
from goldstone.auditing.distribution_shift import DistributionShift, distribution_shift
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup
from goldstone.representations import StandardRepresentation
from goldstone.systems.losses import mse, scaled_mse

C4 = CyclicGroup(4)
PLANE = LinearAction(StandardRepresentation(C4))
TURNS = Symmetry("c4", C4, PLANE, PLANE)
SETTINGS = AuditSettings(metrics=(), bootstrap=400, trajectories=40)


class Stretched(nn.Module):
    """−2x, to which outside of the unit circle, or everywhere, an error of one axis is added."""

    def __init__(self, inside: float, outside: float, bias: float = 0.02) -> None:
        super().__init__()
        self.inside, self.outside, self.bias = inside, outside, bias
        self.own = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        far = x.norm(dim=1, keepdim=True) > 1
        size = torch.where(far, self.outside, self.inside)
        along = torch.tensor([1.0, 0.0], dtype=x.dtype)
        # The first error is the same in all poses.
        return (self.bias - 2 * self.own) * x + size * along * x


def pairs(radius: float, n: int = 60) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    angle = 2 * torch.pi * torch.rand(n, generator=source, dtype=torch.float64)
    # Near the first axis: a quarter turn shows the model another pose.
    x = radius * torch.stack((angle.cos(), 0.2 * angle.sin()), 1)
    return x, -2 * x


def readings(model: nn.Module, others: dict[str, Any], **arguments: Any) -> dict[str, str]:
    found = distribution_shift(
        model, pairs(0.9), others, TURNS, mse, settings=SETTINGS, **arguments
    )
    return {e.name: e.reading for e in found.elements}


def test_the_readings() -> None:
    far = {"near": pairs(0.5), "far": pairs(3.0)}

    def turns(kind: str) -> dict[str, str]:
        # A half turn commutes with every linear map.
        return {"r": kind, "r²": "built in", "r³": kind}

    assert readings(Stretched(0.0, 0.0), far) == turns("built in")
    # Turning away from the axis of the error improves the loss: its growth tells all the same.
    assert readings(Stretched(0.0, -0.2), far) == turns("covered")
    assert readings(Stretched(1e-4, 1e-4), far) == turns("general")
    assert readings(Stretched(0.2, 0.2, bias=-0.2), far) == turns("not at home")
    covered = Stretched(1e-4, 0.2, bias=-0.2)
    assert readings(covered, far) == turns("covered")
    found = distribution_shift(covered, pairs(0.9), far, TURNS, mse, [1], settings=SETTINGS)
    assert [f.name for f in found.families] == ["home", "near", "far"]
    assert found.elements[0].fails_in == ("far",)
    assert [f.elements[0].holds for f in found.families] == ["yes", "yes", "no"]
    text = json.dumps(to_json(found), allow_nan=False)
    assert from_json(DistributionShift, json.loads(text)) == found


def test_a_family_without_skill_says_nothing() -> None:
    """With a large error everywhere a model errs alike in all poses: no sign of symmetry."""
    model = Stretched(1e-4, 9.0)
    found = distribution_shift(
        model, pairs(0.9), {"far": pairs(3.0)}, TURNS, mse, [1], settings=SETTINGS
    )
    assert not found.families[1].has_skill
    assert found.elements[0].reading == "undetermined"
    assert "no skill on far" in found.elements[0].reason


def test_errors_that_are_alike_in_all_poses_hide_nothing() -> None:
    """Where a large error is the same in all poses, the losses do not change from pose to pose."""

    class Saturated(Stretched):
        def forward(self, x: Tensor) -> Tensor:
            far = x.norm(dim=1, keepdim=True) > 1
            return super().forward(x) * torch.where(far, 0.6, 1.0)

    found = distribution_shift(
        Saturated(1e-3, 0.01), pairs(0.9), {"far": pairs(3.0)}, TURNS, mse, [1], settings=SETTINGS
    )
    far = found.families[1]
    assert far.has_skill
    assert far.elements[0].holds == "yes"
    assert far.elements[0].grows == "yes"
    assert far.elements[0].growth.estimate == pytest.approx(10, rel=0.3)
    assert found.elements[0].reading == "covered"


def test_flows_of_other_initial_conditions(flows, perturbed_solver, quick) -> None:
    home, other = flows("isotropic"), flows("anisotropic")
    symmetry = flow_symmetry("d4", home.layout, home.grid)
    settings = quick(metrics=())
    found = distribution_shift(
        perturbed_solver(home), home, {"anisotropic": other}, symmetry, scaled_mse,
        settings=settings,
    )  # fmt: skip
    assert {e.reading for e in found.elements} == {"built in"}
    # Stretched by a reflection's shear: exact under half turns alone.
    sheared = perturbed_solver(home, shear=0.01)
    found = distribution_shift(
        sheared, home, {"anisotropic": other}, symmetry, scaled_mse, settings=settings
    )
    by_name = {e.name: e.reading for e in found.elements}
    assert by_name["r²"] == "built in"
    assert set(by_name.values()) != {"built in"}


def test_the_model_is_left_as_found(flows, network) -> None:
    data = flows()
    model = network("unet", data).train()
    random = torch.get_rng_state()
    distribution_shift(
        model, data, {"other": flows("anisotropic")},
        flow_symmetry("d2", data.layout, data.grid), scaled_mse, settings=SETTINGS,
    )  # fmt: skip
    assert model.training
    assert torch.equal(random, torch.get_rng_state())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_bad_input() -> None:
    model = Stretched(0.0, 0.0)
    with pytest.raises(InputError, match="one or more families"):
        readings(model, {})
    with pytest.raises(InputError, match="none of them 'home'"):
        readings(model, {"home": pairs(1.0)})
    with pytest.raises(InputError, match="besides the identity"):
        readings(model, {"far": pairs(3.0)}, elements=[0])
