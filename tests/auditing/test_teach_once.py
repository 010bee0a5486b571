"""The teach-it-once assay against models whose transfer is known without training."""

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import Context, LinearAction, Symmetry
from goldstone.auditing import (
    AuditSettings,
    FlaggedLesson,
    MarkedLesson,
    Samples,
    Subject,
    TaughtOnce,
    Teaching,
    audit,
    scaled,
    teach_once,
)
from goldstone.auditing.further_training import FineTuning
from goldstone.auditing.probe_choice import ProbeQuestion, choose_probes
from goldstone.core import InputError, from_json, generator, to_json
from goldstone.groups import CyclicGroup
from goldstone.representations import RegularRepresentation
from goldstone.systems.losses import mse

C4 = CyclicGroup(4)
CYCLE = LinearAction(RegularRepresentation(C4))
TURNS = Symmetry("turns", C4, CYCLE, CYCLE)
SETTINGS = AuditSettings(metrics=("euclidean",), bootstrap=300)
LOUDER = FlaggedLesson("large inputs grow by a half", scaled(1.5))
QUICK = Teaching(FineTuning(steps=60, batch=16, optimiser="sgd", learning_rate=0.05))


def posed(n=48, seed=0) -> Tensor:
    """Positive, of many sizes, the largest number first: all in one pose."""
    source = generator(seed, "posed")
    x = torch.rand(n, 4, generator=source, dtype=torch.float64)
    x = x / 2
    x[:, 0] += 1
    return x * (0.3 + 1.7 * torch.rand(n, 1, generator=source, dtype=torch.float64))


def subject(model, x=None, y=None) -> Subject:
    x = posed() if x is None else x
    samples = Samples(x, x if y is None else y, torch.arange(len(x)), Context())
    return Subject.measure(model, samples, mse, SETTINGS)


class Gained(nn.Module):
    """x ↦ (1 + Σ_k θ_k h(x) + φ_pose h(x)) x, h a soft step in the size of x.

    ``shared`` weights θ serve all poses, ``own`` weights φ one each; a pose is where the largest
    number is. Both see the same gradient.
    """

    def __init__(self, shared: bool = True, own: bool = True) -> None:
        super().__init__()
        zero = torch.zeros((), dtype=torch.float64)
        self.shared = nn.Parameter(zero.clone()) if shared else None
        self.own = nn.Parameter(torch.zeros(4, dtype=torch.float64)) if own else None

    def forward(self, x: Tensor) -> Tensor:
        size = x.square().mean(1, keepdim=True).sqrt()
        step = (8 * (size - 1)).sigmoid()
        gain = torch.zeros_like(step)
        if self.shared is not None:
            gain = gain + self.shared * step
        if self.own is not None:
            gain = gain + self.own[x.argmax(1)][:, None] * step
        return (1 + gain) * x


class Convolution(nn.Module):
    """Equivariant for all weights: circular convolutions, a gate of the size. At first x ↦ x."""

    def __init__(self, seed=0) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.randn(3, 4, generator=generator(seed, "a")).double() / 2)
        self.b = nn.Parameter(torch.zeros(3, 4).double())
        self.gate = nn.Parameter(torch.tensor([1.0, 0.0]).double())

    def forward(self, x: Tensor) -> Tensor:
        turned = torch.stack([x.roll(k, 1) for k in range(4)])
        hidden = torch.einsum("ck,kbn->cbn", self.a, turned).tanh()
        turned = torch.stack([hidden.roll(k, 2) for k in range(4)])
        out = torch.einsum("ck,kcbn->bn", self.b, turned)
        return x + out * (self.gate[0] * x.square().mean(1, keepdim=True) + self.gate[1])


def percents(found: TaughtOnce, kind: str = "transfer"):
    return [
        getattr(element, kind)
        for budget in found.budgets
        for name, element in budget.elements.items()
        if name != "e"
    ]


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
def test_equivariant_for_all_weights_is_exactly_100(optimiser) -> None:
    rate = 0.05 if optimiser == "sgd" else 0.02
    tuning = replace(QUICK.tuning, optimiser=optimiser, learning_rate=rate, weight_decay=0.1)
    found = teach_once(subject(Convolution()), TURNS, (1, 2, 3), LOUDER, Teaching(tuning))
    assert [budget.share for budget in found.budgets] == [0.25, 0.5, 0.9]
    assert all(budget.learned for budget in found.budgets)
    for statistic in (*percents(found), *percents(found, "loss_transfer")):
        assert statistic.estimate == pytest.approx(100, abs=1e-9)
        assert statistic.low == pytest.approx(100, abs=1e-9)
        assert statistic.high == pytest.approx(100, abs=1e-9)


def test_experts_without_common_weights_are_exactly_0() -> None:
    found = teach_once(subject(Gained(shared=False)), TURNS, (1, 2, 3), LOUDER, QUICK)
    assert all(budget.learned for budget in found.budgets)
    for statistic in (*percents(found), *percents(found, "loss_transfer")):
        assert (statistic.estimate, statistic.low, statistic.high) == (0, 0, 0)


def test_half_of_it_in_common_weights_is_50_at_every_budget() -> None:
    """The loss itself saturates, and so its gain is more than a half at the end."""
    found = teach_once(subject(Gained()), TURNS, (1, 2, 3), LOUDER, QUICK)
    for statistic in percents(found):
        assert statistic.estimate == pytest.approx(50)
        assert statistic.low == pytest.approx(50)
    first, *_, last = percents(found, "loss_transfer")
    assert 50 < first.estimate < 60 < last.estimate


class Leaking(nn.Module):
    """In the taught pose it can tell who carries the lesson; in the others all grow alike."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        size = x.square().mean(1, keepdim=True).sqrt()
        known = (8 * (size - 1)).sigmoid()
        taught = (x.argmax(1) == 0)[:, None]
        return x * (1 + self.weight * torch.where(taught, known, 0.5))


def test_what_leaks_into_all_samples_alike_is_no_transfer_of_the_lesson() -> None:
    # Of one size in either kind, so that a common gain moves both as far.
    x = nn.functional.normalize(posed(), dim=1)
    x = x * torch.where(torch.arange(48) % 2 == 0, 1.0, 1.7)[:, None].double()
    relative = Subject.measure(
        Leaking(),
        Samples(x, x, torch.arange(48), Context()),
        lambda p, t: (p - t).square().sum(1) / p.detach().square().sum(1),
        SETTINGS,
    )
    lesson = replace(LOUDER, share=0.5)
    teaching = replace(QUICK, tuning=replace(QUICK.tuning, learning_rate=0.2))
    found = teach_once(relative, TURNS, (1, 2, 3), lesson, teaching)
    for statistic in percents(found):
        assert abs(statistic.estimate) < 1e-9
    assert all(statistic.estimate > 20 for statistic in percents(found, "loss_transfer"))


def test_a_wrong_action_is_refused_or_found_out() -> None:
    """f(gx) = g f(x), where −g f(x) is claimed: the lesson moves the outputs the other way."""
    wrong = Symmetry("wrong", C4, CYCLE, Negated())
    given = subject(Convolution())
    with pytest.raises(InputError, match=r"is not symmetric: under r.* its targets"):
        teach_once(given, wrong, (1,), FlaggedLesson("grow", lambda s: 1.5 * s.inputs), QUICK)
    found = teach_once(
        given, wrong, (1,), FlaggedLesson("grow", lambda s: 1.5 * s.inputs), QUICK, force=True
    )
    assert not found.check.passes
    for statistic in percents(found):
        assert statistic.estimate == pytest.approx(-100)


class Negated:
    def act(self, element, x, context):
        return CYCLE.act(element, x, context) * (1 if element == 0 else -1)


def test_a_flag_that_is_another_in_another_pose_is_refused() -> None:
    first = FlaggedLesson("a large first number", scaled(1.5), lambda s: s.inputs[:, 0])
    with pytest.raises(InputError, match="who carries it changes"):
        teach_once(subject(Convolution()), TURNS, (1,), first, QUICK)


def test_a_lesson_that_nothing_tells_is_not_learned() -> None:
    """Flags at random: the contrast is zero in every pose, and no transfer is given."""
    x = posed(96)
    noise = torch.rand(96, generator=generator(1, "noise"))
    found = teach_once(
        subject(Convolution(), x),
        TURNS,
        (1, 2),
        FlaggedLesson("chance", scaled(1.5), lambda s: noise),
    )
    for budget in found.budgets:
        if not budget.learned:
            assert all(e.transfer.estimate is None for e in budget.elements.values())
    last = found.budgets[-1].elements
    assert all(e.contrast.low < 0 < e.contrast.high for e in last.values())
    assert "did not learn" in found.statement


class Flagged(nn.Module):
    """x and a spare input, which the data leave at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, x: Tensor, spare: Tensor) -> Tensor:
        shared, own = self.weight
        return x * (1 + spare * (shared + own * (x.argmax(1) == 0)[:, None]))


def test_a_mark_in_a_spare_input() -> None:
    from goldstone.actions import TreeAction, TrivialAction

    x = posed()
    inputs = (x, torch.zeros(48, 1, dtype=torch.float64))
    symmetry = Symmetry("turns", C4, TreeAction((CYCLE, TrivialAction())), CYCLE)
    samples = Samples(inputs, x, torch.arange(48), Context())
    given = Subject.measure(Flagged(), samples, mse, SETTINGS)
    lesson = MarkedLesson("grow", scaled(1.5), lambda t: (t[0], torch.ones_like(t[1])))
    found = teach_once(given, symmetry, (1, 2, 3), lesson, QUICK)
    assert found.taught == found.held_out == 48
    for statistic in percents(found):
        assert statistic.estimate == pytest.approx(50)
    kept = [e.kept.estimate for b in found.budgets for e in b.elements.values()]
    assert kept == [0.0] * len(kept)


def test_one_step_is_the_one_it_says() -> None:
    """Against a literal loop: the drawn batch, one step of SGD, the losses by hand."""
    given = subject(Gained())
    tuning = replace(QUICK.tuning, steps=1, learning_rate=0.3, momentum=0.0)
    found = teach_once(given, TURNS, (1,), LOUDER, Teaching(tuning, shares=(1.0,), at_steps=(1,)))
    (share, step) = found.budgets
    assert (share.share, share.steps, share.reached) == (1.0, 1, 1.0)
    assert (step.share, step.steps) == (None, 1)
    assert share.elements == step.elements
    curve = found.curve
    assert curve.steps == (0, 1)
    assert found.achievable == pytest.approx(curve.lesson[0] - curve.lesson[1])
    element = share.elements["e"]
    assert element.lesson.estimate == pytest.approx(found.achievable)
    assert element.contrast.estimate == pytest.approx(curve.contrast[1])
    assert element.kept.estimate == pytest.approx(curve.kept[0] - curve.kept[1])
    assert found.still_learning


def test_the_same_seed_gives_the_same_whatever_the_chunks(untouched_model) -> None:
    model = Convolution()
    with untouched_model(model):
        first = teach_once(subject(model), TURNS, (1,), LOUDER, QUICK)
    torch.rand(3)
    again = subject(model)
    again = replace(again, settings=replace(SETTINGS, batch=5))
    second = teach_once(again, TURNS, (1,), LOUDER, QUICK)
    assert first.curve.steps == second.curve.steps
    assert first.curve.lesson == pytest.approx(second.curve.lesson, rel=1e-12)
    other = replace(QUICK, tuning=replace(QUICK.tuning, seed=1))
    assert teach_once(subject(model), TURNS, (1,), LOUDER, other) != first


@pytest.fixture
def untouched_model():
    from contextlib import contextmanager

    @contextmanager
    def check(model):
        values = {k: v.clone() for k, v in model.state_dict().items()}
        random = torch.get_rng_state()
        yield
        assert all(torch.equal(v, values[k]) for k, v in model.state_dict().items())
        assert all(p.grad is None for p in model.parameters())
        assert torch.equal(random, torch.get_rng_state())

    return check


def test_it_goes_on_from_the_optimiser_of_the_training() -> None:
    model = Gained()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    x = posed()
    for _ in range(5):
        optimiser.zero_grad()
        mse(model(x), 0.5 * x).mean().backward()
        optimiser.step()
    optimiser.zero_grad()
    state = optimiser.state_dict()
    kept = str(state)
    teaching = Teaching(FineTuning(steps=1, learning_rate=0.01), shares=(), at_steps=(1,))
    onward = teach_once(subject(model), TURNS, (1,), LOUDER, teaching, optimiser=state)
    anew = teach_once(subject(model), TURNS, (1,), LOUDER, teaching)
    assert onward.curve.lesson[0] == anew.curve.lesson[0]
    assert onward.curve.lesson[1] != anew.curve.lesson[1]
    assert str(state) == kept
    assert "own" in onward.optimiser


def test_the_audit_runs_it_by_name() -> None:
    x = posed(80)
    settings = AuditSettings(trajectories=60, bootstrap=300, probes=("teach-once",))
    symmetry = replace(TURNS, elements=(1, 2))
    result = audit(Convolution(), (x, 0.99 * x), symmetry, loss=mse, settings=settings)
    found = result.probes.teach_once
    assert "a quarter" in found.lesson
    assert found.taught + found.held_out == 40
    for statistic in percents(found):
        assert statistic.estimate == pytest.approx(100)
    assert "teach-once" in result.provenance.seconds
    onward = {"state": {}, "param_groups": []}
    left = audit(
        Convolution(), (x, 0.99 * x), symmetry, loss=mse, settings=settings, optimiser=onward
    ).probes.left_out
    assert "no state yet" in left["teach-once"]


def test_all_leaves_it_out_where_it_would_take_long() -> None:
    class Wide(Convolution):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 0 * (self.a.sum() * torch.ones(500_000)).exp().mean()

    x = posed(80)
    given = Samples(x, 0.99 * x, torch.arange(80), Context())
    for model, left in ((Wide(), True), (Convolution(), False)):
        asked = ProbeQuestion(model, (x, 0.99 * x), given, TURNS, (1,), "")
        chosen, why = choose_probes(AuditSettings(probes=("all",)), asked)
        assert ("teach-once" in chosen) != left
        assert ("ask for it by name" in why.get("teach-once", "")) == left
        assert choose_probes(AuditSettings(probes=("teach-once",)), asked)[0] == ("teach-once",)


def test_it_survives_a_file() -> None:
    found = teach_once(subject(Gained()), TURNS, (1, 2), LOUDER, QUICK)
    text = json.dumps(to_json(found), allow_nan=False)
    assert from_json(TaughtOnce, json.loads(text)) == found


def test_bad_input_is_refused() -> None:
    given = subject(Gained())
    with pytest.raises(InputError, match="teaches nothing"):
        teach_once(given, TURNS, (1,), FlaggedLesson("nothing", scaled(1.0)), QUICK)
    with pytest.raises(InputError, match="4 trajectories or more"):
        teach_once(given, TURNS, (1,), replace(LOUDER, share=0.05), QUICK)
    with pytest.raises(InputError, match="one group element or more"):
        teach_once(given, TURNS, (), LOUDER, QUICK)
    with pytest.raises(InputError, match="share: expected"):
        FlaggedLesson("all", scaled(2.0), share=0.6)
    with pytest.raises(InputError, match="batch of 2"):
        Teaching(FineTuning(batch=1))
    with pytest.raises(InputError, match="shares above 0"):
        Teaching(shares=(0.0,))
    with pytest.raises(InputError, match="at_steps from 1 to 300"):
        Teaching(at_steps=(301,))
    wild = replace(QUICK.tuning, learning_rate=1e12)
    with pytest.raises(InputError, match="lower the learning rate"):
        teach_once(given, TURNS, (1,), LOUDER, Teaching(wild))
