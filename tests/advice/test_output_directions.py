import pytest
import torch

from goldstone.advice.output_directions import loss_covectors, output_directions
from goldstone.advice.output_losses import OutputLosses, QuadraticLosses, output_losses
from goldstone.systems.losses import cross_entropy, mse, scaled_mse

SHAPES = [(5, 3), (5, 40), (5, 8, 3), (5, 2, 16, 16), (5, 1, 12, 20), (5, 30, 8, 8)]


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parts", [1, 6, 16])
def test_directions_are_orthonormal_and_span_the_covector(shape, parts):
    outputs, covectors = drawn(*shape), drawn(*shape, seed=1).flatten(1)
    found = output_directions(outputs, covectors, parts)
    assert found.shape[1] <= max(parts, 1)
    gram = torch.einsum("nqj,nkj->nqk", found, found)
    torch.testing.assert_close(gram, torch.eye(len(gram[0])).expand_as(gram), atol=1e-5, rtol=0)
    spanned = torch.einsum("nqj,nqk,nk->nj", found, found, covectors)
    torch.testing.assert_close(spanned, covectors, atol=1e-5, rtol=1e-5)


def test_short_outputs_are_followed_whole():
    found = output_directions(drawn(4, 5, 3), drawn(4, 15), 16)
    torch.testing.assert_close(found, torch.eye(15).expand(4, -1, -1))


def test_a_piece_that_is_zero_gives_no_direction():
    covectors = drawn(4, 2, 16, 16)
    covectors[:, 1] = 0
    found = output_directions(covectors, covectors.flatten(1), 8)
    norms = found.norm(dim=2)
    torch.testing.assert_close(norms[norms > 0], torch.ones_like(norms[norms > 0]))
    assert bool((norms == 0).any())


def test_bands_are_ordered_by_wavenumber_and_split_by_channel():
    grid = 2 * torch.pi * torch.arange(16) / 16
    slow, fast = torch.cos(grid)[:, None].expand(16, 16), torch.cos(7 * grid).expand(16, 16)
    covectors = torch.stack([slow, fast])[None]
    found = output_directions(covectors, covectors.flatten(1), 8).reshape(1, -1, 2, 16, 16)
    used = found[0][found[0].flatten(1).norm(dim=1) > 0.5]
    # Rounding may leave pieces of other bands, which are normalised; these two must be there.
    overlaps = torch.einsum("qcxy,cxy->qc", used, covectors[0])
    assert sorted(overlaps.abs().argmax(0).tolist()) == overlaps.abs().argmax(0).tolist()
    torch.testing.assert_close(overlaps.abs().amax(0), covectors[0].flatten(1).norm(dim=1))


def test_covectors_are_those_of_the_loss():
    outputs, targets = drawn(4, 6), drawn(4, 6, seed=1)
    torch.testing.assert_close(loss_covectors(mse, outputs, targets), (outputs - targets) / 3)


@pytest.mark.parametrize("loss", [mse, scaled_mse])
def test_squared_errors_are_quadratic_along_directions_and_the_forms_are_right(loss):
    outputs, targets = drawn(4, 2, 8, 8), drawn(4, 2, 8, 8, seed=1)
    directions = output_directions(outputs, loss_covectors(loss, outputs, targets), 6)
    found = output_losses(loss, outputs, targets, directions)
    assert isinstance(found, QuadraticLosses)
    moves = drawn(4, directions.shape[1], seed=2).double()
    shift = torch.einsum("nq,nqj->nj", moves, directions.double()).reshape(outputs.shape)
    expected = loss(outputs.double() + shift, targets.double())
    torch.testing.assert_close(found.values(moves), expected)


def test_cross_entropy_is_followed_as_it_is():
    outputs, labels = drawn(4, 5), torch.tensor([0, 3, 1, 1])
    found = output_losses(cross_entropy, outputs, labels, torch.eye(5).expand(4, -1, -1))
    assert isinstance(found, OutputLosses)
    moves = drawn(4, 5, seed=2).double()
    moved = (outputs.double() + moves).requires_grad_()
    expected = cross_entropy(moved, labels)
    torch.testing.assert_close(found.values(moves), expected.detach())
    expected.sum().backward()
    torch.testing.assert_close(found.slopes(moves), moved.grad)


def test_a_robust_loss_is_not_taken_for_a_quadratic():
    def absolute(p, t):
        return (p - t).abs().mean(1)

    outputs, targets = drawn(4, 5), drawn(4, 5, seed=1)
    found = output_losses(absolute, outputs, targets, torch.eye(5).expand(4, -1, -1))
    assert isinstance(found, OutputLosses)
