"""What attention over sets and over sequences share."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    allowed: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """softmax(q kᵀ/√d + bias) v over the allowed keys: (batch, head, element, channels of a head).

    Where no key is allowed the output is a mean of values, for the caller to discard, not NaN.

    Args:
        query: of each element.
        key: the same shape.
        value: the same shape.
        allowed: boolean, broadcasts to (batch, head, element, element).
        bias: of the scores, broadcasts likewise.
    """
    if bias is not None:
        bias = bias.to(query.dtype)
    if allowed is not None:
        if bias is None:
            bias = torch.zeros((), dtype=query.dtype, device=query.device)
        # Far below any score and yet finite, so that gradients stay so as well.
        bias = torch.where(allowed, bias, torch.finfo(query.dtype).min / 2)
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)


def attend_to_elements(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    allowed: Tensor | None,
    bias: Tensor | None = None,
) -> Tensor:
    """:func:`attend` to the elements that there are; zero where none of them is allowed.

    Args:
        query: of each element, (batch, head, element, channels of a head).
        key: of each element attended to.
        value: the same shape as key.
        mask: boolean (batch, key), True where there is an element.
        allowed: boolean (batch, element, key), True where an element may attend to a key.
        bias: of the scores.

    Raises:
        InputError: allowed pairs of another shape or dtype.
    """
    keys = None if mask is None else mask[:, None, None, :]
    if allowed is not None:
        check_allowed(allowed, (len(query), query.shape[2], key.shape[2]))
        keys = allowed[:, None] if keys is None else allowed[:, None] & keys
    found = attend(query, key, value, keys, bias)
    if keys is not None:
        found = found.masked_fill(~keys.any(-1, keepdim=True), 0)
    return found


def heads_apart(x: Tensor, heads: int) -> Tensor:
    """(batch, element, heads·channels) → (batch, head, element, channels)."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(1, 2)


def heads_together(x: Tensor) -> Tensor:
    """(batch, head, element, channels) → (batch, element, heads·channels)."""
    # Not a view of the transpose, which depends on the memory of what computed x: an exporter to
    # ONNX puts other operations in its place.
    return torch.cat(x.unbind(1), -1)


def check_heads(channels: int, heads: int) -> None:
    """Raise unless the channels can be shared out among the heads.

    Raises:
        InputError: they cannot.
    """
    if heads < 1 or channels < 1 or channels % heads:
        raise InputError(
            f"expected a number of heads that divides the {channels} channels, got {heads}"
        )


def check_allowed(allowed: Tensor, shape: tuple[int, int, int]) -> None:
    """Raise unless it says for each element of each sample which keys it may attend to.

    Raises:
        InputError: another shape (batch, element, key), or it is not boolean.
    """
    if allowed.dtype is not torch.bool or tuple(allowed.shape) != shape:
        raise InputError(
            f"expected allowed pairs as a boolean tensor (batch, element, key) = {shape}, got "
            f"{allowed.dtype} of shape {tuple(allowed.shape)}"
        )


def reset_linear(layer: nn.Linear, generator: torch.Generator | None) -> None:
    """Weights that keep unit variance; no bias."""
    nn.init.normal_(layer.weight, std=1 / sqrt(layer.in_features), generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
