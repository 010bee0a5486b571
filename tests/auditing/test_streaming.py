"""Sketched gradients against whole ones on a trained network; memory that is kept to."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from goldstone.actions import LinearAction, Symmetry
from goldstone.auditing import AuditResult, AuditSettings, audit
from goldstone.auditing.coherence import PairProducts, coherences
from goldstone.auditing.gradient_store import (
    Keeping,
    VectorSet,
    VectorStore,
    cross_products,
    joint_products,
    leave_one_out,
)
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.memory_plan import MemoryPlan, plan_memory
from goldstone.auditing.samples import choose_samples
from goldstone.auditing.sketch_error import blurred, jackknife_error
from goldstone.auditing.statistics import Bootstrap
from goldstone.auditing.subject import Subject
from goldstone.core import InputError
from goldstone.curvature import CountSketch, trainable_parameters
from goldstone.groups import CyclicGroup
from goldstone.representations import PermutationRepresentation
from goldstone.systems.losses import mse

STREAMABLE = (
    "euclidean",
    "galerkin",
    "randomised-gauss-newton",
    "gauss-newton-diagonal",
    "kfac",
    "ekfac",
    "empirical-fisher",
)


def cycles() -> Symmetry:
    """Cyclic shifts of six inputs, and of six outputs."""
    group = CyclicGroup(6)
    table = tuple(tuple((i + 1) % 6 for i in range(6)) for _ in group.generators())
    action = LinearAction(PermutationRepresentation(group, table))
    return Symmetry("cycles", group, action, action)


@pytest.fixture(scope="module")
def trained():
    """A network of 7,000 parameters trained to two per cent of its first loss."""
    source = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, 6, generator=source)
    targets = torch.tanh(inputs.roll(1, 1) * inputs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 72), nn.Tanh(), nn.Linear(72, 80), nn.Tanh())
        model.append(nn.Linear(80, 6))
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(500):
        loss = (model(inputs) - targets).square().mean()
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.02 * losses[0]
    return model, (inputs, targets)


def settings(**changes):
    small = {"trajectories": 12, "samples": 12, "reference": 4, "damping": 1e-2}
    return AuditSettings(**(small | {"bootstrap": 400, "permutations": 200} | changes))


def probe_of(trained, chosen_settings, keeping=None):
    model, data = trained
    chosen = choose_samples(data, chosen_settings, torch.device("cpu"), torch.float32)
    subject = Subject.measure(model, chosen.gradient, mse, chosen_settings)
    return GradientProbe(subject, cycles(), chosen.reference, given_keeping=keeping)


def test_streamed_coherences_agree_with_whole_ones_within_their_error(trained):
    model, data = trained
    whole = audit(model, data, cycles(), settings=settings(metrics=STREAMABLE))
    assert "streamed" not in whole.provenance.gradient_path
    assert all(d.sketch_error is None for d in whole.metrics.values())
    memory = whole.provenance.memory["whole"] // 3
    streamed = audit(model, data, cycles(), settings=settings(metrics=STREAMABLE, memory=memory))
    assert "streamed: 8 count sketches" in streamed.provenance.gradient_path
    assert streamed.provenance.memory["planned"] <= memory
    for a, b in zip(whole.elements[1:], streamed.elements[1:], strict=True):
        for metric in STREAMABLE:
            error = streamed.metrics[metric].sketch_error
            gap = abs(a.orbit_coherence[metric].estimate - b.orbit_coherence[metric].estimate)
            # Student's t of seven degrees of freedom exceeds 5.4 once in a thousand.
            assert gap <= 5.4 * error, (a.name, metric, gap, error)
            assert 0 < error < 0.3


def test_the_error_bar_covers(trained):
    """Over random maps: 95 % of the errors are within t(0.975, 7) = 2.36 of the error bars."""
    chosen = settings(metrics=("euclidean", "galerkin"))
    exact = probe_of(trained, chosen)
    element = 1
    wanted = exact.products(exact.loss_gradients(0), exact.loss_gradients(element))
    bootstrap = Bootstrap.draw(12, 50, 0)
    plan = MemoryPlan(0, 0, 0, 100, 32, 4)
    hits = {metric: [] for metric in wanted}
    for seed in range(40):
        probe = probe_of(trained, chosen, Keeping(plan, seed))
        found = probe.products(probe.loss_gradients(0), probe.loss_gradients(element))
        for metric in wanted:
            right = coherences(wanted[metric].unit, bootstrap, 1, 0)
            sketched = coherences(found[metric].unit, bootstrap, 1, 0)
            error = sketched.orbit.estimate - right.orbit.estimate
            hits[metric].append(abs(error) <= 2.36 * sketched.sketch_error)
    for metric, found in hits.items():
        assert sum(found) / len(found) >= 0.85, metric


def test_sketches_of_equal_gradients_are_equal_so_that_built_in_symmetry_is_still_exact(trained):
    class Mean(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.last = nn.Linear(64, 1)

        def forward(self, x):
            return self.last(self.inner(x[..., None])).squeeze(-1)

    _, data = trained
    plan = plan_memory(Mean(), data[0][:12], data[0][:4], settings(metrics=STREAMABLE[:2]))
    small = settings(metrics=STREAMABLE[:2], memory=plan.dense // 2)
    result = audit(Mean(), data, cycles(), settings=small)
    assert "streamed" in result.provenance.gradient_path
    for element in result.elements:
        for rho in element.orbit_coherence.values():
            assert rho.estimate == pytest.approx(1, abs=1e-4)


def test_the_plan_says_the_least_memory_and_that_does(trained):
    model, data = trained
    with pytest.raises(InputError, match="the least that will do is '") as caught:
        audit(model, data, cycles(), settings=settings(memory="1KB"))
    least = str(caught.value).split("will do is '")[1].split("'")[0]
    result = audit(model, data, cycles(), settings=settings(memory=least))
    assert result.provenance.memory["planned"] <= result.provenance.memory["allowed"]


def test_conjugate_gradients_need_whole_gradients(trained):
    model, data = trained
    small = settings(metrics=("euclidean", "gauss-newton"), memory="600KB")
    with pytest.raises(InputError, match="solves with whole gradients"):
        audit(model, data, cycles(), settings=small)


def test_batches_of_forward_tests_shrink_with_the_memory(trained):
    model, data = trained
    plain = plan_memory(model, data[0][:12], data[0][:4], settings(metrics=()))
    tight = plan_memory(model, data[0][:12], data[0][:4], settings(metrics=(), memory="8KB"))
    assert plain.batch == 32
    assert 1 <= tight.batch < 32


def test_results_of_streaming_survive_a_file(trained, tmp_path):
    model, data = trained
    result = audit(model, data, cycles(), settings=settings(memory="600KB", reference=2))
    result.save(tmp_path)
    assert AuditResult.load(tmp_path) == result


def test_joint_products_are_those_of_all_rows():
    source = torch.Generator().manual_seed(1)
    a = torch.randn(3, 300_000, generator=source)
    b = torch.randn(2, 300_000, generator=source)
    both = torch.cat([a, b]).double()
    found = joint_products(VectorSet.dense(a), VectorSet.dense(b))
    torch.testing.assert_close(found[0], both @ both.T)
    torch.testing.assert_close(
        cross_products(VectorSet.dense(a), VectorSet.dense(b))[0], a.double() @ b.double().T
    )


def test_a_store_keeps_rows_or_their_sketches():
    source = torch.Generator().manual_seed(1)
    rows = torch.randn(4, 900, generator=source)
    whole = VectorStore(5, 900, torch.float32, torch.device("cpu"))
    whole.put_all(0, rows[:2])
    whole.put_all(2, rows[2:])
    assert torch.equal(whole.first(4).rows, rows)
    sketch = CountSketch.make(900, 30, 8, 3)
    sketched = VectorStore(4, 900, torch.bfloat16, torch.device("cpu"), sketch)
    sketched.put_all(0, rows)
    wanted = torch.stack([sketch.apply(row) for row in rows], 1)
    torch.testing.assert_close(sketched.first(4).values, wanted)
    with pytest.raises(InputError, match="sketched"):
        _ = sketched.first(2).rows


def test_leaving_one_out_and_the_jackknife():
    source = torch.Generator().manual_seed(0)
    values = torch.randn(8, 3, generator=source, dtype=torch.float64)
    left = leave_one_out(values)
    torch.testing.assert_close(left[2], torch.cat([values[:2], values[3:]]).mean(0))
    assert leave_one_out(values[:1]) == []
    # For a mean the jackknife is the standard error of the mean.
    error = jackknife_error([float(leaf[0]) for leaf in left])
    assert error == pytest.approx(float(values[:, 0].std() / 8**0.5))
    assert jackknife_error([]) == 0.0


def test_blurring_adds_the_variance_of_a_student_t():
    replicates = torch.zeros(200_000, dtype=torch.float64)
    found = blurred(replicates, 0.5, 8, 0)
    quantile = float(torch.quantile(found[:100_000], 0.975))
    assert quantile == pytest.approx(0.5 * 2.365, rel=0.02)
    assert blurred(replicates, 0.5, 0, 0) is replicates


def test_leaves_become_unit_with_their_products():
    source = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 6, 40, generator=source, dtype=torch.float64)
    both = torch.cat([a, b])
    products = PairProducts.from_gram(both @ both.T, [2 * both @ both.T])
    leaf = products.unit().leaves[0]
    torch.testing.assert_close(leaf.gram(), products.unit().gram())


PROGRAM = """
import resource, sys, torch
from torch import nn
torch.set_num_threads(1)
from goldstone.actions import ShiftAction, Symmetry
from goldstone.auditing import AuditSettings, audit
from goldstone.groups import GridTranslations

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def run(width, memory, samples):
    model = nn.Sequential(
        nn.Conv2d(2, width, 3, padding=1, padding_mode="circular"), nn.Tanh(),
        nn.Conv2d(width, width, 3, padding=1, padding_mode="circular"), nn.Tanh(),
        nn.Conv2d(width, 2, 3, padding=1, padding_mode="circular"))
    x = torch.randn(samples + 2, 2, 8, 8)
    with torch.no_grad():
        y = 0.5 * model(x) + 0.1 * torch.randn(x.shape)
    shifts = Symmetry("shifts", GridTranslations((8, 8)), ShiftAction(), ShiftAction(),
                      elements=((1, 0),))
    before = peak()
    result = audit(model, (x, y), shifts, settings=AuditSettings(
        samples=samples, trajectories=samples, reference=2, bootstrap=50, permutations=50,
        memory=memory))
    return peak() - before, result.provenance

run(8, "4GB", 6)
used, provenance = run(480, sys.argv[1], 24)
print(used, provenance.memory["whole"], provenance.memory["planned"], provenance.gradient_path)
"""


def test_peak_memory_keeps_to_what_is_allowed_and_is_a_tenth_of_whole_gradients():
    """In a process of its own, 2.1 million parameters: 24 samples take 600 MB whole."""
    allowed = 60_000_000
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(allowed)], capture_output=True, text=True, check=True
    )
    used, whole, planned, path = run.stdout.split(maxsplit=3)
    assert "streamed" in path
    assert int(planned) <= allowed
    assert int(used) <= 1.1 * allowed
    assert int(used) <= 0.11 * int(whole)


def test_a_quarter_of_the_parameters_is_counted_where_the_rest_is_frozen(trained):
    model, data = trained
    frozen = nn.Sequential(*model)
    before = plan_memory(model, data[0][:12], data[0][:4], settings())
    for p in frozen[2].parameters():
        p.requires_grad_(False)
    try:
        after = plan_memory(frozen, data[0][:12], data[0][:4], settings())
        assert sum(p.numel() for p in trainable_parameters(frozen).values()) < 1500
        assert after.dense < 0.7 * before.dense
    finally:
        for p in frozen[2].parameters():
            p.requires_grad_(True)
    assert replace(before, width=5).streamed
