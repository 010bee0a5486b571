"""Rotated MNIST, the quick version: turns are turns, sizes agree, what is interrupted goes on."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import rotated_mnist
from benchmarks.rotated_mnist import DIGITS, accuracy, change_by_angle, study, trained
from benchmarks.rotated_mnist_images import Images, digits, mnist, moved
from benchmarks.rotated_mnist_networks import MAKERS, augmented, parameters, width_for
from benchmarks.rotated_mnist_page import ANGLES, SCALES, cells, page, picture
from benchmarks.study import Runs

SMALL = replace(DIGITS, parameters=2500)


def test_a_quarter_turn_only_moves_pixels_and_a_scale_keeps_the_centre():
    x = torch.rand(3, 1, 16, 16)
    turn = torch.full((3,), math.pi / 2)
    torch.testing.assert_close(moved(x, turn), x.rot90(1, (2, 3)), atol=1e-4, rtol=0)
    torch.testing.assert_close(moved(x, 0 * turn), x, atol=1e-5, rtol=0)
    blob = torch.zeros(1, 1, 16, 16)
    blob[..., 4:12, 4:12] = 1
    half = moved(blob, torch.zeros(1), 0.5)
    assert float(half.sum()) == pytest.approx(16, rel=0.15)
    assert float(half[..., 6:10, 6:10].mean()) > 0.85


@pytest.mark.parametrize("name", MAKERS)
def test_networks_have_about_the_wanted_number_of_parameters(name):
    width = width_for(name, 3, 6000)
    count = parameters(MAKERS[name](width, 3))
    assert abs(count - 6000) < 0.15 * 6000
    around = [parameters(MAKERS[name](w, 3)) for w in (max(1, width - 1), width + 1)]
    assert all(abs(count - 6000) <= abs(other - 6000) for other in around)


@pytest.mark.parametrize("name", MAKERS)
def test_group_convolutions_are_invariant_under_quarter_turns_and_others_are_not(name):
    torch.manual_seed(0)
    model = MAKERS[name](2, 3).double()
    x = torch.rand(4, 1, 16, 16, dtype=torch.float64)
    model.train()(x)
    model.eval()
    assert ("maxima" in name) == any(isinstance(m, torch.nn.MaxPool2d) for m in model.modules())
    with torch.no_grad():
        change = (model(x.rot90(1, (2, 3))) - model(x)).norm() / model(x).norm()
        other = (model(x.flip(0)) - model(x)).norm() / model(x).norm()
    assert (float(change) < 1e-12) == (name.split()[0] not in ("plain", "augmented"))
    assert float(other) > 1e-6


def tiny(seed=0):
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(60) % 10
    x = torch.rand(10, 1, 16, 16, generator=rng)[labels]
    return Images(x, labels, 6 * torch.rand(60, generator=rng))


def test_the_split_is_of_distinct_images_and_the_same_at_every_call(tmp_path):
    path = tmp_path / "some.npz"
    number = np.arange(70_000, dtype=np.int64)
    images = np.zeros((70_000, 1, 2), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = number // 256 % 256, number % 256
    np.savez(
        path,
        x_train=images[:60_000],
        y_train=number[:60_000],
        x_test=images[60_000:],
        y_test=number[60_000:],
    )
    train, test = mnist(path)
    assert (len(train.labels), len(test.labels)) == (12_000, 50_000)
    assert not set(train.labels.tolist()) & set(test.labels.tolist())
    low = (train.upright[:, 0, 0, 1] * 255).round().long()
    torch.testing.assert_close(low, train.labels % 256)
    assert torch.equal(mnist(path)[1].angles, test.angles)
    assert 0 <= float(test.angles.min()) < float(test.angles.max()) <= 2 * math.pi


@pytest.mark.parametrize("name", ["p4", "augmented"])
def test_an_interrupted_training_goes_on_to_the_same_weights(name, tmp_path, monkeypatch):
    data = tiny()
    monkeypatch.setattr(rotated_mnist, "KEPT_EVERY", 2)
    whole = trained(name, SMALL, 4, data, 0, tmp_path / "whole")
    save, calls = torch.save, []

    def killed(*given):
        save(*given)
        calls.append(1)
        if len(calls) == 1:
            monkeypatch.setattr(rotated_mnist, "print", stop, raising=False)

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(name, SMALL, 4, data, 0, tmp_path / "broken")
    monkeypatch.undo()
    again = trained(name, SMALL, 4, data, 0, tmp_path / "broken")
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, rtol=0, atol=0)


def test_accuracy_counts():
    class Always(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.one_hot(torch.full((len(x),), 3), 10).float()

    data = tiny()
    assert accuracy(Always(), data.upright, data.labels) == pytest.approx(0.1)


def test_the_change_of_the_logits_is_one_for_unrelated_outputs_and_none_for_a_constant():
    class Sum(torch.nn.Module):
        def forward(self, x):
            return x.sum((1, 2, 3))[:, None]

    class Noise(torch.nn.Module):
        def forward(self, x):
            return torch.randn(len(x), 10)

    images = moved(torch.rand(400, 1, 16, 16), torch.zeros(400))
    assert change_by_angle(Sum(), images)[0] < 1e-4
    assert change_by_angle(Sum(), images)[6] < 1e-3
    torch.manual_seed(0)
    assert change_by_angle(Noise(), images)[1] == pytest.approx(1, abs=0.05)


def test_digits_are_learned_and_page_and_figure_are_made(tmp_path):
    pytest.importorskip("sklearn")
    train, test = digits()
    runs = Runs(tmp_path / "rotated_digits.json")
    study(runs, DIGITS, 150, (train, test.first(200)), tmp_path, ("p4",), (1200,), (0,))
    ((where, (run,)),) = cells(runs).items()
    assert where == (1200, 150, "p4")
    assert run["rotated"] > 0.6
    assert len(run["by_angle"]) == len(ANGLES)
    assert len(run["by_scale"]) == len(SCALES)
    # Exact at quarter turns: the same images, the same answers but where two classes tie.
    assert run["by_angle"][0] == pytest.approx(run["by_angle"][6], abs=0.011)
    assert run["change_after"][6] < 1e-3 < run["change_after"][3]
    text = page(runs)
    assert "| 1200 | 150 | p4 | 1 |" in text
    assert "Not run" not in text
    runs.path = runs.path.with_name("rotated_mnist.json")
    assert "plain at 100," in page(runs)
    assert picture(runs).count("<svg") == 4


def test_names_say_what_is_augmented():
    assert [name for name in MAKERS if augmented(name)] == [
        "augmented",
        "p4 augmented",
        "C16 augmented",
        "augmented with maxima",
    ]
