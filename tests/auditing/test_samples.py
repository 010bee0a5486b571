"""Which pairs of states an audit looks at."""

from dataclasses import replace

import pytest
import torch

from goldstone.actions import NAVIER_STOKES_FIELDS
from goldstone.auditing import AuditSettings
from goldstone.auditing.samples import choose_samples
from goldstone.core import InputError
from goldstone.systems.flows import Trajectories

PLACE = (torch.device("cpu"), torch.float32)


def labelled(trajectories=20, times=11):
    """Fields whose numbers say where they come from: 100 · trajectory + time."""
    labels = 100.0 * torch.arange(trajectories)[:, None] + torch.arange(times)
    fields = labels[:, :, None, None, None].expand(-1, -1, 2, 4, 4).double()
    return Trajectories(fields, NAVIER_STOKES_FIELDS, 0.1)


def labels(x):
    return x[:, 0, 0, 0].tolist()


def test_pairs_are_a_state_and_the_next_one():
    found = choose_samples(labelled(), AuditSettings(), *PLACE)
    for samples in (found.forward, found.gradient):
        assert all(
            b - a == 1 for a, b in zip(labels(samples.inputs), labels(samples.targets), strict=True)
        )
        owners = [int(label // 100) for label in labels(samples.inputs)]
        assert owners == samples.trajectory.tolist()
        assert samples.context.dt == 0.1
        assert samples.context.step == 0


def test_reference_and_audited_trajectories_are_disjoint():
    for count in (8, 9, 12, 20, 100):
        found = choose_samples(labelled(count), AuditSettings(), *PLACE)
        audited = {int(label // 100) for label in labels(found.forward.inputs)}
        reference = {int(label // 100) for label in labels(found.reference)}
        gradient = {int(label // 100) for label in labels(found.gradient.inputs)}
        assert not audited & reference
        assert gradient <= audited
        assert len(audited) >= 6
        assert len(reference) >= 2
        assert found.forward.trajectories == len(audited)


def test_gradient_samples_are_of_one_time_and_distinct_trajectories():
    found = choose_samples(labelled(30), AuditSettings(), *PLACE)
    places = labels(found.gradient.inputs)
    assert len({label % 100 for label in places}) == 1
    assert len({label // 100 for label in places}) == len(places) == 16
    assert labels(found.starts) == [100.0 * k for k in range(16)]


def test_snapshots_spread_over_the_trajectory():
    found = choose_samples(labelled(10), AuditSettings(snapshots=4), *PLACE)
    assert sorted({label % 100 for label in labels(found.forward.inputs)}) == [1, 3, 6, 8]
    everything = choose_samples(labelled(10), AuditSettings(snapshots=99), *PLACE)
    assert sorted({x % 100 for x in labels(everything.forward.inputs)}) == list(range(10))


def test_climatology_is_the_mean_target_of_all_data():
    data = labelled(10)
    found = choose_samples(data, AuditSettings(), *PLACE)
    assert float(found.climatology.mean()) == pytest.approx(float(data.fields[:, 1:].mean()))
    assert found.climatology.dtype == found.reference.dtype == torch.float32


def test_a_pair_of_tensors_counts_as_a_trajectory_per_sample():
    x = torch.arange(10.0)[:, None, None, None].expand(-1, 2, 4, 4)
    found = choose_samples((x, x + 0.5), AuditSettings(), *PLACE)
    assert found.forward.trajectory.tolist() == list(range(len(found.forward.inputs)))
    assert torch.equal(found.gradient.targets, found.gradient.inputs + 0.5)


def test_one_step_per_trajectory_is_enough():
    data = labelled(8, times=2)
    found = choose_samples(data, AuditSettings(), *PLACE)
    assert len(found.forward.inputs) == len(found.gradient.inputs) == 6


def test_too_few_trajectories_are_refused():
    with pytest.raises(InputError, match=r"at least 8 trajectories.*got 7"):
        choose_samples(labelled(7), AuditSettings(), *PLACE)


def test_tensors_that_do_not_belong_together_are_refused():
    x = torch.zeros(10, 2, 4, 4)
    with pytest.raises(InputError, match="10 inputs and 9 targets"):
        choose_samples((x, x[:9]), AuditSettings(), *PLACE)
    with pytest.raises(InputError, match="targets: expected finite"):
        choose_samples((x, x / 0), AuditSettings(), *PLACE)
    with pytest.raises(InputError, match=r"inputs.*\(sample, channel, X, Y\)"):
        choose_samples((x[:, 0], x), AuditSettings(), *PLACE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 5},
        {"trajectories": 2},
        {"reference": 1},
        {"metrics": ("euclid",)},
        {"tolerance": 0.0},
        {"least_coherence": 1.0},
        {"snapshots": 0},
        {"rollout_steps": -1},
        {"damping": 0.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong)).removesuffix("s")):
        replace(AuditSettings(), **wrong)


def test_the_decisive_metric_must_be_measured():
    with pytest.raises(InputError, match="decisive metric 'euclidean'"):
        AuditSettings(metrics=("galerkin",))
    assert AuditSettings(metrics=()).metrics == ()
