"""Other people's models and metrics, each in a file of its own that is skipped without its package.

    pip install transformers scikit-learn torch_geometric e3nn torchmetrics
    pip install the_well timm torch_harmonics neuraloperator segmentation_models_pytorch
    pytest tests/third_party

Models are built from configurations with random weights: nothing is downloaded. The packages of the
second line need torchvision.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
import torch

from goldstone import AuditSettings


@pytest.fixture(autouse=True)
def one_seeded_thread() -> Iterator[None]:
    """These models are tiny: threads would only wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def small() -> Callable[..., AuditSettings]:
    """Settings of a small audit."""

    def make(**changes: object) -> AuditSettings:
        sizes: dict[str, object] = {"trajectories": 24, "samples": 8, "reference": 2}
        sizes |= {"rollout_steps": 0, "bootstrap": 300, "permutations": 300}
        return AuditSettings(**(sizes | changes))  # type: ignore[arg-type]

    return make


def _declare_vision_operators() -> "torch.library.Library | None":
    """Beside a CPU build of torch, torchvision's wheel for CUDA cannot load its operators.

    No model here uses one: declared, they let the package be imported.
    """
    if find_spec("torchvision") is None:
        return None
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None


_VISION_OPERATORS = _declare_vision_operators()
