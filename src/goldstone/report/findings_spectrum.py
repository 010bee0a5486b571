"""The orbit spectrum: which irreps hold the energy of gradients along an orbit."""

from goldstone.auditing import AuditResult, IrrepShare, OrbitSpectrum
from goldstone.core import Statistic
from goldstone.report.dots import MOST_ROWS, Dot, DotPlot, dot, dot_plot, series_dots
from goldstone.report.numbers import number, percentage
from goldstone.report.section import Figure, Finding, Table
from goldstone.report.words import listed

MOST_EIGENVALUES = 8


def spectrum_finding(result: AuditResult) -> Finding | None:
    """Share of each irrep against its share if the poses had nothing in common."""
    spectrum = result.probes.orbit_spectrum
    if spectrum is None or not spectrum.irreps:
        return None
    shown = _chosen(spectrum)
    dots: list[Dot] = list(series_dots([e.share for e in shown], [e.centred_share for e in shown]))
    for place, entry in enumerate(shown):
        dots += dot(place, Statistic(entry.uniform), "mark")
    panel = dot_plot(
        "orbit-spectrum",
        DotPlot(
            f"Share of the gradients' energy, {spectrum.group}",
            "share of E‖∇ℓ at g·x‖²",
            tuple(e.irrep for e in shown),
            tuple(dots),
            {"0": 0.0},
            per="irrep",
            width=400,
            longest=16,
        ),
    )
    caption = (
        "Marks with 95 % intervals, the upright bar is the share if gradients at different poses "
        "had nothing in common. The trivial irrep, the first row, holds what is the same in every "
        "pose: all of it if the symmetry is built in. Energy in another irrep changes from pose to "
        "pose as that irrep does. The centred share leaves out what any two samples share, as ρ "
        "does."
    )
    if len(shown) < len(spectrum.irreps):
        caption += (
            f" {len(spectrum.irreps) - len(shown)} irreps of smaller shares are in the table only."
        )
    figure = Figure((panel,), caption, kind="wide", series=("share", "centred share"))
    return Finding(_lead(spectrum), (figure,) if panel else (), (_table(spectrum),))


def _chosen(spectrum: OrbitSpectrum) -> list[IrrepShare]:
    """The trivial irrep and, of many others, those of the largest shares; in their order."""
    if len(spectrum.irreps) <= MOST_ROWS:
        return list(spectrum.irreps)
    first, *others = spectrum.irreps
    others.sort(key=lambda e: -(e.share.estimate or 0.0))
    kept = {first.irrep, *(e.irrep for e in others[: MOST_ROWS - 1])}
    return [e for e in spectrum.irreps if e.irrep in kept]


def _lead(spectrum: OrbitSpectrum) -> str:
    trivial, *others = spectrum.irreps
    text = (
        f"The trivial irrep {trivial.irrep} holds {percentage(trivial.share.estimate)} of the "
        f"gradients' energy along orbits of {spectrum.group}, where poses that share nothing would "
        f"give {number(100 * trivial.uniform)} % and a built-in symmetry 100 %; of what is "
        f"particular to a sample, {percentage(trivial.centred_share.estimate)}."
    )
    lasting = [e for e in others if (e.share.low or 0.0) > e.uniform]
    if lasting:
        lasting.sort(key=lambda e: -(e.share.estimate or 0.0))
        text += (
            " Above its uniform share is also "
            + listed(f"{e.irrep} ({percentage(e.share.estimate)})" for e in lasting)
            + ": what is learned there flips or turns with the pose."
        )
    return text


def _table(spectrum: OrbitSpectrum) -> Table:
    sketched = (
        f"; products from a sketch, to {number(spectrum.relative_error, 2)}"
        if spectrum.relative_error
        else ""
    )
    return Table(
        f"Irreps of {spectrum.group}, order {spectrum.order}; "
        f"{'unit' if spectrum.unit else 'raw'} gradients{sketched}",
        ("irrep", "dimension", "uniform", "share", "centred share", "eigenvalues, as shares"),
        tuple(
            (e.irrep, str(e.dimension), e.uniform, e.share, e.centred_share, _eigenvalues(e))
            for e in spectrum.irreps
        ),
        (5,),
    )


def _eigenvalues(entry: IrrepShare) -> str:
    shown = ", ".join(number(value, 2) for value in entry.spectrum[:MOST_EIGENVALUES])
    return (shown + (", …" if len(entry.spectrum) > MOST_EIGENVALUES else "")) or "–"
