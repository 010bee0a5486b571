"""Is the data symmetric? Two-sample tests of data against moved data."""

from goldstone.auditing import AuditResult, DataSymmetry
from goldstone.core import Statistic
from goldstone.report.dots import Dot, DotPlot, dot, dot_plot
from goldstone.report.marks import BLUE, VERMILLION
from goldstone.report.numbers import number, probability
from goldstone.report.section import Figure, Finding, Table

_TESTS = {"mmd": "maximum mean discrepancy", "classifier": "a classifier's accuracy"}


def data_symmetry_finding(result: AuditResult) -> Finding | None:
    """The statement of the tests, each statistic beside what chance gives, the p-values."""
    found = result.probes.data_symmetry
    if found is None:
        return None
    panel = _panel(found)
    caption = (
        "The test statistic of data against moved data. The upright bar is the 95 % point of what "
        "chance gives when the two have one distribution: a mark beyond it is explicit breaking "
        "if it also survives Holm's correction over the elements. Asymmetric data explain an "
        "asymmetric model; symmetric data do not."
    )
    figure = Figure(
        (panel,), caption, kind="wide", series=("no asymmetry seen", "data not symmetric")
    )
    return Finding(found.statement, (figure,) if panel else (), (_table(found),))


def _panel(found: DataSymmetry) -> str:
    dots: list[Dot] = []
    for place, element in enumerate(found.elements):
        broken = element.answer == "broken"
        style, colour = ("series 1", VERMILLION) if broken else ("series 0", BLUE)
        dots += dot(place, Statistic(element.test.statistic), style, colour)
        dots += dot(place, Statistic(element.test.null_quantile), "mark")
    plot = DotPlot(
        "Data against moved data",
        _TESTS[found.test],
        tuple(e.name for e in found.elements),
        tuple(dots),
        {"0": 0.0} if found.test == "mmd" else {},
        width=400,
        longest=18,
    )
    return dot_plot("data-symmetry", plot)


def _table(found: DataSymmetry) -> Table:
    power = (
        "no planted shift of the features up to 4 standard deviations was found"
        if found.detectable_shift is None
        else f"planted shifts of {number(found.detectable_shift, 2)} standard deviations are found"
    )
    return Table(
        f"Tests on {found.trajectories} independent samples, half of them moved; level "
        f"{found.level:g} for the family; {power}",
        ("g", "statistic", "95 % of chance", "p", "p, Holm", "answer"),
        tuple(
            (
                e.name,
                e.test.statistic,
                e.test.null_quantile,
                probability(e.test.p),
                probability(e.adjusted_p),
                e.answer,
            )
            for e in found.elements
        ),
        (5,),
    )
