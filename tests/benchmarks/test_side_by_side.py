"""Comparisons of libraries: what is compared with what, and that workers answer."""

import sys

import torch

from benchmarks.equivariant_convolution import SCRIPT, described, equal_channels, outside
from benchmarks.equivariant_convolution_table import table
from benchmarks.side_by_side import Libraries, compared


def test_ratios_are_to_plain_cases_of_the_same_process_and_to_goldstone():
    times = {
        "goldstone": {"plain": {"step": [1.0, 1.0]}, "net": {"step": [2.0, 2.0], "parameters": 3}},
        "other": {"plain": {"step": [2.0, 2.0]}, "net": {"step": [6.0, 6.0], "parameters": 4}},
    }
    found = compared(times, ["step"])
    assert found["goldstone"]["net"]["to plain"]["step"]["median"] == 2.0
    assert found["other"]["net"]["to plain"]["step"]["median"] == 3.0
    assert found["other"]["net"]["to goldstone"]["step"]["median"] == 3.0
    assert found["other"]["net"]["parameters"] == 4
    assert "to goldstone" not in found["goldstone"]["net"]


def test_the_share_outside_a_span():
    one = torch.eye(4).double()[:2]
    assert abs(outside(one, 3 * one)) < 1e-12
    assert abs(outside(one, one[:1] + one[1:]) - 0.5) < 1e-12
    assert abs(outside(one[:1] + one[1:], one)) < 1e-12


def test_a_worker_measures_a_small_network():
    row = ("plane", "C4", (4, 4), 3, (1, 1, 9, 9), None)
    with Libraries(SCRIPT, {"goldstone": sys.executable}) as libraries:
        found = equal_channels(libraries, row, 2)
        filters = libraries["goldstone"].ask("filters", "plane", "C4", 3)
        plain = libraries["goldstone"].ask("build", "p", described("plane", None, *row[2:]))
    case = found["goldstone"]["equivariant"]
    assert case["error"]["quarter turn"] < 1e-5
    assert filters["pair"] == 36
    assert len(filters["filters"]) == 9
    assert plain["parameters"] == found["goldstone"]["plain"]["parameters"]
    assert "C4" in table({"equal channels: C4": {"settings": [], **found}})
