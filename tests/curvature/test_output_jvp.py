import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

from goldstone.core import InputError
from goldstone.curvature import output_jvps, trainable_parameters
from goldstone.curvature.parameters import vector_size


def directions(model, count=3):
    size = vector_size(trainable_parameters(model))
    source = torch.Generator().manual_seed(2)
    return torch.randn(count, size, dtype=torch.float64, generator=source)


def test_equals_the_dense_jacobian(model, inputs, jacobian):
    v = directions(model)
    found, path = output_jvps(model, inputs[:2], v)
    torch.testing.assert_close(found, v @ jacobian(model, inputs[:2]).T, rtol=1e-11, atol=1e-12)
    backward_only = type(model).__name__ == "BackwardOnly"
    assert path == ("double backward" if backward_only else "forward mode")


def test_equals_jacrev(make_model, inputs):
    model, x = make_model("unused"), inputs[:2]
    parameters = {name: p.detach() for name, p in trainable_parameters(model).items()}
    dense = jacrev(lambda values: functional_call(model, values, (x,)))(parameters)
    matrix = torch.cat([block.reshape(model(x).numel(), -1) for block in dense.values()], 1)
    v = directions(model)
    torch.testing.assert_close(output_jvps(model, x, v)[0], v @ matrix.T, rtol=1e-11, atol=1e-12)


def test_attention_has_a_forward_derivative(jacobian):
    torch.manual_seed(0)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Linear(4, 12).double()

        def forward(self, x):
            q, k, v = self.maps(x).chunk(3, -1)
            return nn.functional.scaled_dot_product_attention(q, k, v)

    model = Attention()
    x = torch.randn(2, 5, 4, dtype=torch.float64)
    v = directions(model)
    found, path = output_jvps(model, x, v)
    assert path == "forward mode"
    torch.testing.assert_close(found, v @ jacobian(model, x).T, rtol=1e-11, atol=1e-12)


def test_the_model_is_left_as_found(model, inputs):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    output_jvps(model, inputs, directions(model))
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


class Detached(torch.autograd.Function):
    """A sine whose backward pass is right, but cannot be followed: g cos x, detached."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, g):
        return g.detach() * ctx.saved_tensors[0].detach().cos()


class OnceOnly(Detached):
    """The same, and torch knows it."""

    backward = staticmethod(torch.autograd.function.once_differentiable(Detached.backward))


@pytest.mark.parametrize("function", [Detached, OnceOnly])
def test_without_a_second_derivative_differences_are_taken(function):
    """Double backward alone would lose the first layer's part of J without a word."""
    torch.manual_seed(0)

    class Kernel(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 4).double(), nn.Linear(4, 4).double()

        def forward(self, x):
            return self.last((function.apply if self.training else torch.sin)(self.first(x)))

    model, x = Kernel(), torch.randn(3, 4, dtype=torch.float64)
    v = directions(model)
    found, path = output_jvps(model, x, v)
    assert path == "central differences"
    exact, path = output_jvps(model.eval(), x, v)
    assert path == "forward mode"
    torch.testing.assert_close(found, exact, rtol=1e-8, atol=1e-8)


def test_torchscript_says_what_to_do():
    with pytest.warns(DeprecationWarning, match="deprecated"):
        scripted = torch.jit.script(nn.Linear(3, 2).double())
    with pytest.raises(InputError, match="module that a TorchScript model was made of"):
        output_jvps(scripted, torch.ones(2, 3, dtype=torch.float64), directions(scripted))


@pytest.mark.parametrize("together", [2, 3, 8])
def test_directions_pushed_together_are_those_pushed_alone(model, inputs, jacobian, together):
    v = directions(model, 6)
    found, _ = output_jvps(model, inputs[:2], v, together=together)
    torch.testing.assert_close(found, v @ jacobian(model, inputs[:2]).T, rtol=1e-11, atol=1e-12)


def test_a_model_that_refuses_vmap_takes_directions_one_by_one(inputs):
    torch.manual_seed(0)

    class Sine(torch.autograd.Function):
        """Without rules for vmap."""

        @staticmethod
        def forward(x):
            return x.sin()

        @staticmethod
        def setup_context(context, inputs, output):
            context.save_for_forward(*inputs)

        @staticmethod
        def jvp(context, tangent):
            return tangent * context.saved_tensors[0].cos()

    class Waves(nn.Module):
        def __init__(self):
            super().__init__()
            self.map = nn.Conv2d(inputs.shape[1], 1, 1).double()
            self.calls = 0

        def forward(self, x):
            y = Sine.apply(self.map(x))
            self.calls += 1
            return y

    model = Waves()
    v = directions(model, 5)
    found, path = output_jvps(model, inputs[:2], v, together=4)
    assert path == "forward mode"
    # One for each direction: the refused attempt does not get so far.
    assert model.calls == 5
    slopes = inputs[:2].flatten(2), model.map(inputs[:2]).cos().flatten(2)
    wanted = [slopes[1][:, 0] * (torch.einsum("ncx,c->nx", slopes[0], w[:-1]) + w[-1]) for w in v]
    torch.testing.assert_close(found, torch.stack(wanted).flatten(1), rtol=1e-11, atol=1e-12)


def test_progress_counts_every_direction_once(model, inputs):
    class Counted:
        done = 0

        def advance(self, count=1):
            self.done += count

    task = Counted()
    output_jvps(model, inputs[:2], directions(model, 7), task, together=3)
    assert task.done == 7
