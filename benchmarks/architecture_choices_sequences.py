"""Sequences on a ring: positions, windows of attention, recurrence and convolution."""

from collections.abc import Callable

from architecture_choices_attention import Attention, Bias, Rotary, Sinusoids
from architecture_choices_layers import Table
from architecture_choices_study import Row, Study, made, noise
from torch import Tensor, nn

from goldstone import Symmetry
from goldstone.actions import sequence_symmetry
from goldstone.groups import PermutationGroup

LENGTH, WIDTH = 12, 8


class Network(nn.Module):
    """Linear, the choice of positions, the choice of a mixing layer, GELU, linear."""

    def __init__(
        self,
        mixing: Callable[[], nn.Module] = Attention,
        positions: Callable[[], nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        self.embed, self.positions = nn.Linear(4, WIDTH), positions()
        self.mixing, self.last = mixing(), nn.Linear(WIDTH, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.positions(self.embed(x))
        return self.last(nn.functional.gelu(x + self.mixing(x)))


class Ring(nn.Module):
    """A convolution along the sequence."""

    def __init__(self, padding_mode: str) -> None:
        super().__init__()
        self.layer = nn.Conv1d(WIDTH, WIDTH, 3, padding=1, padding_mode=padding_mode)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.mT).mT


class Recurrent(nn.Module):
    """An LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(WIDTH, WIDTH, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


class Mixer(nn.Module):
    """A matrix along the sequence, as MLP-Mixer has it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(LENGTH, LENGTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.mT).mT


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

    def biased(kind: str, size: float = 1.0) -> Callable[[], nn.Module]:
        return lambda: Attention(bias=Bias(LENGTH, kind, size))

    def turned(*, ring: bool) -> Callable[[], nn.Module]:
        return lambda: Attention(rotary=Rotary(WIDTH, ring=LENGTH if ring else None))

    def window(kind: str) -> Callable[[], nn.Module]:
        return lambda: Attention(window=kind)

    return (
        row("attention, no positions", "EEEEE", "a function of a set"),
        row("learned positions", "BBBBB", "a vector for every place",
            positions=lambda: Table(LENGTH, WIDTH, size=0.2)),
        row("positions from zero", "SSSSS", "exact until they are trained",
            positions=lambda: Table(LENGTH, WIDTH, size=0.0)),
        row("sinusoids", "BBBBB", "a fixed vector for every place", positions=Sinusoids),
        row("relative bias", "BBBBB", "offsets i − j do not go round, and know a direction",
            biased("line")),
        row("relative bias from zero", "SSSSS", "exact until it is trained",
            biased("line", 0.0)),
        row("relative bias on the ring", "EEEBB", "offsets modulo the length", biased("ring")),
        row("bias by distance on the ring", "EEEEB", "no direction either", biased("distance")),
        row("rotary", "BBBBB", "offsets on a line", turned(ring=False)),
        row("rotary, whole turns", "EEEBB", "frequencies 2πk/T go round", turned(ring=True)),
        row("sliding window on the ring", "EEEEB", "neighbours stay neighbours",
            window("sliding")),
        row("windows of 4", "BBEEE", "windows stay, or are mirrored onto each other; a set inside",
            window("blocks")),
        row("causal", "BBBBB", "the first token sees itself alone", window("causal")),
        row("circular convolution", "EEEBB", "commutes with shifts of the ring",
            lambda: Ring("circular")),
        row("zero-padded convolution", "BBBBB", "the ends show", lambda: Ring("zeros")),
        row("LSTM", "BBBBB", "starts at the first token", Recurrent),
        row("a matrix along the sequence", "BBBBB", "a weight for every pair of places", Mixer),
    )  # fmt: skip


def study() -> Study:
    """Shifts that go round, reversal, and an exchange of two neighbours."""
    shifts = sequence_symmetry("cyclic-shifts", LENGTH)
    reversal = sequence_symmetry("reversal", LENGTH)
    order = tuple(range(LENGTH))
    exchange = (1, 0, *order[2:])
    both = reversal.on_input
    exchanges = Symmetry(
        "exchange", PermutationGroup([exchange], "exchange"), both, both, elements=(exchange,)
    )
    elements = (1, 2, 4)
    shifts = Symmetry("shifts", shifts.group, shifts.on_input, shifts.on_output, elements=elements)
    return Study(
        "Sequences that go round",
        f"Sequences of {LENGTH} vectors, an output at every place. Linear, positions, a mixing "
        "layer with a residual, GELU, linear.",
        noise(8, LENGTH, 4),
        (shifts, reversal, exchanges),
        ("shift 1", "shift 2", "shift 4", "reversal", "exchange of two"),
        rows(),
    )
