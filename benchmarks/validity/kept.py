"""What was measured of each model, kept in a folder: one file a model, written once."""

import json
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.validity.measuring import measure
from benchmarks.validity.zoo import members
from goldstone.core import replacing


def measured(folder: Path, name: str) -> dict[str, Any] | None:
    """What was measured of a model, if it was."""
    path = folder / f"{name}.json"
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return found


def work(name: str, folder: Path) -> str:
    """Measure one model; one thread. What goes wrong is said, and the others go on."""
    torch.set_num_threads(1)
    if measured(folder, name) is not None:
        return ""
    start = time.perf_counter()
    # Models do not pickle: each process makes its own.
    (member,) = (m for m in members((name.split("-")[0],)) if m.name == name)
    found = measure(member, folder)
    with replacing(folder / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return f"{name}: {time.perf_counter() - start:.0f} s"
