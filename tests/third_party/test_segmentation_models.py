"""A U-Net of segmentation_models_pytorch: a ResNet encoder with BatchNorm, as many people use it.

Needs ``pip install segmentation_models_pytorch``, which brings timm and torchvision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goldstone import AuditSettings, Symmetry, audit
from goldstone.actions import Action, Context, image_symmetry
from goldstone.core import InputError

segmentation = pytest.importorskip(
    "segmentation_models_pytorch",
    reason="needs pip install segmentation_models_pytorch",
    exc_type=ImportError,
)

SIDE = 32


def unet() -> nn.Module:
    model: nn.Module = segmentation.Unet(
        "resnet18",
        encoder_weights=None,
        in_channels=1,
        classes=2,
        encoder_depth=3,
        decoder_channels=(16, 8, 4),
    )
    return model


def images(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise, and labels of the pixels that are brighter than their neighbourhood."""
    x = torch.randn(n, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return x, (x[:, 0] > nn.functional.avg_pool2d(x, 3, 1, 1)[:, 0]).long()


@dataclass(frozen=True)
class OfLabels:
    """Moves a map of labels (batch, X, Y) as the grid moves."""

    pixels: Action

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        moved: Tensor = self.pixels.act(element, x[:, None].double(), context)
        return moved[:, 0].round().long()


def symmetry() -> Symmetry:
    """Of an image, two logits and a label at every pixel."""
    images, logits = (image_symmetry("quarter-turns", (SIDE, SIDE), c, "same") for c in (1, 2))
    return Symmetry(
        images.name, images.group, images.on_input, logits.on_input, OfLabels(images.on_input)
    )


def test_labels_at_every_pixel_under_quarter_turns(small: Callable[..., AuditSettings]) -> None:
    model = unet()
    with pytest.raises(InputError, match=r"BatchNorm2d.*eval"):
        audit(model, images(8), symmetry())
    state = {name: t.clone() for name, t in model.eval().state_dict().items()}
    settings = small(trajectories=6, samples=6, metrics=("euclidean",))
    result = audit(model, images(8), symmetry(), settings=settings)
    assert result.model.loss_name == "cross_entropy"
    assert len(result.elements) == 4
    # The strided 3 × 3 convolutions of a ResNet have no symmetric place on an even grid.
    assert all(e.equivariance_error.estimate > 1e-3 for e in result.elements[1:])
    assert all(e.orbit_coherence["euclidean"].estimate is not None for e in result.elements)
    assert all(torch.equal(state[name], t) for name, t in model.state_dict().items())
