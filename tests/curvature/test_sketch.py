"""Sketched products against the exact ones, of gradients of a trained network."""

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.curvature import CountSketch, per_sample_gradients, sketch_gradients


@pytest.fixture(scope="module")
def trained():
    """A regression network whose gradients are small, aligned and of very unequal entries."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.Tanh(), nn.Flatten())
        model.extend([nn.Linear(8 * 36, 24), nn.Tanh(), nn.Linear(24, 3)])
        inputs = torch.randn(40, 2, 6, 6)
        targets = torch.stack(
            [inputs.mean((1, 2, 3)), inputs[:, 0, 0, 0], inputs[:, 1].std((1, 2))], 1
        )
        optimiser = torch.optim.Adam(model.parameters(), 3e-3)
        first = last = 0.0
        for step in range(300):
            loss = (model(inputs) - targets).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            first, last = (float(loss), last) if step == 0 else (first, float(loss))
        assert last < 0.05 * first
    return model, inputs[:12], lambda y, i: (y - targets[i]).square().mean()


def test_is_unbiased_on_a_trained_network_and_knows_its_error(trained):
    model, inputs, scalar = trained
    rows = per_sample_gradients(model, scalar, inputs)
    exact = rows.double() @ rows.double().T
    norms = exact.diagonal().sqrt()
    scale = norms[:, None] * norms
    errors, claims = [], []
    for seed in range(60):
        sketch = CountSketch.make(rows.shape[1], 64, 8, seed)
        values = torch.stack([sketch.apply(row) for row in rows], 1).double()
        replicates = values @ values.transpose(1, 2)
        errors.append((replicates.mean(0) - exact) / scale)
        claims.append(replicates.std(0) / 8**0.5 / scale)
    errors, claims = torch.stack(errors), torch.stack(claims)
    # Unbiased, within the chance of 60 maps.
    z = errors.mean(0) / (errors.std(0) / 60**0.5)
    assert float(z.square().mean()) < 2
    # The variance is within the bound, and the error bars are of the right size,
    cosine = exact / scale
    bound = ((1 + cosine.square()) / (64 * 8)).sqrt()
    assert float((errors.square().mean(0).sqrt() / bound).max()) < 1.3
    assert float(claims.square().mean().sqrt()) == pytest.approx(
        float(errors.square().mean().sqrt()), rel=0.15
    )
    # and cover as Student's t with seven degrees of freedom does: 95 % within 2.36.
    covered = float((errors.abs() <= 2.36 * claims).double().mean())
    assert 0.92 < covered < 0.98


def test_streaming_is_sketching_of_the_rows(trained):
    model, inputs, scalar = trained
    found = sketch_gradients(model, scalar, inputs, width=50, sketches=9, seed=3)
    rows = per_sample_gradients(model, scalar, inputs)
    assert found.values.shape == (9, 12, 50)
    assert found.length == rows.shape[1]
    sketch = CountSketch.make(rows.shape[1], 50, 9, 3)
    wanted = torch.stack([sketch.apply(row) for row in rows], 1)
    torch.testing.assert_close(found.values, wanted)
    products = found.gram()
    torch.testing.assert_close(products.gram, products.replicates.mean(0))
    again = sketch_gradients(model, scalar, inputs, width=50, sketches=9, seed=3)
    assert torch.equal(again.values, found.values)


def test_the_map_is_a_count_sketch():
    """Each coordinate goes, with a sign, to one bucket; the buckets are of equal size."""
    length, width = 1003, 17
    sketch = CountSketch.make(length, width, 3, 0)
    columns = torch.stack([sketch.apply(e) for e in torch.eye(length, dtype=torch.float64)])
    assert bool((columns.abs().sum(2) == 1).all())
    bucket = columns.abs().argmax(2)
    assert bool((bucket == bucket[:, :1]).all())
    counts = bucket[:, 0].bincount(minlength=width)
    assert int(counts.max()) - int(counts.min()) <= 1
    signs = columns.sum(2)
    # Signs of different sketches are independent of one another.
    correlation = torch.corrcoef(signs.T) - torch.eye(3, dtype=torch.float64)
    assert float(correlation.abs().max()) < 4 / length**0.5


def test_long_rows_are_summed_across_slices():
    source = torch.Generator().manual_seed(0)
    row = torch.randn(200_003, dtype=torch.float64, generator=source)
    sketch = CountSketch.make(len(row), 1000, 2, 0)
    wanted = torch.zeros(2, 1000, dtype=torch.float64)
    bucket = torch.empty(len(row), dtype=torch.int64)
    place = torch.arange(len(row))
    bucket = place % 1000 if len(row) <= 65_000 else (place % 65_000) % 1000
    for r in range(2):
        sign = 1.0 - 2 * ((sketch.signs[0].long() >> r) & 1)
        wanted[r].index_add_(0, bucket, row[sketch.order.long()] * sign)
    torch.testing.assert_close(sketch.apply(row), wanted)


def test_sets_are_compared_under_one_map(trained):
    model, inputs, scalar = trained
    a = sketch_gradients(model, scalar, inputs[:5], width=40)
    b = sketch_gradients(model, lambda y, i: scalar(y, i + 5), inputs[5:], width=40)
    both = a.joined(b).gram()
    together = sketch_gradients(model, scalar, inputs, width=40).gram()
    torch.testing.assert_close(both.gram, together.gram, rtol=1e-5, atol=1e-12)
    other = sketch_gradients(model, scalar, inputs[:2], width=40, seed=1)
    with pytest.raises(InputError, match="share seed"):
        a.joined(other)


def test_bad_input(trained):
    model, inputs, scalar = trained
    with pytest.raises(InputError, match="two sketches"):
        sketch_gradients(model, scalar, inputs, sketches=1)
    with pytest.raises(InputError, match="positive width"):
        sketch_gradients(model, scalar, inputs, width=0)
    with pytest.raises(InputError, match="no trainable parameter"):
        sketch_gradients(nn.Tanh(), scalar, inputs)
    broken = inputs.clone()
    broken[3] = float("nan")
    with pytest.raises(InputError, match="sample 3"):
        sketch_gradients(model, scalar, broken)
