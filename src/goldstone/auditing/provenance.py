"""Where the numbers of an audit come from."""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import torch
from torch import nn

from goldstone.auditing.given import Data, tensors_of
from goldstone.auditing.inspection import model_place, tensor_bytes, weights_sha256
from goldstone.auditing.memory_plan import MemoryPlan
from goldstone.auditing.results import Provenance
from goldstone.auditing.settings import AuditSettings
from goldstone.core import to_json, trees
from goldstone.curvature import memory_bytes


def provenance(
    model: nn.Module,
    data: Data,
    settings: AuditSettings,
    gradients: int,
    gradient_path: str,
    seconds: Mapping[str, float],
    ground_truth: str,
    other_gradients: Mapping[str, int],
    gradients_saved: int = 0,
    plan: MemoryPlan | None = None,
) -> Provenance:
    """Versions, hashes, settings and costs of the audit that has just run."""
    device, dtype = model_place(model, tensors_of(data))
    return Provenance(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            "goldstone": version("goldstone"),
            "torch": torch.__version__,
            "numpy": version("numpy"),
            "scipy": version("scipy"),
            "python": platform.python_version(),
        },
        seed=settings.seed,
        device=str(device),
        dtype=str(dtype).removeprefix("torch."),
        data_sha256=data_sha256(data),
        weights_sha256=weights_sha256(model),
        settings=to_json(asdict(settings)),
        gradients=gradients,
        gradient_path=gradient_path,
        seconds={name: round(value, 3) for name, value in seconds.items()},
        data=_description(data),
        ground_truth=ground_truth,
        other_gradients=other_gradients,
        gradients_saved=gradients_saved,
        memory={"allowed": memory_bytes(settings.memory)}
        | ({"planned": plan.needed, "whole": plan.dense} if plan else {}),
    )


def _description(data: Data) -> dict[str, Any]:
    if isinstance(data, tuple):
        return {"pairs": trees.batch_size(data[0])}
    return {
        "system": data.system,
        "parameters": to_json(data.parameters),
        "dt": data.dt,
        "lengths": list(data.lengths),
        "shape": list(data.fields.shape),
        "initial_condition": data.initial_condition,
        "seed": data.seed,
    }


def data_sha256(data: Data) -> str:
    """SHA-256 of the numbers of the data set."""
    digest = sha256()
    for tensor in trees.leaves(tensors_of(data)):
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor_bytes(tensor))
    return digest.hexdigest()
