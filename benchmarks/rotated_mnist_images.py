"""Upright digits, each with an angle of its own: MNIST, and the small ones of scikit-learn."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from goldstone.core import generator


@dataclass(frozen=True)
class Images:
    """Upright images (n, 1, X, X) in [0, 1] with labels and an angle for each."""

    upright: Tensor
    labels: Tensor
    angles: Tensor

    def turned(self) -> Tensor:
        """Each image at its own angle."""
        return moved(self.upright, self.angles)

    def first(self, count: int) -> "Images":
        """The first of them."""
        return Images(self.upright[:count], self.labels[:count], self.angles[:count])


def moved(images: Tensor, angles: Tensor, scale: float = 1.0, batch: int = 2000) -> Tensor:
    """Images turned by angles (n,) in radians about their centre and scaled, bicubic, in [0, 1]."""
    parts = []
    for x, a in zip(images.split(batch), angles.split(batch), strict=True):
        cos, sin, zero = a.cos() / scale, a.sin() / scale, torch.zeros_like(a)
        rows = torch.stack((cos, -sin, zero, sin, cos, zero), -1).reshape(-1, 2, 3)
        grid = functional.affine_grid(rows, list(x.shape), align_corners=False)
        parts.append(functional.grid_sample(x, grid, "bicubic", align_corners=False).clamp(0, 1))
    return torch.cat(parts)


def mnist(path: Path) -> tuple[Images, Images]:
    """12000 training and 50000 test images, the same at every call."""
    with np.load(path) as found:
        x = np.concatenate((found["x_train"], found["x_test"]))
        y = np.concatenate((found["y_train"], found["y_test"]))
    order = torch.randperm(len(x), generator=generator(0, "rotated mnist"))[:62_000]
    images = torch.from_numpy(x)[order][:, None].float() / 255
    return _split(images, torch.from_numpy(y)[order].long(), 12_000)


def digits() -> tuple[Images, Images]:
    """1200 training and 597 test images of scikit-learn, enlarged to 16×16."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = torch.randperm(len(found.images), generator=generator(0, "rotated digits"))
    small = torch.from_numpy(found.images).float()[order][:, None] / 16
    images = functional.interpolate(small, (16, 16), mode="bilinear", align_corners=False)
    return _split(images, torch.from_numpy(found.target)[order].long(), 1200)


def _split(images: Tensor, labels: Tensor, count: int) -> tuple[Images, Images]:
    angles = 2 * math.pi * torch.rand(len(images), generator=generator(0, "angles"))
    whole = images, labels, angles
    return Images(*(v[:count] for v in whole)), Images(*(v[count:] for v in whole))
