"""Connected components against a search one point at a time."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.groups.connected import connected_labels, link_labels


def labels_by_search(count, links):
    labels = [None] * count
    number = 0
    for start in range(count):
        if labels[start] is None:
            waiting = [start]
            while waiting:
                x = waiting.pop()
                labels[x] = number
                near = [b for a, b in links if a == x] + [a for a, b in links if b == x]
                waiting += [y for y in near if labels[y] is None]
            number += 1
    return labels


@given(st.data(), st.integers(1, 30))
def test_links(data, count):
    points = st.integers(0, count - 1)
    links = data.draw(st.lists(st.tuples(points, points), max_size=40))
    ends = torch.tensor(links, dtype=torch.int64).reshape(-1, 2)
    assert link_labels(count, ends[:, 0], ends[:, 1]).tolist() == labels_by_search(count, links)


def test_a_long_path_in_random_order():
    count = 5000
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    assert link_labels(count, order[:-1], order[1:]).unique().tolist() == [0]
    assert connected_labels(count, [(torch.arange(count) + 2) % count]).tolist() == [0, 1] * 2500
    assert connected_labels(3, []).tolist() == [0, 1, 2]
