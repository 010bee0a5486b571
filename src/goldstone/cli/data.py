"""Data sets, those that say what their channels are and those that do not."""

from pathlib import Path
from typing import Any, cast

from goldstone.actions import Field, FieldLayout
from goldstone.core import InputError
from goldstone.systems.flows import Trajectories, read_metadata, read_trajectories


def read_flows(
    path: Path,
    *,
    layout: FieldLayout | None = None,
    dt: float | None = None,
    lengths: tuple[float, float] | None = None,
    trajectories: slice | None = None,
) -> Trajectories:
    """``read_trajectories``, whose errors name the options of the command line.

    Raises:
        InputError: as there, or the file needs ``layout`` or ``dt`` and they are not given.
    """
    missing = [name for name, value in (("--fields", layout), ("--dt", dt)) if value is None]
    if missing and read_metadata(path) is None:
        unsaid = {
            "--fields": ("what its channels are", "--fields velocity:velocity"),
            "--dt": ("how far its snapshots are apart", "--dt 0.05"),
        }
        raise InputError(
            f"{path} does not say {' and '.join(unsaid[name][0] for name in missing)}: give "
            f"{' and '.join(missing)}, such as {' '.join(unsaid[name][1] for name in missing)}"
        )
    return read_trajectories(path, layout=layout, dt=dt, lengths=lengths, trajectories=trajectories)


def read_fields(text: str) -> FieldLayout:
    """``density:density,momentum:momentum`` as a layout: NAME:FIBRE, in the order of channels.

    Raises:
        InputError: it is written otherwise, or a fibre is unknown.
    """
    fields = []
    for entry in text.split(","):
        name, colon, fibre = entry.strip().partition(":")
        if not colon or not name:
            raise InputError(
                "--fields: expected NAME:FIBRE,… such as velocity:velocity or "
                f"density:density,momentum:momentum,energy:energy, got {text!r}"
            )
        fields.append(Field(name, cast(Any, fibre)))
    return FieldLayout(tuple(fields))
