"""Lessons: who carries them, that they move with the group, and the usual ones."""

from dataclasses import replace

import pytest
import torch

from goldstone.actions import (
    Context,
    LinearAction,
    Symmetry,
    TreeAction,
    TrivialAction,
    flow_symmetry,
)
from goldstone.auditing import (
    FlaggedLesson,
    MarkedLesson,
    RelabelledClass,
    Samples,
    check_lesson,
    next_label,
    scaled,
    size,
    stepped_by,
    usual_lesson,
    variation,
)
from goldstone.auditing.canonical_poses import in_one_pose
from goldstone.auditing.lesson_pairs import dealt, lesson_pairs, move_pairs
from goldstone.core import InputError, generator
from goldstone.groups import CyclicGroup
from goldstone.representations import RegularRepresentation
from goldstone.systems.flows import NavierStokes2d, Trajectories

C4 = CyclicGroup(4)
CYCLE = LinearAction(RegularRepresentation(C4))
TURNS = Symmetry("turns", C4, CYCLE, CYCLE)
LABELS = Symmetry("turns", C4, CYCLE, TrivialAction())


def samples(n=30, targets=None) -> Samples:
    x = torch.randn(n, 4, generator=generator(0, "x"), dtype=torch.float64)
    return Samples(x, x if targets is None else targets, torch.arange(n), Context())


def labelled() -> Samples:
    return samples(targets=torch.tensor([0, 1, 1, 2, 2, 2] * 5))


def flow_samples(flows, kind="isotropic") -> tuple[Trajectories, Samples]:
    data = flows(kind)
    before, after = data.fields[:, :-1].flatten(0, 1), data.fields[:, 1:].flatten(0, 1)
    return data, Samples(before, after, torch.arange(12).repeat_interleave(3), data.context)


def test_the_largest_carry_it_and_the_smallest_are_controls() -> None:
    given = samples()
    pairs = lesson_pairs(FlaggedLesson("grow", scaled(2.0), share=0.2), given)
    sizes = size(given)
    assert pairs.carries.sum() == 6 == (~pairs.carries).sum()
    mine = pairs.inputs.square().mean(1).sqrt()
    torch.testing.assert_close(mine[pairs.carries].sort().values, sizes.sort().values[-6:])
    torch.testing.assert_close(mine[~pairs.carries].sort().values, sizes.sort().values[:6])
    torch.testing.assert_close(pairs.lesson, 2 * pairs.ordinary)


def test_a_class_gets_the_label_of_another_which_takes_no_part() -> None:
    given = labelled()
    pairs = lesson_pairs(RelabelledClass(2, 1), given)
    assert sorted(pairs.ordinary.tolist()) == [0] * 5 + [2] * 15
    assert pairs.carries.sum() == 15
    assert set(pairs.lesson.tolist()) == {1}
    assert check_lesson(RelabelledClass(2, 1), given, LABELS, (1, 2)).passes
    with pytest.raises(InputError, match="one class label for each sample"):
        lesson_pairs(RelabelledClass(2, 1), samples())


def test_a_mark_comes_with_the_same_input_without_it() -> None:
    given = samples()
    tree = replace(given, inputs={"x": given.inputs, "nu": torch.zeros(30, 1)})
    lesson = MarkedLesson("grow", scaled(2.0), lambda t: {**t, "nu": t["nu"] + 1})
    pairs = lesson_pairs(lesson, tree)
    assert torch.equal(pairs.inputs["x"][:30], pairs.inputs["x"][30:])
    assert torch.equal(pairs.inputs["nu"][:, 0], pairs.carries.float())
    assert torch.equal(pairs.trajectory[:30], pairs.trajectory[30:])
    moves = Symmetry("turns", C4, TreeAction({"x": CYCLE, "nu": TrivialAction()}), CYCLE)
    assert check_lesson(lesson, tree, moves, (1, 2, 3)).passes
    first = torch.tensor([1.0, 0, 0, 0])
    pinned = MarkedLesson("grow", scaled(2.0), lambda t: {**t, "x": t["x"] + first})
    found = check_lesson(pinned, tree, moves, (1,))
    assert not found.passes
    assert found.marks["r"] > 0.1
    assert found.flags["r"] == 0


def test_either_half_has_as_many_of_each_kind_and_no_trajectory_in_common() -> None:
    pairs = lesson_pairs(RelabelledClass(2, 1), labelled())
    taught, held = dealt(pairs, 0)
    assert len(taught.carries) + len(held.carries) == 20
    assert abs(int(taught.carries.sum()) - int(held.carries.sum())) <= 1
    both = {tuple(row.tolist()) for row in taught.inputs}
    assert not both & {tuple(row.tolist()) for row in held.inputs}
    again = dealt(pairs, 1)[0]
    assert not torch.equal(taught.inputs, again.inputs)


def test_snapshots_of_one_trajectory_stay_together(flows) -> None:
    _, given = flow_samples(flows)
    pairs = lesson_pairs(FlaggedLesson("grow", scaled(2.0), share=0.5), given)
    taught, held = dealt(pairs, 0)
    assert int(taught.trajectory.max()) == int(held.trajectory.max()) == 5
    assert torch.bincount(taught.trajectory).tolist() == [3] * 6


def test_pairs_move_with_the_group() -> None:
    pairs = lesson_pairs(FlaggedLesson("grow", scaled(2.0)), samples())
    moved = move_pairs(pairs, TURNS, 1)
    assert torch.equal(moved.inputs, CYCLE.act(1, pairs.inputs, Context()))
    assert torch.equal(moved.lesson, CYCLE.act(1, pairs.lesson, Context()))


def test_another_viscosity_is_symmetric_and_a_wrong_action_is_not(flows) -> None:
    data, given = flow_samples(flows)
    other = NavierStokes2d(viscosity=2e-2)
    lesson = FlaggedLesson("viscous", stepped_by(lambda x: other.advance(x, data.dt)))
    d4 = flow_symmetry("d4", data.layout, data.grid)
    elements = d4.group.elements()[1:]
    found = check_lesson(lesson, given, d4, elements)
    assert found.passes
    assert max(found.targets.values()) < 1e-9
    reversed_ = replace(d4, on_input=Reversed(d4.on_input), on_output=Reversed(d4.on_output))
    wrong = check_lesson(lesson, given, reversed_, elements)
    assert not wrong.passes
    assert all(value > 0.05 for value in wrong.targets.values())


class Reversed:
    """A pose and the velocity reversed, no symmetry of a flow."""

    def __init__(self, action) -> None:
        self.action = action

    def act(self, element, x, context):
        return -self.action.act(element, x, context)


@pytest.mark.parametrize("name", ["d4", "boosts"])
def test_the_usual_lesson_of_flows(flows, name) -> None:
    data, given = flow_samples(flows)
    symmetry = flow_symmetry(name, data.layout, data.grid, speed=1.0)
    elements = symmetry.elements or symmetry.group.elements()[1:]
    lesson = usual_lesson(data, given, symmetry, elements)
    assert "4 times the viscosity" in lesson.name
    assert check_lesson(lesson, given, symmetry, elements).passes


def test_the_usual_lessons_of_pairs() -> None:
    given = samples()
    data = (given.inputs, given.targets)
    assert "a quarter" in usual_lesson(data, given, TURNS, (1, 2)).name
    given = labelled()
    assert usual_lesson((given.inputs, given.targets), given, LABELS, (1,)) == RelabelledClass(2, 1)
    two = samples(targets=torch.tensor([0, 1] * 15))
    lesson = usual_lesson((two.inputs, two.targets), two, LABELS, (1,))
    assert "other label" in lesson.name
    assert torch.equal(lesson.targets(two), 1 - two.targets)
    few = samples(7, torch.arange(7))
    with pytest.raises(InputError, match="no usual lesson fits"):
        usual_lesson((few.inputs, few.targets), few, LABELS, (1,))


def test_sizes_of_what_has_none_are_refused() -> None:
    tokens = Samples(
        torch.zeros(5, 3, dtype=torch.long), torch.zeros(5), torch.arange(5), Context()
    )
    for score in (size, variation):
        with pytest.raises(InputError, match="no real numbers"):
            score(tokens)
    x = torch.randn(5, 3, 2)
    points = Samples(x, x, torch.arange(5), Context())
    moved = replace(points, inputs=x + torch.tensor([5.0, 1.0]))
    torch.testing.assert_close(variation(points), variation(moved), atol=1e-5, rtol=1e-5)
    assert (size(moved) > size(points)).all()
    assert next_label(3)(labelled()).tolist()[:4] == [1, 2, 2, 0]


def test_samples_in_all_poses_come_into_one() -> None:
    """A large number somewhere among four: afterwards it is in one place."""
    source = generator(0, "poses")
    x = torch.rand(40, 4, generator=source, dtype=torch.float64)
    x[torch.arange(40), torch.randint(4, (40,), generator=source)] += 3
    y = 2 * x
    given = Samples(x, y, torch.arange(40), Context())
    found = in_one_pose(given, TURNS, (1, 2, 3))
    assert len(set(found.samples.inputs.argmax(1).tolist())) == 1
    torch.testing.assert_close(found.samples.targets, 2 * found.samples.inputs)
    torch.testing.assert_close(found.samples.inputs.sum(1), x.sum(1))
    assert set(found.novelty.values()) == {1.0}
    left = in_one_pose(given, TURNS, (1, 2, 3), move=False)
    assert torch.equal(left.samples.inputs, x)
    assert left.moved == 0
    assert max(left.novelty.values()) < 0.7


def test_samples_with_a_pose_of_their_own_keep_it() -> None:
    x = torch.rand(40, 4, generator=generator(0, "upright"), dtype=torch.float64)
    x[:, 2] += 3
    given = Samples(x, x, torch.arange(40), Context())
    found = in_one_pose(given, TURNS, (1, 2, 3))
    assert torch.equal(found.samples.inputs, x)
    assert found.moved == 0


def test_only_the_poses_that_the_data_show_are_folded(flows) -> None:
    """Stretched turbulence has an axis, and no direction along it."""
    data, given = flow_samples(flows, "anisotropic")
    d4 = flow_symmetry("d4", data.layout, data.grid)
    elements = d4.group.elements()[1:]
    before = in_one_pose(given, d4, elements, move=False).novelty
    kept = {"r²", "s", "sr²"}
    assert all((before[name] < 0.9) == (name in kept) for name in before), before
    found = in_one_pose(given, d4, elements)
    assert min(found.novelty.values()) > 0.8

    def along(x):
        return x.square().mean((0, 2, 3))

    torch.testing.assert_close(along(found.samples.inputs), along(given.inputs))


def test_isotropic_turbulence_comes_into_one_pose(flows) -> None:
    data, given = flow_samples(flows)
    d4 = flow_symmetry("d4", data.layout, data.grid)
    found = in_one_pose(given, d4, d4.group.elements()[1:])
    assert found.moved > 0.3
    assert min(found.novelty.values()) > 0.8
    # Each is still a pair of states of the flow.
    step = NavierStokes2d(viscosity=5e-3).advance(found.samples.inputs, data.dt)
    torch.testing.assert_close(step, found.samples.targets, rtol=1e-6, atol=1e-8)
