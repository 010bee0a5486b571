import pytest
import torch

from goldstone.core import InputError
from goldstone.curvature import chunk_rows, inner_products, memory_bytes


def test_equal_the_float64_product_across_slices():
    source = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 300_000, generator=source), torch.randn(3, 300_000, generator=source)
    wanted = a.double() @ b.double().T
    torch.testing.assert_close(inner_products(a, b), wanted, rtol=1e-12, atol=1e-9)
    torch.testing.assert_close(inner_products(a), a.double() @ a.double().T, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 10**9), ("1.5 mb", 1_500_000), ("7", 7), (12, 12), ("3k", None), ("-1", None)],
)
def test_sizes_of_memory(text, size):
    if size is None:
        with pytest.raises(InputError, match="size of memory"):
            memory_bytes(text)
    else:
        assert memory_bytes(text) == size


def test_rows_that_fit():
    assert chunk_rows("1KB", 10) == 25
    assert chunk_rows(1000, 10, torch.float64) == 12
    with pytest.raises(InputError, match="400 bytes"):
        chunk_rows(399, 100)
