"""What was measured of each model, kept in a folder: one file a model, written once."""

import json
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.validity.measuring import measure
from benchmarks.validity.task import Member
from benchmarks.validity.zoo import members
from goldstone.core import replacing


def measured(folder: Path, member: Member) -> dict[str, Any] | None:
    """What was measured of a model, if it was, with the training and lessons of today."""
    path = folder / f"{member.name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    same = (found.get("training"), found.get("teaching")) == (member.training, member.teaching)
    return found if same else None


def work(name: str, folder: Path) -> str:
    """Measure one model; one thread. What goes wrong is said, and the others go on."""
    torch.set_num_threads(1)
    # Models do not pickle: each process makes its own.
    (member,) = (m for m in members((name.split("-")[0],)) if m.name == name)
    if measured(folder, member) is not None:
        return ""
    start = time.perf_counter()
    found = measure(member, folder)
    with replacing(folder / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return f"{name}: {time.perf_counter() - start:.0f} s"
