"""Seeds of named streams."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import derive_seed, generator


def test_known_value():
    # printf '0/trajectory/3' | sha256sum begins with the sixteen digits below; the sign bit is cut.
    assert derive_seed(0, "trajectory", 3) == 0x7F6577850AF8F9EA >> 1


@given(st.integers(0, 2**62), st.text("abc", min_size=1), st.integers(0, 1000))
def test_seeds_are_valid_and_differ_by_name_and_number(seed, name, number):
    derived = derive_seed(seed, name, number)
    assert 0 <= derived < 2**63
    assert len({derived, derive_seed(seed, name, number + 1), derive_seed(seed, name)}) == 3
    assert derive_seed(seed + 1, name, number) != derived


def test_equal_streams_repeat_and_distinct_ones_are_uncorrelated():
    draws = torch.stack([torch.randn(20_000, generator=generator(7, "x", k)) for k in range(8)])
    again = torch.randn(20_000, generator=generator(7, "x", 3))
    assert torch.equal(draws[3], again)
    correlation = torch.corrcoef(draws) - torch.eye(8)
    # Standard error 1/√20000 = 0.007; 28 pairs stay below 4.5 of it.
    assert correlation.abs().max() < 0.032
