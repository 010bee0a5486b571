"""Where the symmetry breaks: equivariance error by layer, wavenumber band and channel."""

from goldstone.auditing import AuditResult, EquivarianceErrors
from goldstone.report.equivariance_tables import (
    band_names,
    channel_names,
    equivariance_tables,
    layer_names,
)
from goldstone.report.layer_profile import FIT_BOUND, action_notes, layer_lead
from goldstone.report.lines import MOST_LINES, MOST_TICKS, chart_width, element_lines, line_plot
from goldstone.report.numbers import percentage
from goldstone.report.section import Figure, Finding
from goldstone.report.words import UNDEFINED, counted, listed, mean, measured


def equivariance_finding(result: AuditResult) -> Finding | None:
    """The error of the output in all its parts, and of every layer that was measured."""
    errors = result.probes.equivariance
    if errors is None:
        return None
    figures = (_layers(result, errors), _bands(result, errors), _channels(result, errors))
    return Finding(
        _lead(errors) + layer_lead(result, errors) + _band_lead(errors),
        tuple(figure for figure in figures if figure is not None),
        equivariance_tables(result, errors),
        _remarks(errors),
    )


def _lead(errors: EquivarianceErrors) -> str:
    if errors.average.estimate is None:
        return UNDEFINED
    worst = next((e for e in errors.elements if e.name == errors.worst), None)
    most = "" if worst is None else f", and most under {worst.name}: {measured(worst.error)}"
    return (
        f"f(g·x) and g·f(x) differ by {measured(errors.average)} of the output's size on average "
        f"over {counted(len(errors.elements), 'element')}{most}."
    )


def _band_lead(errors: EquivarianceErrors) -> str:
    bands = band_names(errors)
    shares = [
        (band, mean(e.bands[i].share.estimate for e in errors.elements if i < len(e.bands)))
        for i, band in enumerate(bands)
    ]
    known = [(band, share) for band, share in shares if share is not None]
    if len(known) < 2:
        return ""
    band, share = max(known, key=lambda entry: entry[1])
    return f" {percentage(share)} of the squared error lies at wavenumbers {band}."


def _layers(result: AuditResult, errors: EquivarianceErrors) -> Figure | None:
    names = layer_names(errors)
    if len(names) < 2:
        return None
    fitted = "fitted" in errors.layer_actions.values()
    bound = 10 * result.model.numerical_floor
    if fitted:
        bound = max(bound, FIT_BOUND)
    found = [s.estimate for e in errors.elements for s in e.layers.values() if s.estimate]
    # Where nothing is near rounding its line would only press the others together.
    near = bound > 0 and min(found, default=1.0) < 100 * bound
    lines = {e.name: [e.layers.get(layer) for layer in names] for e in errors.elements}
    panel = line_plot(
        "layer-error",
        "Equivariance error by layer",
        "layer, from input to output",
        range(1, len(names) + 1),
        element_lines(result, lines),
        unit="relative error",
        log=True,
        width=chart_width(len(names)),
        height=300 + (80 if len(names) <= MOST_TICKS else 0),
        ticks=names,
        levels={"exact as far as a fit tells" if fitted else "10 × rounding": bound}
        if near
        else {},
    )
    caption = (
        "A line per element, in the colour of its label where labels differ; each point is the "
        "error of one layer's output" + (", relative to its size." if not fitted else ".")
    ) + _many(errors)
    if len(names) > MOST_TICKS:
        caption += " Layers are numbered as in the table."
    if near:
        how = "as far as a fit can tell" if fitted else "to rounding"
        caption += (
            f" Below the dashed line a layer is exact {how}: the first that leaves it is "
            "where the symmetry breaks."
        )
    caption += action_notes(result, errors)
    return Figure((panel,), caption, kind="chart") if panel else None


def _bands(result: AuditResult, errors: EquivarianceErrors) -> Figure | None:
    names = band_names(errors)
    if len(names) < 2:
        return None
    panels = []
    for key, title, unit, log in (
        ("error", "Error of each band alone", "‖P(f(g·x) − g·f(x))‖ / ‖P g·f(x)‖", True),
        ("share", "Share of the squared error", "share", False),
    ):
        lines = {e.name: [getattr(band, key) for band in e.bands] for e in errors.elements}
        padded = {g: [*line, *[None] * (len(names) - len(line))] for g, line in lines.items()}
        panels.append(
            line_plot(
                f"band-{key}",
                title,
                "wavenumber |k|, cycles per side",
                range(1, len(names) + 1),
                element_lines(result, padded),
                unit=unit,
                log=log,
                width=400,
                ticks=names,
            )
        )
    caption = (
        "The difference of the two outputs split by wavenumber: first how wrong each band is in "
        "itself, then where the error has its energy."
    ) + _many(errors)
    drawn = tuple(panel for panel in panels if panel)
    return Figure(drawn, caption, "By wavenumber", "wide") if drawn else None


def _channels(result: AuditResult, errors: EquivarianceErrors) -> Figure | None:
    names = channel_names(result, errors)
    if len(names) < 2:
        return None
    lines = {
        e.name: [*e.channels, *[None] * (len(names) - len(e.channels))] for e in errors.elements
    }
    panel = line_plot(
        "channel-error",
        "Equivariance error by channel",
        "channel of the output",
        range(1, len(names) + 1),
        element_lines(result, lines),
        unit="relative error",
        log=True,
        width=min(chart_width(len(names)), 480) if len(names) <= 12 else chart_width(len(names)),
        ticks=names,
    )
    caption = "Each channel of the output by itself, relative to that channel's size."
    return Figure((panel,), caption + _many(errors), kind="chart") if panel else None


def _many(errors: EquivarianceErrors) -> str:
    if len(errors.elements) <= MOST_LINES:
        return ""
    return (
        f" Of {len(errors.elements)} elements the highest line and the median are drawn heavy and "
        "named."
    )


def _remarks(errors: EquivarianceErrors) -> tuple[str, ...]:
    if not errors.unmeasured:
        return ()
    count = counted(len(errors.unmeasured), "layer")
    want = "an action, declared or inferred"
    if "fitted" in errors.layer_actions.values():
        want = "an action, declared or inferred, or of samples enough to fit one"
    remark = f"Left out for want of {want}: {count}: "
    return (remark + listed((name or "the model itself" for name in errors.unmeasured), 12) + ".",)
