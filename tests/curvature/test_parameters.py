import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from goldstone.curvature import trainable_parameters
from goldstone.curvature.parameters import flatten_into, split_vector, vector_size

shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@given(st.lists(st.tuples(shapes, st.booleans()), min_size=1, max_size=4), st.integers(0, 99))
def test_split_inverts_flatten(kinds, seed):
    source = torch.Generator().manual_seed(seed)
    like = {
        f"p{i}": torch.randn(
            shape, dtype=torch.complex128 if is_complex else torch.float64, generator=source
        )
        for i, (shape, is_complex) in enumerate(kinds)
    }
    vector = torch.full((vector_size(like),), torch.nan, dtype=torch.float64)
    flatten_into(list(like.values()), vector)
    assert bool(torch.isfinite(vector).all())
    back = split_vector(vector, like)
    assert list(back) == list(like)
    for name, p in like.items():
        assert back[name].dtype == p.dtype
        assert torch.equal(back[name], p)


def test_a_complex_number_is_two_real_ones_in_order():
    p = torch.tensor([1 + 2j, 3 - 4j])
    vector = torch.empty(4)
    flatten_into([p], vector)
    assert vector.tolist() == [1.0, 2.0, 3.0, -4.0]


def test_only_trainable_parameters_count():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].weight.requires_grad_(False)
    assert list(trainable_parameters(model)) == ["0.bias", "1.weight", "1.bias"]
    assert vector_size(trainable_parameters(model)) == 2 + 2 + 1
