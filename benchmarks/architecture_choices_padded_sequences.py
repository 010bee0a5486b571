"""Sequences that move within a window of padding: what relative positions are made for."""

from collections.abc import Callable

import torch
from architecture_choices_attention import Attention, Bias, Rotary, Sinusoids
from architecture_choices_layers import Table
from architecture_choices_sequences import Recurrent, Ring
from architecture_choices_study import Row, Study, made, noise
from torch import Tensor, nn

from goldstone import Symmetry
from goldstone.actions import sequence_symmetry

LENGTH, TOKENS, WIDTH = 16, 8, 8


class Network(nn.Module):
    """As for rings, with padding (zeros) left out of attention and of the output."""

    def __init__(
        self,
        mixing: Callable[[], nn.Module] = Attention,
        positions: Callable[[], nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        self.embed, self.positions = nn.Linear(4, WIDTH), positions()
        self.mixing, self.last = mixing(), nn.Linear(WIDTH, 4)

    def forward(self, x: Tensor) -> Tensor:
        seen = x.abs().amax(2) > 0
        kept = seen[..., None].to(x.dtype)
        x = self.positions(self.embed(x)) * kept
        mixed = self.mixing(x, seen) if isinstance(self.mixing, Attention) else self.mixing(x)
        return self.last(nn.functional.gelu(x + mixed)) * kept


def rows() -> tuple[Row, ...]:
    """The architectures, and what theory says."""

    def row(
        name: str,
        expected: str,
        why: str,
        mixing: Callable[[], nn.Module] = Attention,
        positions: Callable[[], nn.Module] = nn.Identity,
    ) -> Row:
        return Row(name, made(Network, mixing, positions), expected, why)

    def window(kind: str) -> Callable[[], nn.Module]:
        return lambda: Attention(window=kind)

    return (
        row("attention, no positions", "EEE", "a function of a set"),
        row("learned positions", "BBB", "a vector for every place",
            positions=lambda: Table(LENGTH, WIDTH, size=0.2)),
        row("positions from zero", "SSS", "exact until they are trained",
            positions=lambda: Table(LENGTH, WIDTH, size=0.0)),
        row("sinusoids", "BBB", "a fixed vector for every place", positions=Sinusoids),
        row("relative bias", "EEE", "offsets move along",
            lambda: Attention(bias=Bias(LENGTH, "line"))),
        row("rotary", "EEE", "products of turned vectors depend on offsets alone",
            lambda: Attention(rotary=Rotary(WIDTH))),
        row("causal", "EEE", "before stays before", window("causal")),
        row("sliding window", "EEE", "neighbours stay neighbours", window("near")),
        row("windows of 4", "BBE", "windows stay where they are", window("blocks")),
        row("zero-padded convolution", "EEE", "zeros outside, zeros as padding",
            lambda: Ring("zeros")),
        row("LSTM", "BBB", "reads the padding before the first token, and its biases act there",
            Recurrent),
    )  # fmt: skip


def study() -> Study:
    """Shifts of 8 tokens in a window of 16."""
    shifts = sequence_symmetry("padded-shifts", LENGTH)
    tokens = torch.cat((noise(8, TOKENS, 4), torch.zeros(8, LENGTH - TOKENS, 4)), 1)
    return Study(
        "Sequences that move",
        f"{TOKENS} vectors in a window of {LENGTH} places, the rest padding that is masked; the "
        "same networks.",
        tokens,
        (Symmetry("shifts", shifts.group, shifts.on_input, shifts.on_output, elements=(1, 2, 4)),),
        ("shift 1", "shift 2", "shift 4"),
        rows(),
    )
