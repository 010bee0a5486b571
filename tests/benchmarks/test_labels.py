"""What the zoo's models are *by construction*, against the networks and the data themselves."""

import pytest
import torch

from benchmarks.validity.task import Member
from benchmarks.validity.zoo import TASKS
from goldstone.actions import Context
from goldstone.auditing import Samples
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.core import trees

COUNT = 12


@pytest.fixture(scope="module", params=list(TASKS))
def task(request):
    if request.param == "digits":
        pytest.importorskip("sklearn")
    return TASKS[request.param]()


def made(task, name):
    """A network with random weights; whatever is built in holds for these too."""
    architecture = task.architectures[name]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = architecture.make()
    if architecture.fit is not None:
        architecture.fit(model, task.train("biased"))
    return model.eval()


def held_out(task, count=COUNT):
    pair = trees.take(task.held_out("biased"), torch.arange(count))
    return Samples(*pair, torch.arange(count), Context())


def by_name(task):
    return dict(zip(task.element_names(), task.elements, strict=True))


def gradients(task, model, samples):
    rows = []
    for i in range(len(samples.trajectory)):
        x, y = (trees.take(t, torch.tensor([i])) for t in (samples.inputs, samples.targets))
        found = torch.autograd.grad(
            task.loss(model(x), y).sum(), list(model.parameters()), materialize_grads=True
        )
        rows.append(torch.cat([g.flatten() for g in found]))
    return torch.stack(rows)


def test_what_is_built_in_holds_for_all_weights(task):
    samples, elements = held_out(task), by_name(task)
    for name, architecture in task.architectures.items():
        for g in architecture.built_in & elements.keys():
            model = made(task, name)
            moved = moved_samples(samples, task.symmetry, elements[g])
            with torch.no_grad():
                plain = task.loss(model(samples.inputs), samples.targets)
                other = task.loss(model(moved.inputs), moved.targets)
            torch.testing.assert_close(other, plain, rtol=1e-4, atol=1e-5)
            if not architecture.trivial:
                a, b = (gradients(task, model, s) for s in (samples, moved))
                torch.testing.assert_close(b, a, rtol=1e-2, atol=1e-4 * float(a.abs().max()))


def test_poses_that_are_apart_share_no_weight(task):
    samples, elements = held_out(task), by_name(task)
    for name, architecture in task.architectures.items():
        if not architecture.apart:
            continue
        model = made(task, name)
        a = gradients(task, model, samples)
        for g, element in elements.items():
            b = gradients(task, model, moved_samples(samples, task.symmetry, element))
            shared = bool(((a != 0) & (b != 0)).any())
            assert shared == (g not in architecture.apart), g


def moments(x):
    flat = x.flatten(1).double()
    return torch.cat([flat.mean(0), (flat.T @ flat / len(flat)).flatten()])


def test_what_is_shown_leaves_the_law_unchanged_and_nothing_else_does(task):
    """First and second moments of one half of the data against those of the other, moved."""
    count = trees.batch_size(task.held_out("biased")[0])
    samples = held_out(task, count)
    half = count // 2
    plain = moments(samples.inputs)
    noise = float((moments(samples.inputs[:half]) - moments(samples.inputs[half:])).norm())
    for g, element in by_name(task).items():
        moved = moments(moved_samples(samples, task.symmetry, element).inputs)
        # An element that leaves the law alone differs by chance; noise is of halves.
        distance = float((moved - plain).norm()) / noise
        assert (distance < 1) == (g in task.shown["biased"]), (g, distance)


@pytest.mark.parametrize(
    ("task_name", "architecture", "recipe", "holds"),
    [
        ("digits", "perceptron", "biased", set()),
        ("digits", "perceptron", "subgroup", {"r²"}),
        ("digits", "perceptron", "augmented", {"r", "r²", "r³"}),
        ("digits", "equivariant", "biased", {"r", "r²", "r³"}),
        # Half turns of what is reflected: r² sr² = s.
        ("flows", "U-Net", "subgroup", {"r²", "s", "sr²"}),
        ("points", "perceptron", "biased", {"C2[1,0,0]", "C2[0,0,1]"}),
        ("points", "perceptron", "subgroup", {"C2[1,0,0]", "C2[0,0,1]", "C4[0,0,1]", "C2[1,1,0]"}),
        ("graphs", "perceptron", "subgroup", {"(2 3)", "(2 3)(4 5 6)", "(1 6)(2 5)(3 4)"}),
        ("sequences", "strided", "biased", {"r²", "r⁴", "r⁶", "r⁸"}),
        ("sequences", "perceptron", "subgroup", {"r⁴", "r⁸"}),
    ],
)
def test_labels_by_hand(task_name, architecture, recipe, holds):
    if task_name == "digits":
        pytest.importorskip("sklearn")
    member = Member(TASKS[task_name](), architecture, recipe, 0)
    found = member.holds_by_construction()
    assert {g for g, known in found.items() if known} == holds
    assert all(known is not None for known in found.values())


def test_nothing_is_known_of_what_has_no_skill_or_chose_for_itself(task):
    names = task.element_names()
    members = [Member(task, *one) for one in task.members]
    for member in members:
        if not member.skilled:
            assert member.holds_by_construction() == dict.fromkeys(names)
        elif member.network.free_path is not None:
            assert False not in member.holds_by_construction().values()
            assert set(member.transports_by_construction().values()) == {None}
    assert len({m.name for m in members}) == len(members)
