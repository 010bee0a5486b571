"""What the paper left out: boosts, scalings, augmentation, built-in symmetry, a falling rate."""

from goldstone.reproductions.loss_landscape_geometry.experiments import (
    Elements,
    Experiments,
    Moved,
    Run,
)
from goldstone.reproductions.loss_landscape_geometry.part import Part, compared, estimate
from goldstone.reproductions.loss_landscape_geometry.point_group_claims import (
    NAMES,
    mean_influence,
    mean_null,
    mean_orbit,
    median_error,
)
from goldstone.reproductions.results import Claim, Comparison, over_seeds


def left_out_claims(experiments: Experiments) -> Part:
    """Two claims of our own."""
    return Part((_other_symmetries(experiments), _other_models(experiments)))


def _other_symmetries(experiments: Experiments) -> Claim:
    rows: list[Comparison] = []
    largest: dict[str, list[float]] = {"NS": [], "CE": []}
    least: dict[str, list[float]] = {"NS": [], "CE": []}
    for flow in ("NS", "CE"):
        for network in ("U-Net", "ViT"):
            for symmetry, moved in experiments.left_out(Run(flow, network)).items():
                rows += [_row(f"{symmetry} {m.name}, {flow} {network}", m) for m in moved]
                if symmetry != "velocity scaling":
                    largest[flow].append(max(m.error_quartiles[1] for m in moved))
                    least[flow].append(min(m.error_quartiles[1] for m in moved))
    fails = min(largest["NS"]) > 5 and max(least["CE"]) < 1.1
    fails &= min(largest["CE"]) > 1.1 and max(largest["CE"]) < 3
    return Claim(
        "(Ours.) Galilean boosts, of which the data show no examples, are not learned on "
        "Navier–Stokes. On Euler boosts and scalings of mass hold nearby and fail gradually.",
        "not in Amarel et al.",
        tuple(rows),
        "reproduced" if fails else "partly",
        "One seed each. E compares both losses in the moved frame. *Solver* is the solver's own "
        "miss over the change of a step: where that is not small, as for velocities scaled at the "
        "same Δt and viscosity, the element is no symmetry of the step and E says nothing of "
        "learning. Riemann problems come with many mean velocities and densities, so that small "
        "boosts and scales are not far from the data; the turbulence has no mean flow.",
    )


def _row(quantity: str, m: Moved) -> Comparison:
    words = f"solver {m.solver.of_change:.2g}"
    if m.orbit is not None:
        words += f"; ρ {m.orbit[1]:.2f} [{m.orbit[0]:.2f}, {m.orbit[2]:.2f}]"
    return compared(f"median E, {quantity}", "", over_seeds([m.error_quartiles[1]]), words)


def _other_models(experiments: Experiments) -> Claim:
    variants: tuple[tuple[str, Run], ...] = (
        ("as in the paper", Run("NS", "U-Net")),
        ("augmented by D4", Run("NS", "U-Net", variant="augmented")),
        ("rate annealed to zero", Run("NS", "U-Net", variant="annealed")),
        ("D4 built in", Run("NS", "equivariant U-Net")),
    )
    rows: list[Comparison] = []
    found: dict[str, Elements] = {}
    for label, run in variants:
        found[label] = elements = experiments.point_group(run)
        share = experiments.trained(run).share
        rows += [
            compared(f"loss over persistence, {label}", "", over_seeds([share])),
            compared(f"median E over D4, {label}", "", over_seeds([median_error(elements, NAMES)])),
            compared(
                f"K over D4, {label}",
                "",
                over_seeds([mean_influence(elements, NAMES)]),
                f"null {mean_null(elements, NAMES):.2f}",
            ),
            compared(
                f"ρ over D4 (Euclidean), {label}", "", over_seeds([mean_orbit(elements, NAMES)])
            ),
        ]
    built_in = estimate(over_seeds([mean_influence(found["D4 built in"], NAMES)]))
    exact = abs(built_in - 1) < 1e-2 and abs(mean_orbit(found["D4 built in"], NAMES) - 1) < 1e-2
    augmented = found["augmented by D4"]
    apart = median_error(augmented, NAMES) < 1.1 and mean_orbit(augmented, NAMES) < 0.2
    return Claim(
        "(Ours.) Where D4 is built in, K and ρ are 1; where it is shown by augmentation all poses "
        "hold, and gradients of different poses are hardly more alike than without.",
        "not in Amarel et al.",
        tuple(rows),
        "reproduced" if exact and apart else "partly",
        "One seed each, on Navier–Stokes. The isotropic flows show every pose already, so that "
        "augmentation has little to add to E.",
    )
