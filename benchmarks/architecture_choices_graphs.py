"""Graphs: aggregators and encodings of nodes."""

from collections.abc import Callable
from dataclasses import replace

import torch
from architecture_choices_layers import Table
from architecture_choices_study import Row, Study, made, noise
from torch import Tensor, nn

from goldstone.actions import GraphEntry, graph_symmetry

NODES, FEATURES, WIDTH = 6, 3, 8
Aggregator = Callable[[Tensor, Tensor], Tensor]
Encoding = Callable[[Tensor], Tensor]


class Network(nn.Module):
    """Messages over weighted links, an aggregator, an update with GELU; node by node."""

    def __init__(
        self,
        aggregate: Callable[[], nn.Module] | Aggregator,
        encoding: Encoding | None = None,
        positions: float | None = None,
    ) -> None:
        super().__init__()
        extra = 2 if encoding is not None else 0
        self.encoding = encoding
        self.embed = nn.Linear(FEATURES + extra, WIDTH)
        self.positions = nn.Identity() if positions is None else Table(NODES, WIDTH, size=positions)
        self.aggregate = aggregate() if isinstance(aggregate, type) else aggregate
        self.message, self.update = nn.Linear(WIDTH, WIDTH), nn.Linear(2 * WIDTH, 2)

    def forward(self, x: Tensor, links: Tensor) -> Tensor:
        if self.encoding is not None:
            x = torch.cat((x, self.encoding(links)), 2)
        x = self.positions(self.embed(x))
        gathered = self.aggregate(links, self.message(x))
        return self.update(nn.functional.gelu(torch.cat((x, gathered), 2)))


class Attending(nn.Module):
    """Links weighted by products of the messages, as graph attention does."""

    def forward(self, links: Tensor, messages: Tensor) -> Tensor:
        logits = (messages @ messages.mT).masked_fill(links == 0, -torch.inf)
        return torch.nan_to_num(logits.softmax(2)) @ messages


class InOrder(nn.Module):
    """An LSTM over the messages, in the order of the nodes (GraphSAGE, Hamilton et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(WIDTH, WIDTH, batch_first=True)

    def forward(self, links: Tensor, messages: Tensor) -> Tensor:
        all_messages = links[..., None] * messages[:, None]
        return self.layer(all_messages.flatten(0, 1))[0][:, -1].unflatten(0, links.shape[:2])


def total(links: Tensor, messages: Tensor) -> Tensor:
    return links @ messages


def mean(links: Tensor, messages: Tensor) -> Tensor:
    return links @ messages / links.sum(2, keepdim=True).clamp_min(1e-6)


def maximum(links: Tensor, messages: Tensor) -> Tensor:
    return (links[..., None] * messages[:, None]).amax(2)


def eigenvectors(links: Tensor) -> Tensor:
    """The two slowest modes of the Laplacian, with whatever signs they come."""
    laplacian = torch.diag_embed(links.sum(2)) - links
    return torch.linalg.eigh(laplacian).eigenvectors[..., 1:3]


def without_signs(links: Tensor) -> Tensor:
    return eigenvectors(links).abs()


def returns(links: Tensor) -> Tensor:
    """How much of a random walk returns after two and three steps (Dwivedi et al. 2022)."""
    walk = links / links.sum(2, keepdim=True).clamp_min(1e-6)
    twice = walk @ walk
    return torch.stack([m.diagonal(dim1=1, dim2=2) for m in (twice, twice @ walk)], 2)


def rows() -> tuple[Row, ...]:
    """The architectures, and what theory says."""
    return (
        Row("sum of messages", made(Network, total), "EEE", "sums know no order"),
        Row("mean of messages", made(Network, mean), "EEE", "nor do means"),
        Row("maximum of messages", made(Network, maximum), "EEE", "nor maxima"),
        Row("attention", made(Network, Attending), "EEE", "weights go with their nodes"),
        Row("LSTM over messages", made(Network, InOrder), "BBB", "reads them in an order"),
        Row("node numbers, learned", made(Network, total, positions=0.5), "BBB",
            "a vector for every number"),
        Row("node numbers, from zero", made(Network, total, positions=0.0), "SSS",
            "exact until they are trained"),
        Row("Laplacian eigenvectors", made(Network, total, eigenvectors), "BBB",
            "an eigenvector has no sign of its own"),
        Row("the same without signs", made(Network, total, without_signs), "EEE",
            "up to sign they go with their nodes"),
        Row("return probabilities", made(Network, total, returns), "EEE",
            "numbers of the graph alone"),
    )  # fmt: skip


def study() -> Study:
    """An exchange, a cyclic shift and the reversal of six nodes."""
    entries: dict[str, GraphEntry] = {"x": "node", "links": "adjacency"}
    symmetry = graph_symmetry(NODES, entries, output="node")
    weights = noise(8, NODES, NODES, seed=1)
    weights = (weights + weights.mT).relu() * (1 - torch.eye(NODES))
    # A ring besides, so that every graph is connected.
    ring = torch.eye(NODES).roll(1, 0)
    return Study(
        "Graphs",
        f"Weighted graphs of {NODES} nodes, an output at every node.",
        {"x": noise(8, NODES, FEATURES), "links": weights + ring + ring.T},
        (replace(symmetry, elements=symmetry.elements[:3]),),
        ("exchange of two", "cyclic shift", "reversal"),
        rows(),
    )
