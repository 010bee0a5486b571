"""Random state: a stochastic routine takes a seed and derives its own stream by name."""

import hashlib

import torch


def derive_seed(seed: int, *names: str | int) -> int:
    """A seed for the sub-stream ``names`` of ``seed``; distinct names give independent streams.

    The first eight bytes of SHA-256 of the joined words, less the sign bit.
    """
    text = "/".join([str(int(seed)), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A ``torch.Generator`` seeded with :func:`derive_seed`."""
    return torch.Generator(device=device).manual_seed(derive_seed(seed, *names))
