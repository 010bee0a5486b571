"""Where gradients decouple: orbit coherence by group of parameters."""

from collections.abc import Mapping

import numpy as np

from goldstone.auditing import AuditResult, GroupCoherence, LayerCoherence
from goldstone.report.heat import HeatMap, heat_map
from goldstone.report.lines import MOST_TICKS
from goldstone.report.numbers import number, percentage, probability
from goldstone.report.section import Cell, Figure, Finding, Table
from goldstone.report.words import counted, layer_title, mean

MOST_ROWS = 16
MOST_TABLE_ROWS = 160
LEAST_ENERGY = 0.01


def layer_coherence_finding(result: AuditResult) -> Finding | None:
    """ρ of the gradients cut to each layer's parameters, with the energy that lies there."""
    found = result.probes.layer_coherence
    groups = tuple(dict.fromkeys(group for one in found.values() for group in one.groups))
    if not groups:
        return None
    chosen = _chosen(found)
    values = np.array(
        [[_rho(found[name].groups.get(group)) for group in groups] for name in chosen]
    )
    energies = [_energy(found, group) for group in groups]
    panel = heat_map(
        "layer-coherence",
        HeatMap(
            "Orbit coherence ρ by layer",
            "layer, from input to output",
            chosen,
            tuple(group or "the model itself" for group in groups),
            values,
            [0.0 if energy is None else energy for energy in energies],
            "energy",
        ),
    )
    caption = (
        "Gradients cut to the parameters of one layer. Blue: there a gradient step on x is one on "
        "g·x too, beyond what it is on any other sample; white: nothing shared; red: opposed; "
        "grey: undefined. The bars are the share of the gradients' squared norm in each layer: a "
        "decoupled layer without energy is of no consequence."
    )
    if len(groups) > MOST_TICKS:
        caption += " Layers are numbered as in the table."
    if len(chosen) < len(found):
        caption += (
            f" {len(found) - len(chosen)} further elements are not shown; those shown run evenly "
            "from the least to the most coherent."
        )
    figure = Figure((panel,), caption, kind="chart")
    return Finding(
        _lead(found, groups), (figure,) if np.isfinite(values).any() else (), _tables(found, groups)
    )


def _rho(group: GroupCoherence | None) -> float:
    value = None if group is None else group.coherence.orbit.estimate
    return float("nan") if value is None else value


def _energy(found: Mapping[str, LayerCoherence], group: str) -> float | None:
    return mean(one.groups[group].energy.estimate for one in found.values() if group in one.groups)


def _chosen(found: Mapping[str, LayerCoherence]) -> tuple[str, ...]:
    """At most sixteen elements, evenly from the least to the most coherent."""
    names = list(found)
    if len(names) <= MOST_ROWS:
        return tuple(names)
    ordered = sorted(names, key=lambda name: found[name].total.orbit.estimate or 0.0)
    places = np.rint(np.linspace(0, len(names) - 1, MOST_ROWS)).astype(int)
    return tuple(ordered[place] for place in places)


def _lead(found: Mapping[str, LayerCoherence], groups: tuple[str, ...]) -> str:
    rhos = {
        group: mean(
            one.groups[group].coherence.orbit.estimate
            for one in found.values()
            if group in one.groups
        )
        for group in groups
    }
    energies = {group: _energy(found, group) or 0.0 for group in groups}
    known = {group: rho for group, rho in rhos.items() if rho is not None}
    if not known:
        return "No layer has gradients whose coherence is defined."
    weighty = [group for group in known if energies[group] >= LEAST_ENERGY] or list(known)
    best, least = max(weighty, key=known.__getitem__), min(weighty, key=known.__getitem__)
    heaviest = max(groups, key=energies.__getitem__)
    whole = mean(one.total.orbit.estimate for one in found.values())
    text = (
        f"In the mean over {counted(len(found), 'element')} ρ is {number(whole)} for all "
        "parameters together"
    )
    if len(weighty) > 1:
        among = (
            " that hold 1 % of the gradients' energy or more" if len(weighty) < len(known) else ""
        )
        text += (
            f"; over the layers{among} it runs from {number(known[least])} in "
            f"{layer_title(least)}, where the gradients decouple most, to "
            f"{number(known[best])} in {layer_title(best)}"
        )
    return (
        f"{text}. Most energy, {percentage(energies[heaviest])}, lies in "
        f"{layer_title(heaviest)}, where ρ is {number(rhos[heaviest])}."
    )


def _tables(found: Mapping[str, LayerCoherence], groups: tuple[str, ...]) -> tuple[Table, ...]:
    if len(found) * len(groups) > MOST_TABLE_ROWS:
        return (_summary_table(found, groups),)
    head = (
        "layer", "parameters", "energy", "ρ", "part of the whole ρ", "ρ, raw", "K", "null of K",
        "p",
    )  # fmt: skip
    return tuple(
        Table(
            f"{name}: ρ of all parameters {number(one.total.orbit.estimate)}, to which the parts "
            "sum",
            head,
            tuple(
                _row(f"{i}. {group or 'the model itself'}", one.groups[group])
                for i, group in enumerate(groups, start=1)
                if group in one.groups
            ),
        )
        for name, one in found.items()
    )


def _row(name: str, group: GroupCoherence) -> tuple[Cell, ...]:
    coherence = group.coherence
    return (
        name,
        str(group.parameters),
        group.energy,
        coherence.orbit,
        group.contribution,
        group.raw_orbit,
        coherence.pair,
        coherence.null,
        probability(coherence.permutation_p),
    )


def _summary_table(found: Mapping[str, LayerCoherence], groups: tuple[str, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for i, group in enumerate(groups, start=1):
        entries = {name: one.groups[group] for name, one in found.items() if group in one.groups}
        known = {
            name: rho
            for name, entry in entries.items()
            if (rho := entry.coherence.orbit.estimate) is not None
        }
        least, best = (
            min(known, key=lambda n: known[n], default=""),
            max(known, key=lambda n: known[n], default=""),
        )
        rows.append(
            (
                f"{i}. {group or 'the model itself'}",
                str(next(iter(entries.values())).parameters),
                _energy(found, group),
                mean(known.values()),
                known.get(least),
                least or "–",
                known.get(best),
                best or "–",
            )
        )
    return Table(
        f"Over {len(found)} elements",
        ("layer", "parameters", "energy", "mean ρ", "least ρ", "at", "largest ρ", "at"),
        tuple(rows),
        (5, 7),
    )
