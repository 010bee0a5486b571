"""Stiffness: do gradients at x and g·x point alike, and how many of an orbit are one?"""

from goldstone.auditing import AuditResult, Stiffness
from goldstone.report.dots import Dot, DotPlot, dot, dot_plot
from goldstone.report.numbers import number
from goldstone.report.section import Figure, Finding, Table
from goldstone.report.words import UNDEFINED, mean, measured


def stiffness_finding(result: AuditResult) -> Finding | None:
    """Cosines and signs of gradient pairs beside their nulls; m-coherence of orbits."""
    found = result.probes.stiffness
    if found is None:
        return None
    panels = tuple(
        panel for panel in (_panel(result, found, kind) for kind in ("cosine", "sign")) if panel
    )
    caption = (
        "Grey diamonds are the null: the gradient at g·x′ of another sample x′. Any two gradients "
        "of one network may agree, so only the distance from the null says something of g."
    )
    figures = (Figure(panels, caption, labels=True),) if panels else ()
    return Finding(_lead(found), figures, _tables(found))


def _lead(found: Stiffness) -> str:
    cosine = mean(e.cosine.estimate for e in found.elements.values())
    null = mean(e.null_cosine.estimate for e in found.elements.values())
    if cosine is None:
        return UNDEFINED
    orbit, data = found.orbit_coherence, found.data_coherence
    return (
        f"The gradients at x and g·x have a cosine of {number(cosine)} in the mean over elements, "
        f"beside {number(null)} for two different samples. Of the {orbit.m} gradients of an orbit "
        f"as many as {measured(orbit.unit)} work together (m-coherence: 1 if they are orthogonal, "
        f"{orbit.m} if they are one); of {data.m} different samples "
        f"{measured(data.unit)}."
    )


def _panel(result: AuditResult, found: Stiffness, kind: str) -> str:
    labels = {e.name: e.label for e in result.elements}
    dots: list[Dot] = []
    for place, (name, element) in enumerate(found.elements.items()):
        dots += dot(place + 0.3, getattr(element, f"null_{kind}"), "null")
        dots += dot(place, getattr(element, kind), labels.get(name, "undetermined"))
    title, unit = {
        "cosine": ("Cosine stiffness", "mean cos(∇ℓ at x, ∇ℓ at g·x)"),
        "sign": ("Sign stiffness", "mean sign⟨∇ℓ at x, ∇ℓ at g·x⟩"),
    }[kind]
    plot = DotPlot(title, unit, tuple(found.elements), tuple(dots), {"0": 0.0})
    return dot_plot(f"stiffness-{kind}", plot)


def _tables(found: Stiffness) -> tuple[Table, ...]:
    pairs = tuple(
        (name, e.cosine, e.null_cosine, e.sign, e.null_sign, e.coherence.orbit)
        for name, e in found.elements.items()
    )
    sets = tuple(
        (name, str(one.m), one.unit, one.raw)
        for name, one in (
            ("poses of one sample", found.orbit_coherence),
            ("samples in one pose", found.data_coherence),
        )
    )
    orbit = (
        ("cosine", found.orbit_cosine),
        ("sign", found.orbit_sign),
    )
    sketched = (
        f"; products from a sketch, to {number(found.relative_error, 2)}"
        if found.relative_error
        else ""
    )
    return (
        Table(
            "m-coherence: 1 if the gradients are orthogonal, m if they are all the same",
            ("gradients of", "m", "of unit gradients", "raw"),
            sets,
        ),
        Table("Mean over all pairs of different poses", ("stiffness", "mean"), orbit),
        Table(
            f"By element{sketched}",
            ("g", "cosine", "null", "sign", "null", "ρ"),
            pairs,
        ),
    )
