"""Graph networks of torch_geometric: invariant under the order of nodes, for all weights.

Needs ``pip install torch_geometric``. An audit takes samples along the first axis, so graphs of
different sizes come padded, with a mask; a module around the network makes of them the batch of
torch_geometric, where nodes are concatenated and edges listed.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from goldstone import AuditSettings, audit
from goldstone.actions import Context, graph_symmetry, ragged_graph_symmetry
from goldstone.systems.losses import mse
from goldstone.testing import LawError, assert_equivariant

torch_geometric = pytest.importorskip("torch_geometric", reason="needs pip install torch_geometric")

NODES, FEATURES = 6, 3
SYMMETRY = graph_symmetry(NODES, {"nodes": "node", "adjacency": "adjacency", "mask": "node"})
SYMMETRY = replace(SYMMETRY, elements=SYMMETRY.elements[:3])


class OfPadded(nn.Module):
    """A network of (x, edge_index), pooled over each graph, called on padded graphs."""

    def __init__(self, network: nn.Module, *, numbered: bool = False) -> None:
        super().__init__()
        self.network, self.head = network, nn.Linear(8, 1)
        self.number = nn.Parameter(torch.randn(NODES, FEATURES)) if numbered else None

    def forward(self, nodes: Tensor, adjacency: Tensor, mask: Tensor) -> Tensor:
        from torch_geometric.nn import global_add_pool

        if self.number is not None:
            nodes = nodes + self.number
        # The places that the mask leaves, numbered as they follow one another.
        number = mask.flatten().cumsum(0).reshape(mask.shape) - 1
        sample, i, j = adjacency.nonzero().T
        edge_index = torch.stack([number[sample, i], number[sample, j]])
        graph = mask.nonzero()[:, 0]
        found = self.network(nodes[mask], edge_index)
        pooled: Tensor = self.head(global_add_pool(found, graph, size=len(nodes)))
        return pooled


def gin() -> nn.Module:
    model: nn.Module = torch_geometric.nn.GIN(FEATURES, 8, num_layers=2, act="tanh")
    return model


def gcn() -> nn.Module:
    model: nn.Module = torch_geometric.nn.GCN(FEATURES, 8, num_layers=2, act="tanh")
    return model


def gat() -> nn.Module:
    model: nn.Module = torch_geometric.nn.GAT(FEATURES, 8, num_layers=2, heads=2, act="tanh")
    return model


def graphs(n: int, seed: int) -> tuple[dict[str, Tensor], Tensor]:
    """Random graphs of three to six nodes, padded; the target is Σ over edges of x_i x_j."""
    source = torch.Generator().manual_seed(seed)
    sizes = torch.randint(3, NODES + 1, (n, 1), generator=source)
    mask = torch.arange(NODES) < sizes
    nodes = torch.randn(n, NODES, FEATURES, generator=source, dtype=torch.float64)
    nodes = nodes * mask[..., None]
    upper = (torch.rand(n, NODES, NODES, generator=source) < 0.6).triu(1)
    adjacency = (upper | upper.mT) & mask[:, :, None] & mask[:, None]
    adjacency = adjacency.double()
    target = torch.einsum("nif,nij,njf->n", nodes, adjacency, nodes)[:, None] / 10
    return {"nodes": nodes, "adjacency": adjacency, "mask": mask}, target


def trained(model: nn.Module, steps: int) -> nn.Module:
    inputs, targets = graphs(128, 1)
    model.double()
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        mse(model(**inputs), targets).mean().backward()
        optimiser.step()
    optimiser.zero_grad()
    return model.eval()


@pytest.mark.parametrize("network", [gin, gcn, gat])
def test_the_order_of_nodes_does_not_matter(
    network: Callable[[], nn.Module], small: Callable[..., AuditSettings]
) -> None:
    result = audit(trained(OfPadded(network()), 80), graphs(40, 2), SYMMETRY, settings=small())
    assert result.verdict.holds.answer == ("yes" if result.model.has_skill else "undetermined")
    for element in result.elements:
        assert element.grade == "exact"
        for metric in ("euclidean", "galerkin"):
            assert element.orbit_coherence[metric].estimate == pytest.approx(1, abs=1e-6)


def test_numbered_nodes_break_it(small: Callable[..., AuditSettings]) -> None:
    model = trained(OfPadded(gin(), numbered=True), 80)
    result = audit(model, graphs(40, 2), SYMMETRY, settings=small())
    for element in result.elements[1:]:
        assert element.grade != "exact"
        assert element.equivariance_error.estimate > 0.01
        assert element.orbit_coherence["euclidean"].estimate < 0.999


def test_ragged_batches_as_they_are() -> None:
    """Concatenated nodes and listed edges, permuted within each graph; outputs at the nodes."""
    source = torch.Generator().manual_seed(0)
    batch = torch.tensor([0, 0, 0, 1, 1, 1, 1])
    inputs = {
        "x": torch.randn(7, FEATURES, generator=source, dtype=torch.float64),
        "edge_index": torch.tensor([[0, 1, 2, 3, 4, 5, 3], [1, 2, 0, 4, 5, 6, 6]]),
    }
    symmetry = ragged_graph_symmetry(batch, {"x": "node", "edge_index": "edge-index"}, "node")
    assert_equivariant(gin().double().eval(), symmetry, inputs, Context())

    class Numbered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = gin()

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            found: Tensor = self.inner(x + torch.arange(7)[:, None], edge_index)
            return found

    with pytest.raises(LawError):
        assert_equivariant(Numbered().double().eval(), symmetry, inputs, Context())
