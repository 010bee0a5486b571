"""Sets: heads and layers that see an order, and those that do not."""

from collections.abc import Callable
from dataclasses import replace

import torch
from architecture_choices_layers import Table
from architecture_choices_study import Row, Study, made, noise
from torch import Tensor, nn

from goldstone.actions import set_symmetry

SIZE, WIDTH = 6, 8
SYMMETRY = set_symmetry(SIZE)


class Pooled(nn.Module):
    """DeepSets (Zaheer et al. 2017): a network for each element, a pool, a network."""

    def __init__(self, pool: Callable[[Tensor], Tensor], places: int = 1) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Linear(3, WIDTH), nn.GELU())
        self.pool = pool
        self.rest = nn.Sequential(nn.Linear(WIDTH * places, WIDTH), nn.GELU(), nn.Linear(WIDTH, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.pool(self.each(x)))


class Attended(nn.Module):
    """Attention among the elements, and by a trainable query."""

    def __init__(self, positions: float | None = None) -> None:
        super().__init__()
        self.embed = nn.Linear(3, WIDTH)
        self.positions = nn.Identity() if positions is None else Table(SIZE, WIDTH, size=positions)
        self.mixing = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.query = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.reading = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.last = nn.Linear(WIDTH, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.positions(self.embed(x))
        x = x + self.mixing(x, x, x, need_weights=False)[0]
        query = self.query.expand(len(x), -1, -1)
        return self.last(self.reading(query, x, x, need_weights=False)[0][:, 0])


class Recurrent(nn.Module):
    """The last state of an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.last = nn.LSTM(3, WIDTH, batch_first=True), nn.Linear(WIDTH, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.layer(x)[0][:, -1])


class Sorted(nn.Module):
    """The elements in the order of their first feature, end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.rest = nn.Sequential(nn.Linear(3 * SIZE, WIDTH), nn.GELU(), nn.Linear(WIDTH, 2))

    def forward(self, x: Tensor) -> Tensor:
        order = x[..., 0].argsort(1)[..., None].expand_as(x)
        return self.rest(x.gather(1, order).flatten(1))


def rows() -> tuple[Row, ...]:
    """The architectures, and what theory says."""
    mean, flat = (lambda h: h.mean(1)), (lambda h: h.flatten(1))
    return (
        Row("sum of elements", made(Pooled, lambda h: h.sum(1)), "EEE", "sums know no order"),
        Row("mean of elements", made(Pooled, mean), "EEE", "nor do means"),
        Row("maximum of elements", made(Pooled, lambda h: h.amax(1)), "EEE", "nor maxima"),
        Row("attention and a query", made(Attended), "EEE", "weights go with their elements"),
        Row("attention, positions from zero", made(Attended, 0.0), "SSS",
            "exact until they are trained"),
        Row("attention, learned positions", made(Attended, 0.2), "BBB", "a vector for every place"),
        Row("sorted, end to end", made(Sorted), "EEE", "one order for all orders (not smooth)"),
        Row("end to end", made(Pooled, flat, SIZE), "BBB", "a weight for every place"),
        Row("the first element", made(Pooled, lambda h: h[:, 0]), "BBB", "sees one place"),
        Row("LSTM", made(Recurrent), "BBB", "the last are remembered best"),
    )  # fmt: skip


def study() -> Study:
    """An exchange, a cyclic shift and the reversal of six elements."""
    return Study(
        "Sets",
        f"Sets of {SIZE} vectors, an output that should not move.",
        noise(8, SIZE, 3),
        (replace(SYMMETRY, elements=SYMMETRY.elements[:3]),),
        ("exchange of two", "cyclic shift", "reversal"),
        rows(),
    )  # fmt: skip
