"""Models as real code has them: refused with the mend, or audited by a stated fallback."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from goldstone import AuditSettings, audit
from goldstone.actions import image_symmetry, set_symmetry
from goldstone.auditing import equivariance_errors, metric_over_orbit
from goldstone.core import InputError
from goldstone.systems.losses import mse

SETTINGS = AuditSettings(
    trajectories=12, samples=8, reference=2, rollout_steps=0, bootstrap=200, permutations=200
)
TURNS = image_symmetry("quarter-turns", (6, 6), 2, "same")


def pairs(n=24, seed=0):
    """Noise and its mean over neighbours, which every quarter turn leaves alone."""
    x = torch.randn(n, 2, 6, 6, generator=torch.Generator().manual_seed(seed))
    return x, (x.roll(1, 2) + x.roll(-1, 2) + x.roll(1, 3) + x.roll(-1, 3)) / 4


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def conv(inputs=2, outputs=2):
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="circular")


def network(*middle):
    return nn.Sequential(conv(2, 4), *middle, conv(4, 2))


class Wrapped(nn.Module):
    """A network whose forward pass is some function of it and its input."""

    def __init__(self, net, forward):
        super().__init__()
        self.net, self.call = net, forward

    def forward(self, x):
        return self.call(self.net, x)


def trained(model, steps=60):
    """A little training, so that it has skill; in eval mode."""
    x, y = pairs(64, seed=1)
    optimiser = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        mse(model(x), y).mean().backward()
        optimiser.step()
    optimiser.zero_grad()
    return model.eval()


def run(model, symmetry=TURNS, data=None, **arguments):
    return audit(model, data or pairs(), symmetry, **({"settings": SETTINGS} | arguments))


def coherence(result, metric="euclidean"):
    return [e.orbit_coherence[metric].estimate for e in result.elements]


class BatchCentred(nn.Module):
    """Batch statistics under no known name."""

    def forward(self, x):
        return x - x.mean(0)


class RunningMean(nn.Module):
    """Running statistics of one's own."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, x):
        self.mean.mul_(0.9).add_(0.1 * x.mean())
        return x - 1e-9 * self.mean


def lazy():
    return nn.Sequential(nn.LazyConv2d(2, 3, padding=1))


REFUSED = {
    "BatchNorm in train mode": (lambda: network(nn.BatchNorm2d(4)), "BatchNorm2d.*eval"),
    "dropout in train mode": (lambda: network(nn.Dropout(0.1)), "Dropout.*eval"),
    "functional dropout": (
        lambda: Wrapped(conv(), lambda net, x: nn.functional.dropout(net(x), 0.1)),
        "stochastic",
    ),
    "noise": (lambda: Wrapped(conv(), lambda net, x: net(x) + torch.rand(())), "stochastic"),
    "batch mates": (lambda: network(BatchCentred()), "depends on the other samples"),
    "running statistics": (lambda: network(RunningMean()), r"changes the buffer '1.mean'.*eval"),
    "spectral norm in train mode": (
        lambda: nn.Sequential(parametrizations.spectral_norm(conv())),
        r"changes the buffer .*spectral norm.*eval",
    ),
    "lazy": (lazy, r"'0.weight' belongs to a lazy layer.*batch of the data first"),
    "meta": (lambda: conv().to("meta"), r"'weight' is on the meta device.*load the weights"),
    "None": (lambda: Wrapped(conv(), lambda net, x: None), "got a NoneType.*wrap the model"),
    "tuple": (lambda: Wrapped(conv(), lambda net, x: (net(x), x)), "got tuple .*wrap the model"),
    "dict": (
        lambda: Wrapped(conv(), lambda net, x: {"out": net(x), "aux": x}),
        "got dict {out: .*aux: .*wrap the model",
    ),
    "string in a dict": (
        lambda: Wrapped(conv(), lambda net, x: {"out": net(x), "kind": "flow"}),
        "got a str; wrap the model",
    ),
    "one number for the batch": (
        lambda: Wrapped(conv(), lambda net, x: net(x).mean()),
        r"one number of samples in first place, got \(\); wrap",
    ),
    "too many samples": (
        lambda: Wrapped(conv(), lambda net, x: torch.cat([net(x), net(x)])),
        "an output for each of 3 samples",
    ),
    "another shape": (lambda: conv(2, 3), r"\(3, 2, 6, 6\), got \(3, 3, 6, 6\)"),
    "other channels": (lambda: conv(5, 2), "fails on inputs of shape.*channels"),
    "assertion": (
        lambda: Wrapped(conv(), lambda net, x: net.no_such_thing),
        "fails on inputs.*no_such_thing",
    ),
    "fixed batch": (
        lambda: Wrapped(conv(), lambda net, x: net(x.view(3, 2, 6, 6))),
        r"fails on inputs of shape \(1, 2, 6, 6\)",
    ),
    "NaN": (lambda: Wrapped(conv(), lambda net, x: net(x) / 0 * 0), "NaN or infinite.*weights"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_by_every_entry_with_the_mend(kind):
    make, message = REFUSED[kind]
    model, (x, y) = make(), pairs()
    state = {k: v for k, v in model.state_dict().items() if kind not in ("lazy", "meta")}
    before = {k: v.clone() for k, v in state.items()}
    random = torch.get_rng_state()
    with pytest.raises(InputError, match=message):
        run(model)
    if kind not in ("another shape", "tuple", "dict"):  # targets say that; these have none
        with pytest.raises(InputError, match=message):
            equivariance_errors(model, x, TURNS)
        with pytest.raises(InputError, match=message):
            metric_over_orbit(model, x, y, TURNS, mse)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(before[k], v) for k, v in state.items())


def test_what_is_no_model():
    with pytest.raises(InputError, match=r"torch.nn.Module or a function .*, got a str"):
        run("model.pt")


SAME = {
    "eval BatchNorm": lambda: network(nn.BatchNorm2d(4), nn.Dropout(0.5)),
    "in place": lambda: network(nn.ReLU(inplace=True)),
    "weight norm": lambda: nn.Sequential(parametrizations.weight_norm(conv()), nn.Tanh(), conv()),
    "spectral norm": lambda: nn.Sequential(parametrizations.spectral_norm(conv()), conv()),
    "orthogonal": lambda: network(
        nn.Flatten(2), parametrizations.orthogonal(nn.Linear(36, 36)), nn.Unflatten(2, (6, 6))
    ),
    "checkpointed": lambda: Wrapped(
        network(nn.Tanh()), lambda net, x: checkpoint(net, x, use_reentrant=False)
    ),
    "data parallel": lambda: nn.DataParallel(network(nn.Tanh())),
    "a dict of one": lambda: network(nn.Tanh()),
}


@pytest.mark.parametrize("kind", SAME)
def test_derivatives_of_real_layers_are_those_of_the_loop(kind):
    """Whatever path is taken, ρ is that of gradients taken one by one with backward()."""
    model = trained(SAME[kind](), 20)
    result = run(model)
    assert result.provenance.gradients > 0
    x, y = (t[:8] for t in pairs())
    for g, element in zip((0, 1), result.elements, strict=False):
        a, b = [], []
        for rows, turn in ((a, 0), (b, g)):
            for i in range(8):
                model.zero_grad()
                moved = [t[i : i + 1].rot90(turn, (-2, -1)) for t in (x, y)]
                mse_like(model(moved[0]), moved[1]).backward()
                rows.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
        a, b = torch.stack(a).double(), torch.stack(b).double()
        cosine = torch.cosine_similarity(a, b).mean()
        found = element.pair_coherence["euclidean"].estimate
        assert found == pytest.approx(float(cosine), abs=1e-4)
    model.zero_grad()


def mse_like(prediction, target):
    """The usual loss of grid fields."""
    from goldstone.systems.losses import scaled_mse

    return scaled_mse(prediction, target).sum()


def test_compiled_models_are_audited_as_they_were_written():
    model = trained(network(nn.Tanh()), 20)
    plain = run(model)
    compiled = run(torch.compile(model, backend="eager"))
    assert compiled.model == plain.model
    assert compiled.elements == plain.elements
    assert compiled.provenance.weights_sha256 == plain.provenance.weights_sha256
    inside = nn.Sequential(torch.compile(model[0], backend="eager"), *model[1:])
    assert run(inside).elements == plain.elements
    model.compile(backend="eager")
    assert run(model).elements == plain.elements
    assert model._compiled_call_impl is not None


@pytest.mark.filterwarnings("ignore:`torch.jit.*deprecated")
@pytest.mark.parametrize("make", [torch.jit.script, lambda m: torch.jit.trace(m, pairs()[0][:3])])
def test_torchscript_is_audited_as_the_module_that_it_was_made_of(make):
    model = trained(network(nn.Tanh()), 20)
    found, plain = run(make(model)), run(model)
    for metric in ("euclidean", "galerkin"):
        assert coherence(found, metric) == pytest.approx(coherence(plain, metric), abs=1e-4)


class Attention(nn.Module):
    """Self-attention over six tokens, by the kernel that torch chooses or one that is forced."""

    def __init__(self, backend=None):
        super().__init__()
        self.maps, self.out, self.backend = nn.Linear(4, 12), nn.Linear(4, 4), backend

    def forward(self, x):
        q, k, v = self.maps(x)[:, None].chunk(3, -1)
        attend = nn.functional.scaled_dot_product_attention
        if self.backend is None:
            found = attend(q, k, v)
        else:
            with sdpa_kernel(self.backend):
                found = attend(q, k, v)
        return self.out(found[:, 0])


def sequences():
    x = torch.randn(24, 6, 4, generator=torch.Generator().manual_seed(2))
    return x, x - x.mean(1, keepdim=True)


@pytest.mark.parametrize(
    ("backend", "path"),
    [(None, "forward mode"), (SDPBackend.FLASH_ATTENTION, "central differences")],
)
def test_fused_attention_has_a_stated_fallback(backend, path):
    result = run(Attention(backend), set_symmetry(6, invariant=False), sequences())
    assert path in result.provenance.gradient_path
    for metric in ("euclidean", "galerkin"):
        # Permutation-equivariant for all weights.
        assert coherence(result, metric) == pytest.approx([1.0] * 7, abs=2e-3)
    assert all(e.grade == "exact" for e in result.elements)


def test_encoder_layers_of_torch_take_no_fast_path_without_derivatives():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
    result = run(layer, set_symmetry(6, invariant=False), sequences())
    assert "forward mode" in result.provenance.gradient_path
    assert coherence(result) == pytest.approx([1.0] * 7, abs=1e-3)
    assert torch.backends.mha.get_fastpath_enabled()


def test_reentrant_checkpointing_would_lose_gradients_and_is_refused():
    for net in (network(nn.Tanh()), nn.Sequential(conv(), conv())):
        model = Wrapped(net, lambda net, x: checkpoint(net, x, use_reentrant=True))
        with pytest.raises(InputError, match="use_reentrant=False"):
            run(model)
    half = Wrapped(
        nn.Sequential(conv(), conv()),
        lambda net, x: net[1](checkpoint(net[0], x, use_reentrant=True)),
    )
    with pytest.raises(InputError, match="use_reentrant=False"):
        run(half)


def test_operations_in_place_that_break_the_backward_pass():
    def spoil(net, x):
        hidden = net(x).exp()
        return hidden.add_(1.0)

    with pytest.raises(InputError, match=r"backward pass of the loss fails.*inplace.*metrics=\(\)"):
        run(Wrapped(conv(), spoil))
    forward = AuditSettings(**(vars(SETTINGS) | {"metrics": ()}))
    assert run(Wrapped(conv(), spoil), settings=forward).provenance.gradients == 0


def test_nan_gradients_name_the_sample():
    def kink(net, x):
        # The root has no derivative at zero, where the second sample lies.
        return net(x) + (net.bias.sum() * x[:, :1].mean((1, 2, 3), keepdim=True)).square().sqrt()

    x, y = pairs()
    x[1, 0] -= x[1, 0].mean()
    x[1, 0] = 0.0
    with pytest.raises(InputError, match="loss gradient of sample 1 is NaN"):
        run(Wrapped(conv(), kink), data=(x, y))


def test_frozen_parameters_are_left_out_and_said():
    model = trained(network(nn.Tanh()))
    model[0].requires_grad_(False)
    result = run(model)
    total = sum(p.numel() for p in model.parameters())
    rest = sum(p.numel() for p in model[2].parameters())
    assert (result.model.parameters, result.model.trainable) == (total, rest)
    assert f"{rest:,} of {total:,} parameters that are not frozen" in result.verdict.summary
    assert [p.requires_grad for p in model.parameters()] == [False, False, True, True]
    model.requires_grad_()
    assert "frozen" not in run(model).verdict.summary
    model.requires_grad_(False)
    result = run(model)
    assert result.provenance.gradients == 0
    assert "all 4 tensors are frozen; call requires_grad_()" in result.elements[1].reason
    assert result.verdict.transports.answer == "undetermined"


def test_unused_parameters_change_nothing():
    model = trained(network(nn.Tanh()))
    before = run(model)
    model.unused = nn.Parameter(torch.ones(5))
    extended = Wrapped(model, lambda net, x: net[2](net[1](net[0](x))))
    assert coherence(run(extended)) == pytest.approx(coherence(before), abs=1e-6)


def test_tied_weights_count_once():
    model = nn.Sequential(conv(), nn.Tanh(), conv())
    model[2].weight = model[0].weight
    result = run(trained(model))
    assert result.model.parameters == 2 * 2 * 9 + 2 * 2
    assert model[2].weight is model[0].weight


@pytest.mark.parametrize("cut", ["no_grad", "detach", "numpy"])
def test_a_forward_pass_without_autograd_has_forward_probes_alone(cut):
    def forward(net, x):
        if cut == "detach":
            return net(x).detach()
        with torch.no_grad():
            found = net(x)
        return found if cut == "no_grad" else torch.from_numpy(found.numpy().copy())

    result = run(Wrapped(trained(network()), forward))
    assert result.model.has_skill
    assert result.provenance.gradients == 0
    assert "by autograd" in result.provenance.gradient_path
    assert "by autograd" in result.elements[1].reason
    assert result.verdict.transports.answer == "undetermined"


def test_hooks_of_the_user_run_and_stay():
    model = trained(network(nn.Tanh()))
    plain, seen = run(model), []
    handles = [
        model[0].register_forward_hook(lambda module, args, out: 2 * out),
        model[2].register_full_backward_hook(lambda module, g, h: seen.append(1)),
        model[0].weight.register_hook(lambda g: None),
    ]
    result = run(model)
    assert seen
    assert result.elements != plain.elements
    assert len(model[0]._forward_hooks) == len(model[2]._backward_hooks) == 1
    for handle in handles:
        handle.remove()
    assert run(model).elements == plain.elements


def test_channels_last_and_strided_inputs_change_nothing_but_rounding():
    model = trained(network(nn.Tanh()))
    plain, (x, y) = run(model), pairs()
    wide = torch.stack([x, x], -1)[..., 0]
    assert not wide.is_contiguous()
    assert run(model, data=(wide, y)).elements == plain.elements
    last = x.to(memory_format=torch.channels_last)
    result = run(model.to(memory_format=torch.channels_last), data=(last, y))
    assert coherence(result) == pytest.approx(coherence(plain), abs=1e-4)
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_hides_no_randomness(dtype):
    """A thousand ε of bfloat16 would be larger than any output."""
    model = trained(network(nn.Tanh()), 20)
    wide = coherence(run(model))
    model.to(dtype)
    result = run(model)
    assert result.provenance.dtype == str(dtype).removeprefix("torch.")
    assert coherence(result) == pytest.approx(wide, abs=0.02)
    with pytest.raises(InputError, match="stochastic"):
        run(Wrapped(model, lambda net, x: nn.functional.dropout(net(x), 0.3)))


def test_a_history_of_functions_has_no_gradients():
    with pytest.raises(InputError, match="history, epoch 3: the model has no trainable parameter"):
        run(trained(network(), 5), history=[(3, lambda x: x)])


def test_models_losses_and_metrics_may_view_what_is_turned():
    """A turned image is not contiguous, so that ``view`` would fail in the middle of an audit."""

    def forward(net, x):
        return net(x.view(len(x), 2, 36).view(x.shape)).view(x.shape)

    def loss(prediction, target):
        return (prediction.view(-1, 72) - target.view(-1, 72)).square().mean(1)

    model = Wrapped(trained(network(nn.Tanh())), forward)
    settings = AuditSettings(**(vars(SETTINGS) | {"probes": ("orbit-metric", "equivariance")}))
    result = run(model, loss=loss, metric=loss, settings=settings)
    assert result.model.loss_name == "loss"
    assert result.probes.orbit_metric.metric == "loss"
    assert result.elements == run(model, loss=mse).elements


def test_no_warning_is_raised_by_an_ordinary_audit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(trained(network(nn.Tanh()), 5))
