"""K-FAC and EK-FAC against dense float64 blocks of η = JᵀJ/N_out, built one output at a time."""

import copy

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.curvature import ekfac, kfac, kronecker_factors
from goldstone.curvature.parameters import parameter_slices, trainable_parameters

D = torch.float64


def seeded(make):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make().double().eval()


def data(*shape, seed=1):
    return torch.randn(shape, dtype=D, generator=torch.Generator().manual_seed(seed))


def dense_eta(model, inputs, jacobian):
    j = torch.cat([jacobian(model, x[None]) for x in inputs])
    return j.T @ j / len(j)


def restricted(eta, model, groups):
    """η with only the blocks of these groups of parameter names."""
    where = parameter_slices(trainable_parameters(model))
    result = torch.zeros_like(eta)
    for names in groups:
        index = torch.cat([torch.arange(where[n].start, where[n].stop) for n in names])
        result[index[:, None], index] = eta[index[:, None], index]
    return result


def as_matrix(metric):
    """The dense metric that the operator inverts."""
    eye = torch.eye(metric.size, dtype=D)
    inverse = metric.solve(eye)
    torch.testing.assert_close(metric.gram(eye), inverse, rtol=1e-8, atol=1e-10)
    return torch.linalg.inv(inverse) - metric.damping * eye


def both(model, inputs, **settings):
    factors = kronecker_factors(model, inputs, probes=None, **settings)
    return kfac(factors, 0.1), ekfac(model, inputs, factors, 0.1, probes=None)


def close(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8 * float(wanted.abs().max()))


EXACT = {
    "linear": (lambda: nn.Linear(3, 2), (4, 3)),
    "linear over tokens": (lambda: nn.Linear(3, 2), (4, 5, 3)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3, stride=2, padding=1), (3, 2, 7)),
    "conv2d circular": (
        lambda: nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"),
        (3, 2, 4, 5),
    ),
    "conv2d same, dilated": (
        lambda: nn.Conv2d(2, 2, (3, 2), padding="same", dilation=2),
        (2, 2, 5, 5),
    ),
    "conv3d": (lambda: nn.Conv3d(2, 2, 2, padding=(0, 1, 0)), (2, 2, 3, 3, 2)),
    "no bias": (lambda: nn.Conv2d(2, 2, 3, bias=False), (3, 2, 4, 5)),
    "transposed, no overlap": (
        lambda: nn.ConvTranspose2d(2, 3, 2, stride=2, bias=False),
        (3, 2, 2, 3),
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_one_layer_with_a_gaussian_likelihood_is_exact(name, jacobian):
    make, shape = EXACT[name]
    model, inputs = seeded(make), data(*shape)
    eta = dense_eta(model, inputs, jacobian)
    for metric in both(model, inputs):
        close(as_matrix(metric), eta)
        assert metric.mean_curvature == pytest.approx(float(eta.trace()) / len(eta))
        assert metric.damping == pytest.approx(0.1 * metric.mean_curvature)
        assert all(c.treatment == "kronecker" for c in metric.coverage)


def test_a_deep_linear_network_on_one_sample_is_exact_in_its_blocks(jacobian):
    model = seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)))
    inputs = data(1, 3)
    groups = [(f"{k}.weight", f"{k}.bias") for k in range(3)]
    wanted = restricted(dense_eta(model, inputs, jacobian), model, groups)
    for metric in both(model, inputs):
        close(as_matrix(metric), wanted)


def test_transposed_with_overlap_and_padding(jacobian):
    """On an input of one site nothing is shared, so the block is exact whatever the geometry."""
    make = lambda: nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1, output_padding=1)  # noqa: E731
    model, inputs = seeded(make), data(3, 2, 1, 1)
    wanted = restricted(dense_eta(model, inputs, jacobian), model, [("weight",)])
    found = as_matrix(both(model, inputs)[0])
    n = model.weight.numel()
    close(found[:n, :n], wanted[:n, :n])
    # Of several sites, the factors are those of the patches that each site adds to.
    inputs = data(2, 2, 3, 2)
    factors = kronecker_factors(model, inputs, probes=None)
    weight = next(b for b in factors.blocks if b.map.weight is not None)
    sites = inputs.permute(0, 2, 3, 1).reshape(-1, 2)
    close(weight.left, sites.T @ sites / len(sites))
    size = model(inputs[:1]).numel()
    g = torch.eye(size, dtype=D).reshape(-1, *model(inputs[:1]).shape[1:]) / size**0.5
    # ∂(uᵀf)/∂W for an input of one at one site and channel: the patch of u that the site adds to.
    right = torch.zeros_like(weight.right)
    for site in range(6):
        one = torch.zeros(1, 2, 6, dtype=D)
        one[0, 0, site] = 1
        copied = copy.deepcopy(model)
        for u in g:
            (p,) = torch.autograd.grad(
                (copied(one.reshape(1, 2, 3, 2))[0] * u).sum(), copied.weight
            )
            right += torch.outer(p[0].flatten(), p[0].flatten())
    close(weight.right, right)


class Field(nn.Module):
    """A small convolutional network with field outputs, a norm, in-place steps, a bare parameter
    and a layer that is used twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")
        self.norm = nn.GroupNorm(1, 2)
        self.again = nn.Conv2d(2, 2, 1)
        self.position = nn.Parameter(torch.randn(2, 4, 5))
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)

    def forward(self, x):
        x = nn.functional.relu_(self.norm(self.first(x)) + self.position)
        x = torch.tanh_(self.again(x))
        return self.again(x) * 2


def by_definition(model, inputs, jacobian):
    """Expand: mean a aᵀ ⊗ Σ g gᵀ of the layers of ``Field``, from recorded tensors, slowly."""
    outputs = model(inputs[:1]).numel()
    result = {}
    for name, kernel in (("first", 3), ("again", 1)):
        a_sum, b_sum, count = 0, 0, 0
        for x in inputs:
            seen = []
            hook = model.get_submodule(name).register_forward_hook(
                lambda m, i, o, seen=seen: (seen.append((i[0].detach(), o)), o.clone())[1]
            )
            y = model(x[None])
            hook.remove()
            for a, _ in seen:
                padded = (
                    nn.functional.pad(a, (kernel // 2,) * 4, mode="circular") if kernel > 1 else a
                )
                for i in range(a.shape[2]):
                    for k in range(a.shape[3]):
                        patch = padded[0, :, i : i + kernel, k : k + kernel].flatten()
                        patch = torch.cat([patch, torch.ones(1, dtype=D)])
                        a_sum = a_sum + torch.outer(patch, patch)
                        count += 1
            for out in range(outputs):
                gs = torch.autograd.grad(y.flatten()[out], [o for _, o in seen], retain_graph=True)
                for g in gs:
                    rows = g[0].flatten(1).T / outputs**0.5
                    b_sum = b_sum + rows.T @ rows / len(inputs)
        result[name] = torch.kron(b_sum, a_sum / count)
    return result


def test_field_outputs_equal_the_dense_product_of_factors(jacobian):
    model, inputs = seeded(Field), data(3, 2, 4, 5)
    eta = dense_eta(model, inputs, jacobian)
    found, corrected = (as_matrix(m) for m in both(model, inputs))
    where = parameter_slices(trainable_parameters(model))
    for name, wanted in by_definition(model, inputs, jacobian).items():
        layer = model.get_submodule(name)
        rows, columns = layer.weight.shape[0], layer.weight[0].numel()
        # Into the order of (weight, bias as last column).
        weight = torch.arange(where[f"{name}.weight"].start, where[f"{name}.weight"].stop)
        bias = torch.arange(where[f"{name}.bias"].start, where[f"{name}.bias"].stop)
        index = torch.cat([weight.reshape(rows, columns), bias[:, None]], 1).flatten()
        close(found[index[:, None], index], wanted)
        # EK-FAC: K-FAC's eigenvectors, the true curvature along them.
        block = eta[index[:, None], index]
        _, vectors = torch.linalg.eigh(wanted)
        values = (vectors.T @ block @ vectors).diagonal()
        close(corrected[index[:, None], index], vectors @ torch.diag(values) @ vectors.T)
        off = [(m[index[:, None], index] - block).norm() for m in (found, corrected)]
        assert float(off[1]) < float(off[0])
    for metric in (found, corrected):
        bare = slice(where["position"].start, where["position"].stop)
        close(metric[bare, bare], torch.diag(eta.diagonal()[bare]))
        for c in range(2):
            pair = torch.tensor([where["norm.weight"].start + c, where["norm.bias"].start + c])
            close(metric[pair[:, None], pair], eta[pair[:, None], pair])


def test_coverage_names_every_parameter_once(jacobian):
    model = seeded(Field)
    coverage = kfac(kronecker_factors(model, data(2, 2, 4, 5)), 0.1).coverage
    assert [(c.parameters, c.treatment) for c in coverage] == [
        ("first.weight + first.bias", "kronecker"),
        ("again.weight + again.bias", "kronecker"),
        ("norm.weight + norm.bias", "scale and shift"),
        ("position", "diagonal"),
    ]
    assert "add" in coverage[-1].reason


NORMS = {
    "batch": lambda: nn.BatchNorm2d(2),
    "group": lambda: nn.GroupNorm(2, 2),
    "instance": lambda: nn.InstanceNorm2d(2, affine=True),
    "layer": lambda: nn.LayerNorm(3),
}


@pytest.mark.parametrize("name", NORMS)
def test_norm_layers_are_exact_by_channel(name, jacobian):
    model, inputs = seeded(lambda: nn.Sequential(NORMS[name](), nn.Tanh())), data(3, 2, 2, 3)
    eta = dense_eta(model, inputs, jacobian)
    n = len(eta) // 2
    index = torch.arange(n)
    wanted = torch.zeros_like(eta)
    for a in (index, index + n):
        for b in (index, index + n):
            wanted[a, b] = eta[a, b]
    for metric in both(model, inputs):
        close(as_matrix(metric), wanted)
        assert metric.coverage[0].treatment == "scale and shift"


class Attention(nn.Module):
    def __init__(self, cross=False, **settings):
        super().__init__()
        self.inner = nn.MultiheadAttention(4, 2, batch_first=True, **settings)
        self.cross = cross

    def forward(self, x):
        other = x.flip(1) if self.cross else x
        if self.cross and self.inner.kdim != 4:
            other = other[..., :3]
        return self.inner(x, other, other)[0]


@pytest.mark.parametrize(
    "make",
    [Attention, lambda: Attention(cross=True), lambda: Attention(cross=True, kdim=3, vdim=3)],
    ids=["self", "cross", "separate projections"],
)
def test_attention_projections(make, jacobian):
    model, inputs = seeded(make), data(2, 3, 4)
    model.inner.in_proj_bias.data.normal_(generator=torch.Generator().manual_seed(0))
    factors = kronecker_factors(model, inputs, probes=None)
    assert all(c.treatment == "kronecker" for c in factors.coverage)
    eta = dense_eta(model, inputs, jacobian)
    where = parameter_slices(trainable_parameters(model))
    metric = kfac(factors, 0.1)
    # The last projection sees each position's own output: exact.
    n = slice(where["inner.out_proj.weight"].start, where["inner.out_proj.weight"].stop)
    close(as_matrix(metric)[n, n], eta[n, n])
    # On one token, where nothing is shared, the blocks of the input projections are exact too.
    single = inputs[:, :1]
    eta = dense_eta(model, single[:1], jacobian)
    found = as_matrix(kfac(kronecker_factors(model, single[:1], probes=None), 0.1))
    for block in kronecker_factors(model, single[:1], probes=None).blocks:
        for span in block.map.spans:
            part = slice(*span)
            # Queries and keys of a single token have no gradient at all.
            scale = 1e-8 * float(eta.max())
            torch.testing.assert_close(found[part, part], eta[part, part], rtol=1e-8, atol=scale)


def test_attention_is_computed_as_without_the_watch():
    from goldstone.curvature.layer_uses import LayerUses

    for make in (Attention, lambda: Attention(cross=True, add_bias_kv=True)):
        model, x = seeded(make), data(2, 3, 4)
        with LayerUses(trainable_parameters(model)) as uses:
            watched = model(x)
        close(watched, model(x))
        assert set(uses.others) <= {"inner.bias_k", "inner.bias_v"}


def test_reduce_is_exact_where_positions_are_summed_in_a_linear_network(jacobian):
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            return self.layer(x).mean(1)

    model, inputs = seeded(Pooled), data(4, 5, 3)
    eta = dense_eta(model, inputs, jacobian)
    reduced = both(model, inputs, weight_sharing="reduce")[0]
    close(as_matrix(reduced), eta)
    expanded = both(model, inputs)[0]
    assert float((as_matrix(expanded) - eta).norm()) > 0.1 * float(eta.norm())


class Shared(nn.Module):
    """A weight in two layers with biases of their own, and an embedding tied to the head."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
        self.b.weight = self.a.weight
        self.embedding = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embedding.weight
        self.groups = nn.Conv1d(2, 2, 3, groups=2)

    def forward(self, x):
        tokens = self.embedding(x.long())
        mixed = self.groups(tokens)
        return self.head(self.b(self.a(tokens))).sum(-1) + mixed.sum(-1)


def test_what_has_no_block_falls_back_to_its_diagonal_and_is_listed(jacobian):
    model, inputs = seeded(Shared), torch.tensor([[0, 3], [1, 4]])
    factors = kronecker_factors(model, inputs, probes=None)
    assert {c.parameters for c in factors.coverage} == set(trainable_parameters(model))
    assert {c.treatment for c in factors.coverage} == {"diagonal"}
    assert all(c.reason for c in factors.coverage)
    eta = dense_eta(model, inputs, jacobian)
    close(as_matrix(kfac(factors, 0.1)), torch.diag(eta.diagonal()))


def test_complex_and_unused_parameters(model, inputs, jacobian):
    eta = dense_eta(model, inputs[:2], jacobian)
    factors = kronecker_factors(model, inputs[:2], probes=None)
    metric = kfac(factors, 0.1)
    where = parameter_slices(trainable_parameters(model))
    left = [c.parameters for c in metric.coverage if c.treatment == "diagonal"]
    assert left == [n for n in where if "spare" in n or "modes" in n]
    for name in left:
        span = where[name]
        close(as_matrix(metric)[span, span], torch.diag(eta.diagonal()[span]))


@pytest.mark.parametrize("frozen", ["weight", "bias"])
def test_half_frozen_layers(frozen, jacobian):
    model, inputs = seeded(lambda: nn.Linear(3, 2)), data(4, 3)
    getattr(model, frozen).requires_grad_(False)
    eta = dense_eta(model, inputs, jacobian)
    for metric in both(model, inputs):
        close(as_matrix(metric), eta)


def test_transposed_storage_of_a_weight(jacobian):
    """As in GPT-2, whose layers are x W + b by ``addmm``."""

    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(2))

        def forward(self, x):
            return torch.addmm(self.bias, x, self.weight)

    model, inputs = seeded(Turned), data(4, 3)
    groups = [("weight",), ("bias",)]
    wanted = restricted(dense_eta(model, inputs, jacobian), model, groups)
    for metric in both(model, inputs):
        close(as_matrix(metric), wanted)


def test_random_probes_average_to_the_exact_factors(jacobian):
    model, inputs = seeded(Field), data(2, 2, 4, 5)
    exact = kronecker_factors(model, inputs, probes=None)
    many = [kronecker_factors(model, inputs, 4, seed=s) for s in range(40)]
    for k, block in enumerate(exact.blocks):
        lefts = torch.stack([f.blocks[k].left for f in many])
        z = (lefts.mean(0) - block.left) / (lefts.std(0) / 40**0.5 + 1e-12)
        assert float(z.square().mean()) < 3
        close(many[0].blocks[k].right, block.right)
    rest = torch.stack([f.rest for f in many]).mean(0)
    assert float((rest - exact.rest).norm() / exact.rest.norm()) < 0.15


def test_everything_is_left_as_found():
    model = seeded(lambda: nn.Sequential(nn.Conv2d(2, 2, 1), nn.Dropout(), nn.ReLU(inplace=True)))
    model.train()
    before = copy.deepcopy(model.state_dict())
    state = torch.random.get_rng_state()
    kronecker_factors(model.eval(), data(2, 2, 3, 3))
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert not model.training


def test_float32_gram_agrees_with_float64():
    model, inputs, rows = seeded(Field), data(3, 2, 4, 5), data(6, 100, seed=3)
    wide = kfac(kronecker_factors(model, inputs), 1e-2)
    narrow = kfac(kronecker_factors(model.float(), inputs.float()), 1e-2)
    rows = rows[:, : wide.size]
    found = narrow.gram(rows.float())
    assert found.dtype == D
    torch.testing.assert_close(found, wide.gram(rows), rtol=1e-3, atol=1e-3 * float(found.max()))


def test_bad_input():
    model, inputs = seeded(lambda: nn.Linear(3, 2)), data(2, 3)
    with pytest.raises(InputError, match="expand"):
        kronecker_factors(model, inputs, weight_sharing="other")
    factors = kronecker_factors(model, inputs)
    with pytest.raises(InputError, match="positive damping"):
        kfac(factors, 0.0)
    with pytest.raises(InputError, match="rows of 8 numbers"):
        kfac(factors, 0.1).gram(torch.ones(2, 7))
    with pytest.raises(InputError, match="the model has 4"):
        ekfac(seeded(lambda: nn.Linear(3, 1)), inputs, factors, 0.1)
    with pytest.raises(InputError, match="BatchNorm in training mode"):
        kronecker_factors(nn.Sequential(nn.BatchNorm1d(3)).double(), inputs)

    class Fickle(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            return self.a(x) if float(x.sum()) > 0 else self.b(x)

    with pytest.raises(InputError, match="other layers to sample 1"):
        kronecker_factors(seeded(Fickle), torch.tensor([[1.0, 1, 1], [-1, -1, -1]]).double())

    class Late(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 3)

        def forward(self, x):
            y = self.a(x.clone().requires_grad_(False).mul(1))
            z = x * 1
            out = self.a(z)
            z.add_(1)
            return y + out

    with pytest.raises((InputError, RuntimeError), match=r"in place|inplace"):
        kronecker_factors(seeded(Late), inputs)
