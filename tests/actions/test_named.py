"""The ready symmetries: their laws, their tested elements, their errors."""

import pickle

import pytest
import torch

from goldstone.actions import (
    EULER_FIELDS,
    FLOW_SYMMETRIES,
    NAVIER_STOKES_FIELDS,
    Context,
    Field,
    FieldLayout,
    Symmetry,
    action_law_errors,
    axis_shifts,
    flow_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.testing import check_action_laws


@pytest.mark.parametrize("name", FLOW_SYMMETRIES)
@pytest.mark.parametrize("layout", [NAVIER_STOKES_FIELDS, EULER_FIELDS])
@pytest.mark.parametrize("pivot", ["cell", "node"])
def test_laws_on_random_fields(name, layout, pivot):
    # An odd grid: random fields have no Nyquist mode and translations by parts of a cell compose.
    symmetry = flow_symmetry(name, layout, (9, 9), pivot)
    x = torch.randn(2, layout.channels, 9, 9, dtype=torch.float64, generator=torch.manual_seed(0))
    context = Context(dt=0.1)
    for action, frame in ((symmetry.on_input, context), (symmetry.on_output, context.at(1))):
        check_action_laws(action, symmetry.group, x, frame, symmetry.elements)


@pytest.mark.parametrize("name", FLOW_SYMMETRIES)
def test_symmetries_are_values(name):
    symmetry = flow_symmetry(name.upper(), EULER_FIELDS, (8, 8), speed=0.3)
    copy = pickle.loads(pickle.dumps(symmetry))
    assert copy == symmetry == flow_symmetry(name, EULER_FIELDS, (8, 8), speed=0.3)
    assert hash(copy) == hash(symmetry)
    assert symmetry.target_action == symmetry.on_output
    assert symmetry.group.identity not in symmetry.elements
    assert len(set(symmetry.elements)) == len(symmetry.elements)


def test_tested_elements():
    assert axis_shifts((8, 4)) == ((1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (0, 2))
    assert flow_symmetry("shifts", EULER_FIELDS, (8, 4)).elements == axis_shifts((8, 4))
    boosts = flow_symmetry("boosts", EULER_FIELDS, (8, 8), speed=2.0)
    assert boosts.elements[:3] == ((0.5, 0.0), (1.0, 0.0), (2.0, 0.0))
    p4m = flow_symmetry("p4m", EULER_FIELDS, (8, 8))
    assert len(p4m.elements) == 7 + len(axis_shifts((8, 8)))


@pytest.mark.parametrize("name", ["c4", "d4", "p4m", "reversed-d4"])
def test_quarter_turns_need_a_square_grid(name):
    with pytest.raises(InputError, match=f"symmetry '{name}': .* square grid, got 8×6"):
        flow_symmetry(name, EULER_FIELDS, (8, 6))


@pytest.mark.parametrize("name", ["c2", "d1", "d2", "shifts", "translations", "boosts"])
def test_the_others_do_not(name):
    assert flow_symmetry(name, EULER_FIELDS, (8, 6)).name == name


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"unknown symmetry 'D5'; .*d4 \(quarter turns"):
        flow_symmetry("D5", EULER_FIELDS, (8, 8))


def test_boosts_need_a_velocity():
    layout = FieldLayout((Field("u", "vector"),))
    with pytest.raises(InputError, match="velocity"):
        flow_symmetry("boosts", layout, (8, 8))


def test_elements_must_lie_in_the_group():
    symmetry = flow_symmetry("c4", EULER_FIELDS, (8, 8))
    with pytest.raises(InputError, match="5 is not an element of C4"):
        Symmetry("mine", CyclicGroup(4), symmetry.on_input, symmetry.on_output, elements=(5,))


class BreaksAt:
    """C4 on grids, except that one element gives another number."""

    def __init__(self, element, value):
        self.element, self.value = element, value

    def act(self, element, x, context):
        moved = x.rot90(element, (-2, -1))
        return moved * self.value if element == self.element else moved


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_the_worst_law_error_is_found(value):
    x = torch.randn(2, 1, 4, 4)
    # r³ is named in every failing pair or is the product; NaN counts as the worst, wherever it is.
    errors = action_law_errors(BreaksAt(3, value), CyclicGroup(4), x, Context(), (1, 2, 3))
    assert errors.identity == 0.0
    assert not errors.composition <= 0.5 - 1e-6
    errors = action_law_errors(BreaksAt(0, value), CyclicGroup(4), x, Context(), (1, 2, 3))
    assert not errors.identity <= 0.5 - 1e-6


def test_long_lists_of_elements_are_paired_with_neighbours_and_inverses():
    group = CyclicGroup(20)

    class Scale:
        """x ↦ 2^k x: a law that fails only where the exponents wrap around."""

        def act(self, element, x, context):
            return x * 2.0**element

    x = torch.ones(3, dtype=torch.float64)
    # Neighbours below 10 never wrap, only inverses do: 2^k·2^(20−k) against 2^0.
    errors = action_law_errors(Scale(), group, x, Context(), tuple(range(1, 10)))
    assert errors.composition == pytest.approx(2**20 - 1)
    # Neighbours: 2^18·2^19 against 2^17.
    errors = action_law_errors(Scale(), group, x, Context(), tuple(range(1, 20)))
    assert errors.composition == pytest.approx(2**37 - 2**17)
    assert errors.worst == ("r¹⁸", "r¹⁹")
    assert action_law_errors(Scale(), group, x, Context(), ()).composition == 0.0
