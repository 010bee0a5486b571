"""Next-step training: it learns, is deterministic, survives kill -9, and refuses bad input."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS
from goldstone.core import GoldstoneError, InputError
from goldstone.systems.emulators import (
    EmulatorConfig,
    list_checkpoints,
    load_emulator,
    read_tensors,
)
from goldstone.systems.flows import Trajectories
from goldstone.systems.losses import scaled_mse
from goldstone.training import LossHistory, TrainingConfig, train_next_step

UNET = EmulatorConfig(
    "unet",
    NAVIER_STOKES_FIELDS,
    (8, 8),
    {"base_channels": 4, "stages": 1, "blocks_per_stage": 1, "attention": False},
)
SHORT = TrainingConfig(epochs=3, batch_size=4, learning_rate=1e-2, checkpoint_every=2)


def fading_waves(trajectories=6, steps=4, seed=0):
    """Noise that diffuses: every point becomes the mean of itself and its four neighbours."""
    states = [torch.randn(trajectories, 2, 8, 8, generator=torch.Generator().manual_seed(seed))]
    for _ in range(steps):
        x = states[-1]
        states.append((x + sum(x.roll(s, d) for s in (1, -1) for d in (-1, -2))) / 5)
    return Trajectories(torch.stack(states, 1), NAVIER_STOKES_FIELDS, dt=0.1, lengths=(1.0, 1.0))


def weights_in(directory):
    return {path.name: read_tensors(path)[0] for _, path in list_checkpoints(directory)}


def assert_same_bits(first, second):
    one, other = weights_in(first), weights_in(second)
    assert one.keys() == other.keys()
    for name, tensors in one.items():
        assert tensors.keys() == other[name].keys()
        for key, value in tensors.items():
            assert torch.equal(value, other[name][key]), (name, key)
    assert (first / "losses.json").read_text() == (second / "losses.json").read_text()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("trained")
    return train_next_step(UNET, SHORT, fading_waves(), directory, fading_waves(seed=1))


def test_what_a_run_leaves(trained):
    assert [epoch for epoch, _ in list_checkpoints(trained.directory)] == [0, 2, 3]
    assert sorted(path.name for path in trained.directory.iterdir()) == [
        "checkpoints",
        "config.json",
        "losses.json",
    ]
    config = json.loads((trained.directory / "config.json").read_text())
    assert EmulatorConfig.from_json(config["emulator"]) == UNET
    assert TrainingConfig.from_json(config["training"]) == SHORT
    assert config["data"]["dt"] == 0.1
    losses = json.loads((trained.directory / "losses.json").read_text())
    assert LossHistory.from_json(losses) == trained.history
    assert [record.epoch for record in trained.history.epochs] == [0, 1, 2, 3]
    header = read_tensors(list_checkpoints(trained.directory)[1][1])[1]
    assert header["epoch"] == 2
    assert header["training"] == SHORT.to_json()


def test_the_losses_are_those_of_the_checkpoints(trained):
    before, after, _ = fading_waves(seed=1).transitions()
    for epoch, path in list_checkpoints(trained.directory):
        with torch.no_grad():
            loss = float(scaled_mse(load_emulator(path)(before), after).mean())
        assert trained.history.epochs[epoch].validation_loss == pytest.approx(loss, rel=1e-4)
    persistence = float(scaled_mse(before, after).mean())
    assert trained.history.persistence_loss == pytest.approx(persistence, rel=1e-5)
    mean = fading_waves().transitions()[1].mean(0)
    climatology = float(scaled_mse(mean.expand_as(after), after).mean())
    assert trained.history.climatology_loss == pytest.approx(climatology, rel=1e-4)
    with torch.no_grad():
        assert torch.equal(load_emulator(trained.directory)(before), trained.emulator(before))


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("unet", UNET.arguments),
        ("vit", {"patch": 2, "width": 32, "heads": 2, "depth": 1}),
        ("equivariant", {"copies": 1, "stages": 1}),
    ],
)
def test_every_architecture_learns_to_beat_persistence(tmp_path, architecture, arguments):
    config = replace(UNET, architecture=architecture, arguments=arguments)
    training = replace(SHORT, epochs=4, batch_size=8, checkpoint_every=100)
    result = train_next_step(config, training, fading_waves(64), tmp_path, fading_waves(seed=1))
    final = result.history.epochs[-1].validation_loss
    assert final < 0.3 * result.history.persistence_loss
    assert final < 0.3 * result.history.climatology_loss


def test_the_same_call_gives_the_same_bits_and_another_seed_does_not(trained, tmp_path):
    again, other = tmp_path / "again", tmp_path / "other"
    train_next_step(UNET, SHORT, fading_waves(), again, fading_waves(seed=1))
    assert_same_bits(trained.directory, again)
    train_next_step(UNET, replace(SHORT, seed=1), fading_waves(), other, fading_waves(seed=1))
    with pytest.raises(AssertionError):
        assert_same_bits(trained.directory, other)


class StopAt:
    """A progress display that interrupts the run at a given optimiser step."""

    def __init__(self, step):
        self.left = step

    @contextmanager
    def task(self, label, total):
        yield self

    def advance(self, steps=1, note=""):
        if note:
            self.left -= steps
        if self.left < 0:
            raise KeyboardInterrupt


# 24 pairs in batches of 4: six steps an epoch; 17 is inside the last one.
@pytest.mark.parametrize("step", [0, 5, 6, 10, 12, 17])
def test_an_interrupted_run_goes_on_to_the_same_bits(trained, tmp_path, step):
    arguments = (UNET, SHORT, fading_waves(), tmp_path, fading_waves(seed=1))
    with pytest.raises(KeyboardInterrupt):
        train_next_step(*arguments, progress=StopAt(step))
    train_next_step(*arguments)
    assert_same_bits(trained.directory, tmp_path)


CHILD = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, {tests!r})
from test_next_step import UNET, fading_waves
from goldstone.training import TrainingConfig, train_next_step
train_next_step(UNET, TrainingConfig(epochs=15, batch_size=4), fading_waves(), Path({out!r}))
"""


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, request):
    tests = str(request.path.parent)

    def start(out):
        script = CHILD.format(tests=tests, out=str(out))
        return subprocess.Popen([sys.executable, "-c", script])

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    child, other = start(killed), start(whole)
    deadline = time.monotonic() + 120
    while len(list(killed.glob("checkpoints/epoch-*"))) < 4:
        assert time.monotonic() < deadline
        assert child.poll() is None, "finished before it could be killed"
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait(60) == -signal.SIGKILL
    assert (killed / "resume.safetensors").exists()
    assert start(killed).wait(120) == 0
    assert other.wait(120) == 0
    assert_same_bits(whole, killed)


def test_a_finished_directory_returns_at_once(trained):
    again = train_next_step(
        UNET,
        SHORT,
        fading_waves(),
        trained.directory,
        fading_waves(seed=1),
        progress=StopAt(0),
    )
    assert again.history == trained.history


def test_the_directory_of_another_run_is_refused(trained):
    data, validation = fading_waves(), fading_waves(seed=1)
    with pytest.raises(InputError, match=r"training\.seed \(there 0, asked 5\)"):
        train_next_step(UNET, replace(SHORT, seed=5), data, trained.directory, validation)
    wider = replace(UNET, arguments={**UNET.arguments, "base_channels": 8})
    with pytest.raises(InputError, match=r"emulator\.arguments\.base_channels"):
        train_next_step(wider, SHORT, data, trained.directory, validation)
    with pytest.raises(InputError, match=r"data\.sha256"):
        train_next_step(UNET, SHORT, fading_waves(seed=9), trained.directory, validation)


def test_a_damaged_state_is_named(tmp_path):
    arguments = (UNET, SHORT, fading_waves(), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train_next_step(*arguments, progress=StopAt(8))
    state = tmp_path / "resume.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"resume\.safetensors: not a complete"):
        train_next_step(*arguments)


def test_divergence_is_reported(tmp_path):
    training = replace(SHORT, learning_rate=1e30, warmup=0)
    with pytest.raises(GoldstoneError, match="diverged in epoch 1"):
        train_next_step(UNET, training, fading_waves(), tmp_path)


def test_bad_data_are_refused_before_anything_is_written(tmp_path):
    good = fading_waves()
    out = tmp_path / "run"
    with pytest.raises(InputError, match=r"fields density .* got velocity"):
        train_next_step(replace(UNET, layout=EULER_FIELDS), SHORT, good, out)
    crop = replace(good, fields=good.fields[..., :4])
    with pytest.raises(InputError, match="validation data: the emulator expects a grid of 8×8"):
        train_next_step(UNET, SHORT, good, out, crop)
    # What a data set refuses on construction can still be put into its tensor later.
    broken = fading_waves()
    broken.fields[2, 1, 0, 3, 4] = float("inf")
    with pytest.raises(InputError, match=r"training data: expected finite .*\(2, 1, 0, 3, 4\)"):
        train_next_step(UNET, SHORT, broken, out)
    with pytest.raises(InputError, match="no argument depth"):
        train_next_step(replace(UNET, arguments={"depth": 2}), SHORT, good, out)
    with pytest.raises(InputError, match="multiples of the total stride 16"):
        train_next_step(replace(UNET, arguments={}), SHORT, good, out)
    assert not out.exists()
