"""The table of price tags: which steps count as reached, scaled and compared."""

from math import log1p

import pytest

from benchmarks.validity.price_cases import CASES, FITTED
from benchmarks.validity.price_page import by_model, log_error, page, rank, rows, scale

STEPS = [1, 2, 4, 8, 16, 32, 64]


def model(actual, forecast, before=3.0):
    """T_g falls from ``before`` to 0 at once after so many steps."""

    def curve(place, key):
        ratios = [before if step < place else 0.0 for step in STEPS]
        return {key: STEPS, "log_ratio": ratios, "held_pose": [0.1] * len(STEPS)}

    said = curve(forecast, "at")
    said = {k: [v[0], *v] for k, v in said.items()} | {"at": [0, *STEPS]}
    run = {"actual": curve(actual, "steps") | {"seconds": 1.0}}
    run |= {"forecast": said, "loss gradients": said}
    return {
        "trained_steps": 100,
        "elements": {"g": {"log_ratio": before, "rho": 0.5}},
        "runs": {"adamw g": run, "sgd g": run},
        "pools": {
            "element": "g",
            "actual": {"4": run["actual"]},
            "forecast": {"at": [4.0], "log_ratio": [0.2]},
        },
        "seconds": {"forecast adamw": 1.0, "forecast sgd": 1.0},
    }


def test_halves_of_the_models_are_fitted_and_confirmed():
    assert set(FITTED) < set(CASES)
    assert len(FITTED) == len(CASES) - len(FITTED)


def test_rows_are_of_what_is_broken_by_half_more_than_the_tolerance():
    name = next(iter(CASES))
    found = rows({name: model(16, 16, before=1.5 * log1p(0.5))})
    assert {r.tolerance for r in found} == {0.1, 0.25, 0.5}
    assert all(8 < r.actual <= 16 and r.reached and r.said for r in found)
    assert [r.steps["forecast"] for r in found] == pytest.approx([r.actual for r in found])


def test_what_is_not_reached_counts_as_twice_the_most_steps():
    found = rows({"a": model(1000, 8)})
    assert all(r.actual == 128 and not r.reached and r.said for r in found)
    found = rows({"a": model(8, 1000)})
    assert all(r.steps["forecast"] == 128 and r.reached and not r.said for r in found)


def test_a_forecast_that_is_always_half_is_mended_by_its_scale_and_ranks_perfectly():
    places = {"a": (8, 4), "b": (16, 8), "c": (32, 16), "d": (64, 32)}
    table = rows({name: model(*pair) for name, pair in places.items()})
    factor = scale(table, "forecast")
    assert factor == pytest.approx(2)
    error, low, high = by_model(table, log_error("forecast", factor, max))
    assert (error, low, high) == pytest.approx((0, 0, 0), abs=1e-9)
    assert by_model(table, rank("forecast"))[0] == pytest.approx(1)
    assert by_model(table, log_error("constant", scale(table, "constant"), max))[0] > 0.5


def test_the_page_says_on_which_models_it_was_confirmed():
    models = {name: model(16 + k, 16) for k, name in enumerate(CASES)}
    text = page(models)
    said = text.split("Confirmed on half of the models (")[1].split(")")[0]
    assert set(said.split("; ")) == set(CASES) - set(FITTED)
    assert "nan" not in text
