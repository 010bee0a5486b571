import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.curvature import batched_gradients, per_sample_gradients


def loss(output, target):
    return ((output - target) ** 2).mean(dim=tuple(range(1, output.ndim)))


def loop(model, inputs, targets):
    return per_sample_gradients(model, lambda y, i: loss(y, targets[i : i + 1]).sum(), inputs)


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_equals_the_loop(model, inputs, chunk):
    targets = inputs.flip(0)
    found = batched_gradients(model, loss, inputs, targets, chunk)
    torch.testing.assert_close(found.rows, loop(model, inputs, targets), rtol=1e-10, atol=1e-12)


def test_says_which_path_it_took(make_model, inputs):
    found = batched_gradients(make_model("unused"), loss, inputs, inputs)
    assert (found.path, found.reason) == ("vmap", "")
    refused = batched_gradients(make_model("backward-only unused"), loss, inputs, inputs)
    assert refused.path == "loop"
    assert refused.reason.startswith("vmap refused")


def test_a_batch_norm_in_training_goes_through_the_loop_and_is_updated_by_it_alone(inputs):
    def fresh():
        return nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1)).double().train()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, other = fresh(), fresh()
    other.load_state_dict(model.state_dict())
    found = batched_gradients(model, loss, inputs, inputs)
    wanted = loop(other, inputs, inputs)
    assert found.path == "loop"
    torch.testing.assert_close(found.rows, wanted)
    assert torch.equal(model[0].running_mean, other[0].running_mean)


def test_random_layers_go_through_the_loop(inputs):
    model = nn.Sequential(nn.Conv2d(2, 2, 1), nn.Dropout(0.5)).double()
    assert batched_gradients(model, loss, inputs, inputs).path == "loop"


def test_operations_in_place_on_the_input_go_through_the_loop(inputs):
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, x):
            out = torch.zeros(1, 2, 4, 6, dtype=x.dtype)
            out[:, :1] = self.layer(x[:, :1])
            return out

    model = InPlace().double()
    found = batched_gradients(model, loss, inputs, inputs)
    torch.testing.assert_close(found.rows, loop(model, inputs, inputs))
    assert found.path == "loop"


def test_bad_input(make_model, inputs):
    with pytest.raises(InputError, match="as many inputs as targets"):
        batched_gradients(make_model("unused"), loss, inputs, inputs[:2])
    with pytest.raises(InputError, match="at least one"):
        batched_gradients(make_model("unused"), loss, inputs[:0], inputs[:0])
    broken = inputs.clone()
    broken[3] = float("nan")
    with pytest.raises(InputError, match="sample 3"):
        batched_gradients(make_model("unused"), loss, broken, inputs)
