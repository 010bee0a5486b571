"""From the answers of elements to subgroups and cosets."""

import pytest

from goldstone.actions import axis_shifts
from goldstone.auditing.residual import axis_verdict, subgroup_lattice
from goldstone.groups import AdditiveGroup, CyclicGroup, DihedralGroup, GridTranslations, p4m

D4 = DihedralGroup(4)


def verdict(**answers):
    """Of D4: e.g. r='no'; what is not named is *yes*."""
    names = {D4.element_name(g): g for g in D4.elements()}
    found = dict.fromkeys(D4.elements(), "yes")
    for name, answer in answers.items():
        found[names[name.replace("2", "²").replace("3", "³")]] = answer
    return axis_verdict(D4, found)


def summary(subgroups):
    return [(h.name, h.order, set(h.elements)) for h in subgroups]


def test_everything_holds():
    found = verdict()
    assert found.answer == "yes"
    everything = {"e", "r", "r²", "r³", "s", "sr", "sr²", "sr³"}
    assert summary(found.residual_low) == summary(found.residual_up) == [("D4", 8, everything)]
    assert found.broken_cosets == ()


def test_axis_reflections_remain():
    found = verdict(r="no", r3="no", sr="no", sr3="no")
    assert found.answer == "no"
    remains = [("⟨r², s⟩", 4, {"e", "r²", "s", "sr²"})]
    assert summary(found.residual_low) == summary(found.residual_up) == remains
    assert [set(coset) for coset in found.broken_cosets] == [{"r", "r³", "sr", "sr³"}]


def test_the_undetermined_widen_the_interval():
    found = verdict(r="no", r3="no", sr="undetermined", sr3="undetermined")
    assert found.answer == "no"
    assert [h.name for h in found.residual_low] == ["⟨r², s⟩"]
    assert {h.name for h in found.residual_up} == {"⟨r², s⟩", "⟨r², sr⟩"}


def test_a_failed_element_outweighs_and_an_open_one_leaves_open():
    assert verdict(sr="undetermined").answer == "undetermined"
    names = {h.name for h in verdict(sr="undetermined").residual_low}
    assert names == {"⟨r², s⟩", "⟨r⟩", "⟨sr³⟩"}
    assert [h.name for h in verdict(sr="undetermined").residual_up] == ["D4"]


def test_a_generator_alone_does_not_pass_for_its_subgroup():
    # r passes and r² fails: no subgroup that has r² is left, whatever r says.
    found = verdict(r2="no")
    assert all("r" not in h.elements for h in found.residual_low)
    assert {h.order for h in found.residual_low} == {2}
    assert len(found.residual_low) == 4


def test_nothing_known():
    found = axis_verdict(D4, dict.fromkeys(D4.elements(), "undetermined"))
    assert [h.name for h in found.residual_low] == ["1"]
    assert [h.name for h in found.residual_up] == ["D4"]
    assert found.broken_cosets == ()


@pytest.mark.parametrize("grid", [(16, 16), (16, 24), (64, 64)])
def test_shifts_of_a_strided_network(grid):
    group = GridTranslations(grid)
    answers = {t: "no" if t[0] % 4 or t[1] % 4 else "yes" for t in axis_shifts(grid)}
    found = axis_verdict(group, answers | {(0, 0): "yes"})
    (low,) = found.residual_low
    assert (low.name, low.order) == (f"4Z{grid[0]}×4Z{grid[1]}", grid[0] * grid[1] // 16)
    # On 24 points a shift by 6 is not tested, so that 6Z24 stays possible.
    more = {f"4Z{grid[0]}×6Z{grid[1]}"} if grid[1] == 24 else set()
    assert {h.name for h in found.residual_up} == {low.name} | more
    assert ("shift(1,0)",) in found.broken_cosets


def test_shifts_of_different_strides_along_the_axes():
    group = GridTranslations((16, 16))
    answers = {t: "no" if t[0] % 2 or t[1] % 8 else "yes" for t in axis_shifts((16, 16))}
    assert [h.name for h in axis_verdict(group, answers).residual_low] == ["2Z16×8Z16"]


def test_p4m_of_a_strided_network_without_quarter_turns():
    group, point = p4m(16), D4
    tested = [((0, 0), p) for p in point.elements()[1:]]
    tested += [(t, point.identity) for t in axis_shifts((16, 16))]
    kept = {(0, 0), (0, 2), (1, 0), (1, 2)}
    answers = {
        (t, p): "yes" if p in kept and t[0] % 4 == 0 and t[1] % 4 == 0 else "no" for t, p in tested
    }
    found = axis_verdict(group, answers)
    assert [h.name for h in found.residual_low] == ["(4Z16×4Z16)⋊⟨r², s⟩"]
    assert found.residual_low[0].order == 64


def test_a_lie_group_reports_one_parameter_subgroups_and_their_range():
    group = AdditiveGroup("boost", 2)
    answers = {(0.0, 0.0): "yes"}
    answers |= {(0.5, 0.0): "yes", (1.0, 0.0): "yes", (0.0, 0.5): "yes", (0.0, 1.0): "no"}
    answers |= {(0.5, 0.5): "undetermined"}
    found = axis_verdict(group, answers)
    assert [(h.order, h.elements) for h in found.residual_low] == [
        (None, ("boost(0.5,0)", "boost(1,0)"))
    ]
    assert "up to 1" in found.residual_low[0].name
    assert len(found.residual_up) == 2
    assert found.broken_cosets == ()


def test_opposite_directions_are_one_subgroup():
    group = AdditiveGroup("boost", 2)
    found = axis_verdict(group, {(1.0, 0.0): "yes", (-1.0, 0.0): "no", (0.0, -2.0): "yes"})
    assert [h.elements for h in found.residual_low] == [("boost(0,-2)",)]
    assert found.residual_low == found.residual_up


def test_the_lattice_lists_small_groups_alone():
    assert len(subgroup_lattice(D4)) == 10
    assert {h.name: len(h.elements) for h in subgroup_lattice(CyclicGroup(4))} == {
        "1": 1,
        "⟨r²⟩": 2,
        "C4": 4,
    }
    assert subgroup_lattice(GridTranslations((16, 16))) == ()
    assert subgroup_lattice(AdditiveGroup("boost", 2)) == ()
