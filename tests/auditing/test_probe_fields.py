"""How output covectors move: by the dual, which makes probe coherence exact for linear actions."""

import pytest
import torch
from torch import nn

from goldstone.actions import (
    EULER_FIELDS,
    Context,
    LinearAction,
    Symmetry,
    TrivialAction,
    flow_symmetry,
)
from goldstone.auditing import AuditSettings, audit
from goldstone.auditing.probe_fields import moved_covectors, random_outputs
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.representations import MatrixRepresentation


def turns(stretch: float) -> torch.Tensor:
    """A third of a turn of the plane, in coordinates of which one is stretched."""
    angle = torch.tensor(2 * torch.pi / 3, dtype=torch.float64)
    c, s = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([c, -s]), torch.stack([s, c])])
    scale = torch.diag(torch.tensor([1.0, stretch], dtype=torch.float64))
    return scale @ turn @ torch.linalg.inv(scale)


def stretched(stretch: float) -> Symmetry:
    """C₃ by matrices that are not orthogonal, on inputs and outputs alike."""
    group = CyclicGroup(3)
    action = LinearAction(MatrixRepresentation.from_mapping(group, {1: turns(stretch)}))
    return Symmetry("stretched turns", group, action, action)


class Commuting(nn.Module):
    """Everything linear that commutes with the stretched turns: a + b R(stretched by a quarter)."""

    def __init__(self, stretch: float) -> None:
        super().__init__()
        quarter = torch.tensor([[0.0, -1 / stretch], [stretch, 0.0]], dtype=torch.float64)
        self.register_buffer("quarter", quarter)
        self.a = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
        self.b = nn.Parameter(torch.tensor(0.2, dtype=torch.float64))

    def forward(self, x):
        return self.a * x + self.b * x @ self.quarter.T


def test_covectors_move_by_the_inverse_transpose():
    symmetry = stretched(3.0)
    v = torch.randn(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for element in (1, 2):
        found = moved_covectors(symmetry, element, v, Context())
        matrix = torch.linalg.matrix_power(turns(3.0), element)
        torch.testing.assert_close(found, v @ torch.linalg.inv(matrix))


def test_probe_coherence_is_one_for_an_equivariant_model_under_stretched_turns():
    source = torch.Generator().manual_seed(1)
    x = torch.randn(30, 2, dtype=torch.float64, generator=source)
    model = Commuting(3.0)
    y = model(x).detach() + 0.1 * torch.randn(x.shape, dtype=torch.float64, generator=source)
    settings = AuditSettings(
        samples=12, trajectories=12, reference=4, bootstrap=100, permutations=100
    )
    result = audit(model, (x, y), stretched(3.0), settings=settings)
    for element in result.elements:
        assert element.grade == "exact"
        for metric in settings.metrics:
            assert element.probe_coherence[metric].estimate == pytest.approx(1, abs=1e-9)
    # Moved as vectors they would not agree.
    turned = x @ turns(3.0).T
    v = torch.randn(30, 2, dtype=torch.float64, generator=source)

    def pulled(at, w):
        basis = torch.stack([at, at @ model.quarter.T])
        return torch.einsum("kni,ni->nk", basis, w)

    here, there = pulled(x, v), pulled(turned, v @ turns(3.0).T)
    assert float((here - there).norm() / here.norm()) > 0.3


def test_orthogonal_actions_move_covectors_as_vectors_to_the_last_bit(flows):
    data = flows(trajectories=10)
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    v = random_outputs(data.fields[:, 0], 0)
    moved = symmetry.on_output.act((1, 1), v, data.context)
    assert torch.equal(moved_covectors(symmetry, (1, 1), v, data.context), moved.flatten(1))


def test_the_linear_part_of_a_boost_of_conserved_variables_is_not_orthogonal():
    """⟨ρ⁻ᵀv, ρu⟩ = ⟨v, u⟩ for all u: momentum and energy gain density in a boost."""
    symmetry = flow_symmetry("boosts", EULER_FIELDS, (8, 8))
    context = Context(dt=0.1)
    source = torch.Generator().manual_seed(0)
    u, v = torch.randn(2, 3, 4, 8, 8, dtype=torch.float64, generator=source)
    element = (0.7, 0.0)
    still = symmetry.on_output.act(element, torch.zeros_like(u), context)
    moved = (symmetry.on_output.act(element, u, context) - still).flatten(1)
    dual = moved_covectors(symmetry, element, v, context)
    torch.testing.assert_close((dual * moved).sum(1), (u * v).flatten(1).sum(1))
    assert float((moved.norm() - u.norm()).abs() / u.norm()) > 0.01


def test_an_action_that_cannot_be_differentiated_is_refused_where_its_adjoint_is_needed():
    class Detached:
        def act(self, element, x, context):
            return (x * 2.0**element).detach()

    symmetry = Symmetry("doubling", CyclicGroup(2), TrivialAction(), Detached())
    with pytest.raises(InputError, match="cannot be differentiated"):
        moved_covectors(symmetry, 1, torch.ones(3, 2), Context())


def test_in_half_precision_too_what_is_not_orthogonal_moves_by_the_dual():
    symmetry = stretched(3.0)
    v = torch.randn(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wanted = v @ torch.linalg.inv(turns(3.0))
    for dtype in (torch.bfloat16, torch.float16):
        found = moved_covectors(symmetry, 1, v.to(dtype), Context())
        torch.testing.assert_close(found.double(), wanted, rtol=0.03, atol=0.03)


def test_the_parts_of_an_output_get_random_numbers_of_their_own():
    like = {"a": torch.zeros(40, 3), "b": torch.zeros(40, 3), "c": torch.zeros(40, 1, 4, 4)}
    found = random_outputs(like, 0)
    assert abs(float((found["a"] * found["b"]).mean())) < 0.3
    assert torch.equal(found["a"], random_outputs(like["a"], 0))
