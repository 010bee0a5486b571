"""What is drawn: numbers in words, vorticity, colour scales, the lattice."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS, Field, FieldLayout
from goldstone.auditing import AuditResult
from goldstone.report.lattice import lattice
from goldstone.report.numbers import number, percentage, probability, seconds
from goldstone.report.pictures import ColourScale, difference_scale, field_scale
from goldstone.report.quantities import quantities, vorticity


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0"),
        (2.0, "2.00"),
        (-1.527, "−1.53"),
        (0.02131, "0.0213"),
        (0.9996, "1.00"),
        (1234.5, "1234"),
        (4.1e-7, "4.10×10⁻⁷"),
        (9.996e-5, "1.00×10⁻⁴"),
        (-123456.0, "−1.23×10⁵"),
    ],
)
def test_numbers_read_as_written_by_hand(value: float | None, text: str) -> None:
    assert number(value) == text


def test_shares_probabilities_and_times() -> None:
    assert [percentage(p) for p in (1.0, 0.998, 0.97, None)] == ["100 %", "> 99 %", "97 %", "–"]
    assert [probability(p) for p in (0.0, 0.0005, 0.412)] == ["< 0.0001", "0.0005", "0.41"]
    assert [seconds(t) for t in (0.42, 12.3, 200.2)] == ["0.4 s", "12 s", "3 min 20 s"]


def swirl(size: int) -> np.ndarray:
    """u = −sin y, v = sin x, whose vorticity is cos x + cos y."""
    x, y = np.meshgrid(*2 * (np.arange(size) * 2 * np.pi / size,), indexing="ij")
    return np.stack([-np.sin(y), np.sin(x)])


def test_vorticity_is_the_closed_form_curl() -> None:
    size = 256
    x, y = np.meshgrid(*2 * (np.arange(size) * 2 * np.pi / size,), indexing="ij")
    expected = (np.cos(x) + np.cos(y)) * 2 * np.pi / size
    found = vorticity(swirl(size), Field("velocity", "velocity"))
    assert np.abs(found - expected).max() < 2e-4 * np.abs(expected).max()


def test_vorticity_respects_the_declared_axes() -> None:
    plain = swirl(32)
    declared = Field("velocity", "velocity", axes=(1, 0), signs=(1, -1))
    # Component 0 points along axis 1, component 1 against axis 0.
    stored = np.stack([plain[1], -plain[0]])
    assert np.allclose(vorticity(stored, declared), vorticity(plain, Field("v", "velocity")))


def test_the_quantities_of_each_layout() -> None:
    def titles(layout: FieldLayout | None) -> list[str]:
        return [quantity.title for quantity in quantities(layout)]

    assert titles(NAVIER_STOKES_FIELDS) == ["vorticity of velocity"]
    assert titles(EULER_FIELDS) == ["density", "vorticity of momentum / density"]
    assert titles(FieldLayout((Field("height", "scalar"),))) == ["height"]
    assert titles(None) == ["first channel"]


def test_vorticity_of_momentum_divides_by_density() -> None:
    density = np.full((1, 16, 16), 2.0)
    state = np.concatenate([density, 2.0 * swirl(16), density])
    expected = vorticity(swirl(16), Field("velocity", "velocity"))
    assert np.allclose(quantities(EULER_FIELDS)[1](state), expected)


def decoded(source: str) -> np.ndarray:
    image = pytest.importorskip("PIL.Image")
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    return np.asarray(image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_pictures_draw_x_to_the_right_and_y_upwards() -> None:
    values = np.zeros((6, 4))
    values[5, 0] = 1.0  # largest x, smallest y: the lower right corner
    picture = decoded(ColourScale(0.0, 1.0, "viridis").picture(values))
    assert picture.shape == (4, 6, 3)
    different = np.argwhere((picture != picture[0, 0]).any(-1))
    assert different.tolist() == [[3, 5]]


def test_undefined_values_are_grey_and_large_grids_thinned() -> None:
    values = np.zeros((400, 400))
    values[0, 0] = np.nan
    picture = decoded(ColourScale(-1.0, 1.0, "RdBu_r").picture(values))
    assert picture.shape == (134, 134, 3)
    assert picture[-1, 0].tolist() == [128, 128, 128]


def test_colour_scales() -> None:
    fields = [np.linspace(-3, 1, 1001)]
    signed = field_scale(fields, signed=True)
    assert signed.low == -signed.high
    assert 2.9 < signed.high <= 3
    plain = field_scale(fields, signed=False)
    assert -3 <= plain.low < -2.9
    # Rounding noise must not fill the scale of differences.
    assert difference_scale([1e-7 * fields[0]], signed).high == pytest.approx(0.01 * signed.high)
    assert difference_scale([0.5 * fields[0]], signed).high > 1.4
    assert field_scale([np.full((3, 3), np.nan)], signed=True).high == 1.0


def test_the_lattice_of_d4(complete: AuditResult) -> None:
    drawn = lattice(complete)
    assert drawn is not None
    assert [level.order for level in drawn.levels] == [8, 4, 2, 1]
    # The Hasse diagram of D4: 3 + 7 + 5 covers.
    assert len(drawn.edges) == 15
    residual = [node for node in drawn.nodes if node.residual_holds]
    assert [set(node.elements) for node in residual] == [{"e", "r²", "s", "sr²"}]
    assert {node.holds for node in drawn.nodes if "r" in node.elements} == {"no"}
    places = {(node.x, node.y) for node in drawn.nodes}
    assert len(places) == len(drawn.nodes) == 10
    assert all(0 < node.x < drawn.width and 0 < node.y < drawn.height for node in drawn.nodes)


def test_subgroups_with_untested_elements_are_undetermined(complete: AuditResult) -> None:
    kept = tuple(e for e in complete.elements if e.name != "sr")
    drawn = lattice(replace(complete, elements=kept))
    assert drawn is not None
    answers = {node.elements: node.holds for node in drawn.nodes}
    assert answers[("e", "sr")] == "undetermined"
    assert answers[("e", "s")] == "yes"


def test_large_lattices_are_not_drawn(complete: AuditResult) -> None:
    many = complete.verdict.subgroups * 7
    assert lattice(replace(complete, verdict=replace(complete.verdict, subgroups=many))) is None
