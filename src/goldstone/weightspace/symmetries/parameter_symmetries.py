"""All symmetries of a network's parameters that its graph shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from goldstone.weightspace.symmetries.parameter_axis import ParameterAxis
from goldstone.weightspace.symmetries.parameter_symmetry import Kind, ParameterSymmetry
from goldstone.weightspace.tracing import (
    DiagonalDomain,
    Interpreter,
    PermutationDomain,
    TracedNetwork,
    trace,
)
from goldstone.weightspace.tracing.diagonal_maps import (
    DiagonalFamily,
    diagonal_families,
    uniform_scalings,
)
from goldstone.weightspace.tracing.linear_maps import LinearMaps, LinearSlot
from goldstone.weightspace.tracing.units import Family, Slot, families

Place = tuple[str, int, int]


@dataclass(frozen=True)
class ParameterSymmetries:
    """What :func:`parameter_symmetries` has found; ``print`` shows a table.

    Attributes:
        symmetries: those found. Permutations are listed for all interchangeable units, also where
            a larger group of matrices contains them.
        unsupported: operations that the search does not understand: nothing that enters them moves.
        unused: parameters that the traced forward pass does not read, about which nothing is said.
        shared: (name, name under which it is treated) of parameters registered twice.
    """

    symmetries: tuple[ParameterSymmetry, ...]
    unsupported: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    shared: tuple[tuple[str, str], ...] = ()

    def of_kind(self, *kinds: Kind) -> tuple[ParameterSymmetry, ...]:
        """The symmetries of some kinds, in order."""
        return tuple(one for one in self.symmetries if one.kind in kinds)

    @property
    def permutations(self) -> tuple[ParameterSymmetry, ...]:
        """Those that permute units or blocks of units."""
        return self.of_kind("permutation")

    @property
    def continuous(self) -> tuple[ParameterSymmetry, ...]:
        """Those of positive dimension."""
        return tuple(one for one in self.symmetries if one.lie_dimension)

    def __str__(self) -> str:
        rows = [("units", "kind", "group", "dimension", "acts on")]
        for one in self.symmetries:
            kind = one.kind + ("" if one.permutes == "units" else " of blocks")
            where = ", ".join(one.parameters[:3]) + (" …" if len(one.parameters) > 3 else "")
            kind += "" if one.exact else " (up to ε)"
            rows.append((one.name, kind, one.group_name, str(one.lie_dimension or "–"), where))
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        lines = [
            "  ".join([*(cell.ljust(n) for cell, n in zip(row, widths, strict=False)), row[4]])
            for row in rows
        ]
        for words, names in (
            ("operations not understood, what enters them is fixed", self.unsupported),
            ("not read by the forward pass", self.unused),
            ("shared", tuple(f"{a} = {b}" for a, b in self.shared)),
        ):
            if names:
                lines.append(f"{words}: {', '.join(names)}")
        return "\n".join(lines)


def parameter_symmetries(model: nn.Module, example_inputs: Sequence[Any]) -> ParameterSymmetries:
    """The groups that act on a network's parameters and leave its function unchanged.

    The network is traced in its present mode (train or eval; BatchNorm has different symmetries in
    the two), and followed operation by operation: which indices of which axes must move together,
    and what each operation lets through. A permutation passes whatever treats indices alike, a
    positive factor passes ReLU, a sign an odd function, an orthogonal matrix a root mean square, an
    invertible one a contraction. What is not understood fixes what enters it, so that a network may
    have more symmetries than are found, but not fewer (:func:`check_symmetries` tests that).

    Buffers do not move, but for the running statistics of BatchNorm.

    Args:
        model: traced by ``torch.export``; not changed.
        example_inputs: the positional arguments of its forward.

    Raises:
        InputError: it cannot be traced, or parameters overlap in memory.
    """
    network = trace(model, example_inputs)
    units = _walk(network, PermutationDomain())
    aliases = tuple(network.aliases.items())
    found: list[ParameterSymmetry] = []
    known: list[dict[str, float]] = []
    filled: dict[Kind, set[Place]] = {}
    maps = LinearMaps(units)
    for family in families(units):
        found.append(permutation_symmetry(family, aliases))
        linear = maps.of(family)
        if linear is not None:
            kind: Kind = "general linear" if linear[0] == "general" else linear[0]
            symmetry = _linear(family, kind, linear[1], aliases)
            found.append(symmetry)
            filled.setdefault(kind, set()).update(_places(symmetry.on_parameters))
            if kind == "general linear":
                known.append(_exponents(symmetry, units))
    everything: set[Place] = set().union(*filled.values())
    scales, signs = DiagonalDomain("scale"), DiagonalDomain("sign")
    walk = _walk(network, scales)
    for one in diagonal_families(walk):
        symmetry = _diagonal(one, "scaling", maps.diagonals, aliases)
        if not _places(symmetry.on_parameters) <= filled.get("general linear", set()):
            found.append(symmetry)
            known.append(_exponents(symmetry, units))
    for one in diagonal_families(_walk(network, signs)):
        symmetry = _diagonal(one, "sign", maps.diagonals, aliases)
        contained = everything - filled.get("orthogonal keeping ones", set())
        if not _places(symmetry.on_parameters) <= contained:
            found.append(symmetry)
    for scaling in uniform_scalings(scales, known):
        axes = tuple(
            ParameterAxis(name, -1, exponent=exponent)
            for name, exponent in scaling.exponents.items()
        )
        name = axes[0].parameter
        found.append(ParameterSymmetry(name, "uniform scaling", 1, 1, axes, scaling.exact, aliases))
    named = set(units.parameters)
    unused = tuple(name for name, _ in model.named_parameters() if name not in named)
    return ParameterSymmetries(
        tuple(found), tuple(dict.fromkeys(units.unsupported)), unused, aliases
    )


def _walk(network: TracedNetwork, domain: PermutationDomain | DiagonalDomain) -> Interpreter:
    walk = Interpreter(network, domain)
    walk.run()
    return walk


def _axis(slot: Slot, dual: bool = False, frame: Slot | None = None) -> ParameterAxis:
    copies, size, replicas = slot.places.shape
    return ParameterAxis(
        slot.parameter,
        slot.axis,
        (copies, size, replicas),
        tuple(slot.places.ravel().tolist()),
        dual,
        frame="" if frame is None else frame.parameter,
        frame_places=() if frame is None else tuple(frame.places.ravel().tolist()),
    )


def permutation_symmetry(family: Family, aliases: tuple[tuple[str, str], ...]) -> ParameterSymmetry:
    """The permutations of a family of units, or of blocks of them."""
    axes = tuple(_axis(slot) for slot in family.slots)
    return ParameterSymmetry(
        _name(axes),
        "permutation",
        family.size,
        family.copies,
        axes,
        aliases=aliases,
        permutes="blocks" if family.is_block else "units",
    )


def _linear(
    family: Family, kind: Kind, slots: Iterable[LinearSlot], aliases: tuple[tuple[str, str], ...]
) -> ParameterSymmetry:
    axes = tuple(_axis(one.slot, one.dual, one.frame) for one in slots)
    return ParameterSymmetry(_name(axes), kind, family.size, family.copies, axes, aliases=aliases)


def _diagonal(
    family: DiagonalFamily,
    kind: Kind,
    gains: frozenset[str],
    aliases: tuple[tuple[str, str], ...],
) -> ParameterSymmetry:
    axes = tuple(
        ParameterAxis(
            slot.parameter,
            slot.axis,
            (family.size, 1, slot.places.shape[1]),
            tuple(slot.places.ravel().tolist()),
            slot.dual,
        )
        for slot in family.slots
    )
    gain = next((axis.parameter for axis in axes if axis.parameter in gains), "")
    return ParameterSymmetry(
        _name(axes), kind, 1, family.size, axes, family.exact, aliases, gain=gain
    )


def _name(axes: tuple[ParameterAxis, ...]) -> str:
    """The parameter that writes the units, with its axis: ``0.weight[0]``."""
    writers = [axis for axis in axes if axis.axis == 0 and not axis.dual] or list(axes)
    return f"{writers[0].parameter}[{writers[0].axis}]"


def _places(axes: Iterable[ParameterAxis]) -> set[Place]:
    return {(one.parameter, one.axis, place) for one in axes for place in one.places}


def _exponents(symmetry: ParameterSymmetry, walk: Interpreter) -> dict[str, float]:
    """What the same factor for all units does to whole parameters."""
    exponents: dict[str, float] = {}
    along: dict[tuple[str, int, bool], set[int]] = {}
    for one in symmetry.on_parameters:
        along.setdefault((one.parameter, one.axis, one.dual), set()).update(one.places)
    for (name, axis, dual), places in along.items():
        if len(places) != walk.parameters[name].shape[axis]:
            return {}
        exponents[name] = exponents.get(name, 0.0) + (-1.0 if dual else 1.0)
    return exponents
