"""What actions made of others keep of them, and symmetries of models that see more than a state."""

from dataclasses import dataclass

import pytest
import torch

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    AxisPermutation,
    Context,
    Field,
    FieldLayout,
    FourierTranslation,
    FramesAction,
    GalileanBoost,
    GridAction,
    ImageAction,
    LinearAction,
    PointAction,
    ProductAction,
    ShiftAction,
    Symmetry,
    TreeAction,
    TrivialAction,
    action_law_errors,
    bounded_symmetry,
    conditioned_symmetry,
    flow_symmetry,
    graph_symmetry,
    history_symmetry,
    image_symmetry,
    point_cloud_symmetry,
    ragged_graph_symmetry,
    volume_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    direct_product,
)
from goldstone.representations import StandardRepresentation
from goldstone.testing import assert_equivariant

CONTEXT = Context()


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def test_what_is_made_of_resampled_actions_misses_the_laws_as_far():
    """An audit allows what ``law_tolerance`` says, and asks the outermost action."""
    turns = image_symmetry("rotations", (8, 8), 1).on_input
    allowed = turns.law_tolerance
    group = SpecialOrthogonalGroup(2)
    assert FramesAction(turns, (-1, 0)).law_tolerance == allowed
    assert TreeAction({"image": turns, "k": TrivialAction()}).law_tolerance == allowed
    assert TreeAction((TrivialAction(), TreeAction((turns,)))).law_tolerance == allowed
    assert ProductAction((group,), (turns,)).law_tolerance == allowed
    exact = TreeAction((ShiftAction(), TrivialAction()))
    assert FramesAction(exact, (0,)).law_tolerance == exact.law_tolerance < allowed


def test_laws_on_trees_of_different_first_axes():
    """Ragged graphs: nodes and edges are not samples."""
    batch = torch.tensor([0, 0, 0, 1, 1])
    entries = {"x": "node", "edge_index": "edge-index", "batch": "node"}
    symmetry = ragged_graph_symmetry(batch, entries)
    graph = {"x": noise(5, 3), "edge_index": torch.tensor([[0, 1, 3], [1, 2, 4]]), "batch": batch}
    group, some = symmetry.group, symmetry.elements[:3]
    found = action_law_errors(symmetry.on_input, group, graph, Context(batch=batch), some)
    assert found.identity == found.composition == 0.0
    wrong = TreeAction({**symmetry.on_input.parts, "x": _Doubling()})
    found = action_law_errors(wrong, group, graph, Context(batch=batch), some)
    everything = torch.cat([leaf.double().flatten() for leaf in graph.values()])
    assert found.identity == pytest.approx(float(graph["x"].norm() / everything.norm()))


def test_laws_of_half_precision_do_not_overflow():
    x = torch.full((2, 1, 256, 256), 300.0, dtype=torch.float16)
    found = action_law_errors(_Doubling(), CyclicGroup(2), x, CONTEXT, (1,))
    assert found.identity == pytest.approx(1.0)


@dataclass(frozen=True)
class _Doubling:
    def act(self, element, x, context):
        return 2 * x


def test_histories_of_several_predicted_frames():
    """u(t) + c on a field that drifts: frame k lies k steps after the input."""
    flow = flow_symmetry("boosts", NAVIER_STOKES_FIELDS, (6, 6))
    both = history_symmetry(flow, (-1, 0), output_steps=(1, 2, 3))
    context, c = Context(dt=0.3), (0.5, -0.25)
    x = noise(1, 6, 6, 6)
    moved = both.on_output.act(c, x, context.at(1))
    for k in range(3):
        expected = flow.on_output.act(c, x[:, 2 * k : 2 * k + 2], context.at(k + 1))
        torch.testing.assert_close(moved[:, 2 * k : 2 * k + 2], expected)
    assert both.target_action == both.on_output
    assert history_symmetry(flow).on_output == flow.on_output


LAYOUT = FieldLayout((Field("u", "velocity"), Field("T", "scalar")))


@pytest.mark.parametrize(
    ("symmetry", "shape"),
    [
        (flow_symmetry("d4", LAYOUT, (6, 6), "node"), (6, 6)),
        (flow_symmetry("p4m", LAYOUT, (6, 6)), (6, 6)),
        (flow_symmetry("shifts", LAYOUT, (6, 4)), (6, 4)),
        (flow_symmetry("translations", LAYOUT, (5, 7)), (5, 7)),
        (bounded_symmetry("points", LAYOUT, (6, 4)), (6, 4)),
        (bounded_symmetry("shifts", LAYOUT, (5, 4)), (5, 4)),
        (image_symmetry("turns-and-flips", (6, 6), LAYOUT, "same"), (6, 6)),
        (volume_symmetry("points", (4, 4, 2), ("vector", "scalar"), bounded=(2,)), (4, 4, 2)),
        (history_symmetry(flow_symmetry("d4", LAYOUT, (6, 6)), (-1, 0)), (6, 6)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_masks_move_with_the_fields(symmetry, shape):
    frames = 2 if isinstance(symmetry.on_input, FramesAction) else 1
    mask = (noise(2, 1, *shape, seed=3) > 0).double()
    n = len(shape) + 1
    inputs = {"state": noise(2, n * frames, *shape), "mask": mask, "viscosity": noise(2)}

    def model(state, mask, viscosity):
        state = state[:, -n:] * viscosity.reshape(-1, *[1] * n)
        return torch.cat((state[:, :-1], state[:, -1:] - mask), 1)

    def deaf(state, mask, viscosity):
        return state[:, -n:] * torch.linspace(0, 1, shape[-2], dtype=mask.dtype)[:, None]

    told = conditioned_symmetry(symmetry, constants=("viscosity",))
    assert_equivariant(model, told, inputs)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(deaf, told, inputs)


def test_masks_of_booleans():
    told = conditioned_symmetry(flow_symmetry("d4", NAVIER_STOKES_FIELDS, (4, 4)))
    assert isinstance(told.on_input.parts["mask"], GridAction)
    state, mask = noise(1, 2, 4, 4), torch.eye(4, dtype=torch.bool)[None, None]
    moved = told.on_input.act((1, 0), {"state": state, "mask": mask}, CONTEXT)
    assert torch.equal(moved["mask"], mask.flip(-2))
    shifts = bounded_symmetry("shifts", NAVIER_STOKES_FIELDS, (4, 4))
    shift = conditioned_symmetry(shifts).on_input.parts["mask"]
    assert torch.equal(shift.act((1.0,), mask, CONTEXT), mask.roll(1, -2))
    with pytest.raises(InputError, match="part of a cell: expected floating-point"):
        shift.act((0.5,), mask, CONTEXT)
    with pytest.raises(InputError, match="GalileanBoost does not say how a mask moves"):
        conditioned_symmetry(flow_symmetry("boosts", NAVIER_STOKES_FIELDS, (4, 4)))
    with pytest.raises(InputError, match="distinct keys"):
        conditioned_symmetry(shifts, ("state",))


def test_outputs_of_your_own():
    """A dipole of a whole cloud rotates and is not permuted."""
    both = (SymmetricGroup(5), OrthogonalGroup(3))
    dipole = ProductAction(
        both, (TrivialAction(), LinearAction(StandardRepresentation(OrthogonalGroup(3))))
    )
    symmetry = point_cloud_symmetry("permutations-o3", 5, output=dipole)
    assert symmetry.group == direct_product(*both)
    assert_equivariant(lambda x: x.pow(3).sum(1) * 0 + x.sum(1), symmetry, noise(2, 5, 3))
    adjacency = AxisPermutation((2, 3))
    graphs = graph_symmetry(4, {"x": "node", "a": adjacency}, adjacency)
    inputs = {"x": noise(2, 4, 3), "a": noise(2, 6, 4, 4)}
    assert_equivariant(lambda x, a: a * (x @ x.mT)[:, None], graphs, inputs)


def test_symmetries_need_actions():
    group = CyclicGroup(2)
    with pytest.raises(InputError, match=r"on_output: expected an object with act\(element"):
        Symmetry("s", group, TrivialAction(), lambda element, x, context: x)
    with pytest.raises(InputError, match="on_target: expected"):
        Symmetry("s", group, TrivialAction(), TrivialAction(), TrivialAction)
    listed = Symmetry("s", group, TrivialAction(), TrivialAction(), elements=[1])
    assert listed.elements == (1,)
    assert hash(listed) == hash(Symmetry("s", group, *[TrivialAction()] * 2, elements=(1,)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.complex64])
def test_flows_in_other_dtypes(dtype):
    x = noise(2, 2, 6, 6).to(dtype)
    for name in ("d4", "p4m", "translations", "boosts", "reversed-d4"):
        action = flow_symmetry(name, NAVIER_STOKES_FIELDS, (6, 6)).on_output
        group = flow_symmetry(name, NAVIER_STOKES_FIELDS, (6, 6)).group
        element = group.values(group.sample(torch.Generator().manual_seed(0), (1,)))[0]
        moved = action.act(element, x, CONTEXT.at(1))
        assert moved.dtype == dtype
        if dtype.is_complex and name != "boosts":
            parts = [
                action.act(element, part.contiguous(), CONTEXT.at(1)) for part in (x.real, x.imag)
            ]
            torch.testing.assert_close(moved, torch.complex(*parts))
        if not dtype.is_complex:
            exact = action.act(element, x.double(), CONTEXT.at(1))
            torch.testing.assert_close(moved.double(), exact, rtol=3e-2, atol=3e-2)


@pytest.mark.parametrize(
    ("action", "element", "message"),
    [
        (ShiftAction(), (0.5, 1), "two whole numbers of cells"),
        (ShiftAction(), (1, 1, 1), "two whole numbers of cells"),
        (ShiftAction(), 3, "two whole numbers of cells"),
        (FourierTranslation(), (0.5,), "two numbers of cells"),
        (FourierTranslation(), "r", "two numbers of cells"),
        (GalileanBoost(NAVIER_STOKES_FIELDS), (1.0, 2.0, 3.0), "not an element"),
        (GalileanBoost(NAVIER_STOKES_FIELDS), 1.0, "not an element"),
        (flow_symmetry("p4m", NAVIER_STOKES_FIELDS, (4, 4)).on_input, 5, r"\(shift, turn\)"),
        (PointAction(DihedralGroup(4), NAVIER_STOKES_FIELDS), (0, 9), "not an element"),
        (ImageAction(CyclicGroup(4), NAVIER_STOKES_FIELDS), 4, "not an element"),
    ],
)
def test_wrong_elements(action, element, message):
    with pytest.raises(InputError, match=message):
        action.act(element, noise(1, 2, 4, 4), CONTEXT)


def test_ambiguous_boosts():
    kinds = (Field("a", "density"), Field("b", "density"), Field("m", "momentum"))
    with pytest.raises(InputError, match="which of the 2 fields of fibre 'density'"):
        GalileanBoost(FieldLayout(kinds))
