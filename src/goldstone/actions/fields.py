"""What the channels of a grid field are: the fibre of each channel group under the point group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from goldstone.core import InputError

Fibre = Literal["scalar", "pseudoscalar", "vector", "velocity", "density", "momentum", "energy"]
"""How a field turns under a point-group matrix R, and shifts under a Galilean boost c:

=============  ==================  ==============================
fibre          under R             under a boost c
=============  ==================  ==============================
scalar         unchanged           unchanged
pseudoscalar   times det R         unchanged
vector         turned by R         unchanged
velocity       turned by R         u + c
density        unchanged           unchanged
momentum       turned by R         m + ρ c
energy         unchanged           E + c·m + ½ ρ |c|²
=============  ==================  ==============================
"""

VECTOR_FIBRES = ("vector", "velocity", "momentum")


@dataclass(frozen=True)
class Field:
    """One physical field on the grid.

    ``axes`` and ``signs`` say where the components of a vector point: component k points along
    ``signs[k]`` times the spatial axis ``axes[k]`` (0 is the first spatial axis of the tensor, 1
    the second). Image conventions (u along columns, v up) are ``axes=(1, 0), signs=(1, -1)``.
    """

    name: str
    fibre: Fibre
    axes: tuple[int, int] = (0, 1)
    signs: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if self.fibre not in get_args(Fibre):
            raise InputError(
                f"field {self.name!r}: unknown fibre {self.fibre!r}; expected one of "
                f"{', '.join(get_args(Fibre))}"
            )
        if self.axes not in ((0, 1), (1, 0)):
            raise InputError(f"field {self.name!r}: axes must be (0, 1) or (1, 0), got {self.axes}")
        if any(sign not in (1, -1) for sign in self.signs) or len(self.signs) != 2:
            raise InputError(f"field {self.name!r}: signs must be ±1 twice, got {self.signs}")

    @property
    def is_vector(self) -> bool:
        """Whether the field has two components that turn with the grid."""
        return self.fibre in VECTOR_FIBRES

    @property
    def channels(self) -> int:
        """2 for a vector field, else 1."""
        return 2 if self.is_vector else 1


@dataclass(frozen=True)
class FieldLayout:
    """The fields of a tensor (batch, channel, X, Y), in the order of its channels."""

    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        if not names or len(set(names)) != len(names):
            raise InputError(
                f"a field layout needs one or more fields of distinct names, got {names}"
            )

    @property
    def channels(self) -> int:
        """Number of channels of the tensor."""
        return sum(field.channels for field in self.fields)

    def slices(self) -> tuple[tuple[Field, slice], ...]:
        """Each field with its slice of the channel axis."""
        result, start = [], 0
        for field in self.fields:
            result.append((field, slice(start, start + field.channels)))
            start += field.channels
        return tuple(result)

    def channel_names(self) -> tuple[str, ...]:
        """A readable name per channel, such as ``velocity 1``."""
        names: list[str] = []
        for field in self.fields:
            names += (
                [field.name] if field.channels == 1 else [f"{field.name} {k + 1}" for k in (0, 1)]
            )
        return tuple(names)

    def to_json(self) -> list[dict[str, Any]]:
        """The layout as plain JSON values; read back by :meth:`from_json`."""
        return [
            {"name": f.name, "fibre": f.fibre, "axes": list(f.axes), "signs": list(f.signs)}
            for f in self.fields
        ]

    @classmethod
    def from_json(cls, entries: Iterable[Mapping[str, Any]]) -> "FieldLayout":
        """Read what :meth:`to_json` wrote; ``axes`` and ``signs`` may be left out.

        Raises:
            InputError: a key is missing or unknown, or a value is not allowed.
        """
        fields = []
        for entry in entries:
            unknown = set(entry) - {"name", "fibre", "axes", "signs"}
            if unknown or "name" not in entry or "fibre" not in entry:
                raise InputError(
                    "a field is declared by 'name' and 'fibre' (and 'axes', 'signs' for vectors), "
                    f"got the keys {sorted(entry)}"
                )
            fields.append(
                Field(
                    name=str(entry["name"]),
                    fibre=entry["fibre"],
                    axes=_pair(entry, "axes", (0, 1)),
                    signs=_pair(entry, "signs", (1, 1)),
                )
            )
        return cls(tuple(fields))


def _pair(entry: Mapping[str, Any], key: str, usual: tuple[int, int]) -> tuple[int, int]:
    value = entry.get(key, usual)
    # Not isinstance, for which True is 1.
    if not isinstance(value, (list, tuple)) or [type(part) for part in value] != [int, int]:
        raise InputError(
            f"field {entry['name']!r}: {key} must be two whole numbers such as {list(usual)}, got "
            f"{value!r}"
        )
    return (value[0], value[1])


NAVIER_STOKES_FIELDS = FieldLayout((Field("velocity", "velocity"),))
"""Incompressible flow: the two velocity components."""

EULER_FIELDS = FieldLayout(
    (Field("density", "density"), Field("momentum", "momentum"), Field("energy", "energy"))
)
"""Compressible flow in conserved variables: density ρ, momentum ρu, total energy E per volume."""
