"""The tables behind the equivariance errors: by layer, wavenumber band and channel."""

from collections.abc import Callable, Sequence

from goldstone.actions import FieldLayout
from goldstone.auditing import AuditResult, ElementError, EquivarianceErrors
from goldstone.core import Statistic
from goldstone.report.section import Cell, Table
from goldstone.report.words import largest, mean

MOST_COLUMNS = 8
_UNIT = "‖f(g·x) − g·f(x)‖ / ‖f(x)‖"
_Row = Callable[[ElementError], Sequence[Statistic]]


def equivariance_tables(result: AuditResult, errors: EquivarianceErrors) -> tuple[Table, ...]:
    """Those that have rows."""
    fitted = "fitted" in errors.layer_actions.values()
    tables = (
        _table(
            f"Equivariance error of each layer's output, {_UNIT} of that output"
            + (", of fitted ones relative to their variation" if fitted else ""),
            "layer",
            tuple(
                (f"{i}. {layer or 'the model itself'}", errors.layer_actions.get(layer, "–"))
                for i, layer in enumerate(layer_names(errors), start=1)
            ),
            errors,
            lambda e: [e.layers.get(layer, Statistic(None)) for layer in layer_names(errors)],
        ),
        _table(
            "By wavenumber band, |k| in cycles per side: the error of the band alone",
            "band",
            tuple((band,) for band in band_names(errors)),
            errors,
            lambda e: [band.error for band in e.bands],
        ),
        _table(
            "By channel of the output",
            "channel",
            tuple((name,) for name in channel_names(result, errors)),
            errors,
            lambda e: e.channels,
        ),
    )
    return tuple(table for table in tables if table.rows)


def layer_names(errors: EquivarianceErrors) -> list[str]:
    """The layers that were measured, in the model's order."""
    return list(dict.fromkeys(layer for e in errors.elements for layer in e.layers))


def band_names(errors: EquivarianceErrors) -> list[str]:
    """The wavenumber bands, by their ends."""
    bands = max((e.bands for e in errors.elements), key=len, default=())
    return [f"{band.low:g} – {band.high:g}" for band in bands]


def channel_names(result: AuditResult, errors: EquivarianceErrors) -> list[str]:
    """The channels of the output, by name if a layout declares them."""
    count = max((len(e.channels) for e in errors.elements), default=0)
    if result.symmetry.layout:
        layout = FieldLayout.from_json(result.symmetry.layout)
        if layout.channels == count:
            return list(layout.channel_names())
    return [str(i) for i in range(count)]


def _table(
    caption: str,
    noun: str,
    names: tuple[tuple[str, ...], ...],
    errors: EquivarianceErrors,
    rows_of: _Row,
) -> Table:
    """A column for each element, or for many elements the mean and the largest."""
    extra = ("action",) if names and len(names[0]) > 1 else ()
    by_element = [(e.name, rows_of(e)) for e in errors.elements]
    rows: list[tuple[Cell, ...]] = []
    for i, name in enumerate(names):
        found = [(g, column[i]) for g, column in by_element if i < len(column)]
        if len(errors.elements) <= MOST_COLUMNS:
            rows.append((*name, *(statistic for _, statistic in found)))
        else:
            top = largest(found)
            average = mean(statistic.estimate for _, statistic in found)
            rows.append((*name, average, *((top[1], top[0]) if top else (None, "–"))))
    few = len(errors.elements) <= MOST_COLUMNS
    columns = tuple(e.name for e in errors.elements) if few else ("mean", "largest", "at")
    words = (1,) if extra else ()
    return Table(
        caption,
        (noun, *extra, *columns),
        tuple(rows),
        words if few else (*words, len(extra) + 3),
    )
