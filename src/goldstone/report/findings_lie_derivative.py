"""The Lie derivative: along which direction of the algebra, and by which layers."""

from collections.abc import Sequence

from goldstone.auditing import AuditResult, DirectionError, LieDerivative, LieDerivativeByLayer
from goldstone.report.dots import DotPlot, dot_plot, series_dots
from goldstone.report.numbers import number, percentage
from goldstone.report.section import Figure, Finding, Table
from goldstone.report.waterfall import waterfall
from goldstone.report.words import UNDEFINED, counted, layer_title, measured

MOST_DIRECTIONS = 4


def lie_derivative_finding(result: AuditResult) -> Finding | None:
    """End to end and by layer, whichever was measured."""
    whole, by_layer = result.probes.lie_derivative, result.probes.lie_derivative_by_layer
    if whole is None and not by_layer:
        return None
    lead = " ".join(sentence for sentence in (_lead(whole), _layer_lead(by_layer)) if sentence)
    lead = lead or UNDEFINED
    figures = (*_directions(whole), *_layers(by_layer))
    return Finding(lead, figures, (*_tables(whole), *_layer_tables(by_layer)), _remarks(by_layer))


def _name(coordinates: Sequence[float]) -> str:
    """Coordinates in the basis of the algebra: X₂ for a basis vector, else all of them."""
    ones = [i for i, value in enumerate(coordinates) if value]
    if len(ones) == 1 and coordinates[ones[0]] == 1:
        return "X" + str(ones[0] + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    return "(" + ", ".join(f"{value:g}" for value in coordinates) + ")"


def _worst(directions: Sequence[DirectionError]) -> DirectionError | None:
    known = [d for d in directions if d.relative_to_motion.estimate is not None]
    return max(known, key=lambda d: d.relative_to_motion.estimate or 0.0, default=None)


def _output_moves(whole: LieDerivative) -> bool:
    """Whether the output moves too: else the error is the whole motion, by definition."""
    found = [d.relative_to_motion.estimate for d in whole.directions]
    return any(value is not None and abs(value - 1) > 1e-6 for value in found)


def _lead(whole: LieDerivative | None) -> str:
    worst = _worst(whole.directions) if whole is not None else None
    if whole is None or worst is None:
        return ""
    among = (
        ""
        if len(whole.directions) == 1
        else f"of {len(whole.directions)} directions of the Lie algebra the worst is "
        f"{_name(worst.coordinates)}: "
    )
    if not _output_moves(whole):
        most = max(whole.directions, key=lambda d: d.relative.estimate or 0.0)
        return (
            f"The symmetry leaves the output where it is, so all that the motion does to it is "
            f"error: per unit of {_name(most.coordinates)} the output changes by "
            f"{measured(most.relative)} of its size, a squared error of {measured(most.error)} for "
            "each number of the output."
        )
    text = (
        f"{among}for an infinitesimal motion the model misses equivariance by "
        f"{measured(worst.relative_to_motion)} of the motion itself (0 is equivariant; √2 the most "
        f"there can be), a squared error of {measured(worst.error)} for each number of the output."
    )
    return text[0].upper() + text[1:]


def _layer_lead(found: Sequence[LieDerivativeByLayer]) -> str:
    known = [entry for entry in found if entry.error.estimate]
    if not known:
        return ""
    entry = max(known, key=lambda one: one.error.estimate or 0.0)
    parts = _parts(entry)
    if not parts:
        return ""
    total = entry.error.estimate or 0.0
    layer, most = max(parts, key=lambda part: part[1])
    against = [value for _, value in parts if value < 0]
    along = f" along {_name(entry.direction)}" if len(found) > 1 else ""
    share = percentage(most / total)
    text = f"Of that{along}, {layer_title(layer)} adds most: {number(most)}, {share} of the total"
    if against:
        text += (
            f"; {counted(len(against), 'layer takes', 'layers take')} {number(-sum(against))} away"
        )
    return text + "."


def _parts(entry: LieDerivativeByLayer) -> list[tuple[str, float]]:
    return [
        (layer.name or "the model itself", layer.contribution.estimate)
        for layer in entry.layers
        if layer.contribution.estimate is not None
    ]


def _directions(whole: LieDerivative | None) -> tuple[Figure, ...]:
    if whole is None or len(whole.directions) < 2:
        return ()
    rows = tuple(_name(d.coordinates) for d in whole.directions)
    readings = (
        ("motion", "Relative to the motion", "‖L_X f‖ / √(‖J_f X·x‖² + ‖X·f(x)‖²)"),
        ("output", "Relative to the output", "‖L_X f(x)‖ / ‖f(x)‖ per unit of X"),
    )
    panels = []
    for key, title, unit in readings:
        if key == "motion":
            if not _output_moves(whole):
                continue
            values = [d.relative_to_motion for d in whole.directions]
        else:
            values = [d.relative for d in whole.directions]
        plot = DotPlot(title, unit, rows, series_dots(values), {"0": 0.0}, per="direction")
        panels.append(dot_plot(f"lie-{key}", plot))
    caption = (
        "L_X f(x) = d/dt f moved by exp(tX) and back, at t = 0: zero for all X exactly if the "
        "model is equivariant under the connected part of the group. X₁, X₂, … are a basis of its "
        "Lie algebra. Relative to the motion there are no units, relative to the output the unit "
        "is that of X, which may differ between directions."
    )
    drawn = tuple(panel for panel in panels if panel)
    return (Figure(drawn, caption, "By direction"),) if drawn else ()


def _layers(found: Sequence[LieDerivativeByLayer]) -> tuple[Figure, ...]:
    shown = sorted(found, key=lambda one: -(one.error.estimate or 0.0))[:MOST_DIRECTIONS]
    panels = tuple(
        waterfall(
            f"lie-layers-{i}",
            f"By layer, along {_name(entry.direction)}",
            "contribution to E‖L_X f‖² / dim(out)",
            _parts(entry),
            entry.error.estimate or 0.0,
        )
        for i, entry in enumerate(shown)
    )
    drawn = tuple(panel for panel in panels if panel)
    if not drawn:
        return ()
    caption = (
        "What each layer adds to the squared error, from input (top) to output: its own failure to "
        "commute, pushed to the output and projected on the error there. Bars to the right add, "
        "bars to the left take away what other layers added; they sum to the total. Layers without "
        "a known action count as part of the next one that has one."
    )
    if len(found) > MOST_DIRECTIONS:
        caption += f" Of {len(found)} directions those of the largest error are drawn."
    return (Figure(drawn, caption, "By layer", "wide"),)


def _tables(whole: LieDerivative | None) -> tuple[Table, ...]:
    if whole is None:
        return ()
    rows = tuple(
        (
            _name(d.coordinates),
            d.error,
            d.relative,
            d.relative_to_motion,
            d.way,
            d.model_disagreement,
            f"{d.input_method}; {d.output_method}",
            d.input_disagreement,
            d.output_disagreement,
        )
        for d in whole.directions
    )
    head = (
        "X", "E‖L_X f‖²/dim", "/ ‖f‖", "/ motion", "model differentiated by", "off by",
        "actions (input; output) by", "input off by", "output off by",
    )  # fmt: skip
    caption = (
        f"Lie derivative along each direction, {whole.samples} samples of {whole.outputs} numbers; "
        "“off by” is the relative disagreement with finite differences"
    )
    return (Table(caption, head, rows, (4, 6)),)


def _layer_tables(found: Sequence[LieDerivativeByLayer]) -> tuple[Table, ...]:
    return tuple(
        Table(
            f"Layers along {_name(entry.direction)}; contributions sum to "
            f"{measured(entry.error)}, missing {number(entry.chain_rule_error, 2)} of it",
            ("layer", "action", "contribution", "error pushed to the output", "own error"),
            tuple(
                (
                    layer.name or "the model itself",
                    layer.source,
                    layer.contribution,
                    layer.error,
                    layer.local,
                )
                for layer in entry.layers
            ),
            (1,),
        )
        for entry in found[:MOST_DIRECTIONS]
    )


def _remarks(found: Sequence[LieDerivativeByLayer]) -> tuple[str, ...]:
    if not found:
        return ()
    missed = number(max(entry.chain_rule_error for entry in found), 2)
    return (f"Check of the sum over layers: it misses the whole by {missed} of the motions.",)
