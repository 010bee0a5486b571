"""Euclidean norms, typed."""

import torch
from torch import Tensor


def vector_norm(x: Tensor) -> Tensor:
    """‖x‖ along the last axis; its derivative at 0 is 0."""
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1)
    return norm


def matrix_norm(a: Tensor) -> Tensor:
    """The Frobenius norms of matrices (*batch, n, n)."""
    return vector_norm(a.flatten(-2))
