"""What is refused before any work, and that nothing is changed by looking."""

import pytest
import torch
from torch import nn

from goldstone.auditing.inspection import (
    check_model,
    model_place,
    numerical_floor,
    predict,
    weights_sha256,
)
from goldstone.core import InputError

X = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(0))


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def conv(*more):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), *more)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (conv(nn.Dropout(0.5)), r"'1' \(Dropout\) is in training mode.*eval"),
        (conv(nn.BatchNorm2d(2)), r"'1' \(BatchNorm2d\) is in training mode"),
        (conv(nn.InstanceNorm2d(2, track_running_stats=True)), "InstanceNorm2d"),
        (Function(lambda x: x + torch.randn_like(x)), "stochastic"),
        (Function(lambda x: x - x.mean(0)), "depends on the other samples"),
        (Function(lambda x: x[:, :1]), r"shape \(3, 2, 8, 8\), got \(3, 1, 8, 8\)"),
        (Function(lambda x: (x, x)), "got tuple"),
        (Function(lambda x: x / 0), "NaN or infinite"),
        (nn.Conv2d(3, 2, 1), r"fails on inputs of shape \(3, 2, 8, 8\)"),
    ],
)
def test_models_that_would_make_every_number_wrong_are_refused(model, message):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError, match=message):
        check_model(model, X, X)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("more", [nn.Dropout(0.5), nn.BatchNorm2d(2), nn.InstanceNorm2d(2)])
def test_the_same_modules_are_fine_in_eval_mode(more):
    check_model(conv(more).eval(), X, X)


def test_a_module_that_only_normalises_is_fine_in_training_mode():
    check_model(conv(nn.GroupNorm(1, 2), nn.InstanceNorm2d(2)), X, X)


def test_place_is_that_of_the_first_number():
    assert model_place(conv().double()) == (torch.device("cpu"), torch.float64)
    assert model_place(nn.Identity()) == (torch.device("cpu"), torch.float32)
    complex_first = nn.Module()
    complex_first.w = nn.Parameter(torch.zeros(2, dtype=torch.complex128))
    assert model_place(complex_first)[1] == torch.float64


def test_predictions_do_not_depend_on_the_batch():
    model = conv()
    torch.testing.assert_close(predict(model, X, 2), model(X).detach())
    assert not predict(model, X).requires_grad


def test_the_floor_of_a_network_is_its_rounding_error():
    model = conv(nn.Tanh(), nn.Conv2d(2, 2, 3, padding=1))
    floor = numerical_floor(model, X)
    assert torch.finfo(torch.float32).eps <= floor <= 1e-5
    assert torch.finfo(torch.float64).eps <= numerical_floor(model.double(), X.double()) <= 1e-14


def test_the_floor_sees_cancellation():
    class Cancel(nn.Module):
        def __init__(self):
            super().__init__()
            self.big = nn.Parameter(torch.tensor(1000.0))

        def forward(self, x):
            return (x + self.big) - self.big

    # The relative rounding error of x + 1000 is a thousand times that of x.
    assert 1e-5 < numerical_floor(Cancel(), X) < 1e-3


def test_the_floor_leaves_the_model_alone_and_casts_complex_parts():
    class Spectral(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(2, dtype=torch.complex64))
            self.register_buffer("scale", torch.tensor(3.0))

        def forward(self, x):
            return torch.fft.ifft2(torch.fft.fft2(x) * self.w[:, None, None]).real * self.scale

    model = Spectral()
    before = {name: (value, value.clone()) for name, value in model.state_dict().items()}
    assert 1e-7 < numerical_floor(model, X) < 1e-5
    for name, value in model.state_dict().items():
        same, copied = before[name]
        assert value.data_ptr() == same.data_ptr()
        assert value.dtype == copied.dtype
        assert torch.equal(value, copied)


def test_a_model_that_cannot_be_copied_or_cast_has_the_floor_of_its_precision():
    eps = torch.finfo(torch.float32).eps

    class Fixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = conv()
            self.table = torch.ones(2, 2, 1, 1)

        def forward(self, x):
            return nn.functional.conv2d(self.inner(x), self.table)

    assert numerical_floor(Fixed(), X) == eps
    uncopied = conv()
    uncopied.kept = uncopied(X)
    assert numerical_floor(uncopied, X) == eps


def test_the_hash_sees_every_weight_and_name():
    a, b = conv(), conv()
    assert weights_sha256(a) == weights_sha256(b)
    with torch.no_grad():
        b[0].bias[1] += 1e-7
    assert weights_sha256(a) != weights_sha256(b)
