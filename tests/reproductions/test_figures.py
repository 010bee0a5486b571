from xml.etree import ElementTree

import pytest

from goldstone.report.lines import Line, line_plot
from goldstone.reproductions import side_by_side


def test_panels_stand_alone_side_by_side():
    pytest.importorskip("matplotlib")
    panels = [
        line_plot(f"k{k}", "Title", "x", (1, 2), [Line("a", (0.0, 1.0), "#000000")])
        for k in range(3)
    ]
    root = ElementTree.fromstring(side_by_side(panels, columns=2))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    inner = root.findall("{http://www.w3.org/2000/svg}svg")
    assert [float(panel.get("x")) > 20 for panel in inner] == [False, True, False]
    for panel in inner:
        right = float(panel.get("x")) + float(panel.get("width"))
        below = float(panel.get("y")) + float(panel.get("height"))
        assert right <= float(root.get("width"))
        assert below <= float(root.get("height"))
    identifiers = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(identifiers) == len(set(identifiers))


def test_nothing_measured_draws_nothing():
    assert side_by_side(["", ""]) == ""
