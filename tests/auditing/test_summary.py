"""The verdict in words says what is kept, be it subgroups or single elements."""

from dataclasses import replace

import pytest

import goldstone
from goldstone.auditing.residual import axis_verdict
from goldstone.auditing.summary import summarise_verdict
from goldstone.groups import AdditiveGroup, CyclicGroup


@pytest.fixture(scope="module")
def audited(flows, perturbed_solver, quick):
    data = flows()
    return goldstone.audit(perturbed_solver(data), data, "d1", settings=quick(metrics=()))


@pytest.mark.parametrize(
    ("group", "answers", "words"),
    [
        (CyclicGroup(4), {1: "no", 2: "yes", 3: "no"}, "along the subgroup ⟨r²⟩ of order 2 and"),
        (CyclicGroup(4), {1: "no", 2: "no", 3: "no"}, "along none of them and not along r, r²"),
        (CyclicGroup(4), {1: "yes", 2: "no"}, "along r (no subgroup) and not along"),
        (
            AdditiveGroup("boost"),
            {(1.0, 0.0): "yes", (2.0, 0.0): "no"},
            "along boost(1,0) (no subgroup) and not along boost(2,0)",
        ),
        (
            AdditiveGroup("boost"),
            {(1.0, 0.0): "yes", (0.0, 1.0): "no"},
            "along boosts ℝ² along (1,0), tested up to 1 and not along boost(0,1)",
        ),
    ],
)
def test_what_is_kept(audited, group, answers, words):
    one = audited.elements[1]
    elements = tuple(
        replace(one, name=group.element_name(g), transports=answer) for g, answer in answers.items()
    )
    text = summarise_verdict(
        audited.model,
        "test",
        audited.precheck,
        elements,
        audited.verdict.holds,
        axis_verdict(group, answers),
    )
    assert f"Learning transports {words}" in text
