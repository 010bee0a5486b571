"""Emulators and weights on disk."""

import json

import pytest
import torch
from safetensors.torch import save_file

from goldstone.actions import NAVIER_STOKES_FIELDS
from goldstone.core import InputError
from goldstone.systems.emulators import (
    EmulatorConfig,
    build_emulator,
    checkpoint_path,
    list_checkpoints,
    load_emulator,
    load_weights,
    read_emulator_config,
    read_tensors,
    read_weights,
    save_emulator,
)

CONFIGS = [
    EmulatorConfig("unet", NAVIER_STOKES_FIELDS, (8, 8), {"base_channels": 4, "stages": 1}),
    EmulatorConfig("vit", NAVIER_STOKES_FIELDS, (8, 8), {"width": 8, "heads": 2, "depth": 1}),
    EmulatorConfig("equivariant", NAVIER_STOKES_FIELDS, (8, 8), {"copies": 1, "stages": 1}),
]


def _fitted(config, seed=0):
    emulator = build_emulator(config, seed)
    x = 3 * torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    emulator.fit(x, x.roll(1, 0))
    return emulator


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.architecture)
def test_round_trip(tmp_path, config):
    emulator = _fitted(config)
    path = tmp_path / "emulator.safetensors"
    save_emulator(path, emulator, config, {"epoch": 3})
    again = load_emulator(path)
    assert read_emulator_config(path) == config
    assert read_tensors(path)[1]["epoch"] == 3
    assert not again.training
    x = torch.randn(2, 2, 8, 8)
    assert torch.equal(again(x), emulator(x))
    assert float(again.state.scale[0]) == pytest.approx(3, rel=0.2)


def test_checkpoints_are_listed_by_epoch_and_the_last_is_loaded(tmp_path):
    config = CONFIGS[0]
    for epoch in (10, 0, 2):
        save_emulator(checkpoint_path(tmp_path, epoch), _fitted(config, epoch), config)
    (tmp_path / "checkpoints" / "notes.txt").write_text("")
    found = list_checkpoints(tmp_path)
    assert [epoch for epoch, _ in found] == [0, 2, 10]
    assert list_checkpoints(tmp_path / "checkpoints") == found
    x = torch.randn(1, 2, 8, 8)
    assert torch.equal(load_emulator(tmp_path)(x), _fitted(config, 10)(x))


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="found none; train"):
        list_checkpoints(tmp_path)
    with pytest.raises(InputError, match="found none; check the path"):
        load_emulator(tmp_path / "absent.safetensors")
    with pytest.raises(InputError, match="found none; check the path"):
        read_weights(tmp_path / "absent.pt")


@pytest.mark.parametrize("kept", [0, 6, 100, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path, kept):
    path = tmp_path / "emulator.safetensors"
    save_emulator(path, _fitted(CONFIGS[0]), CONFIGS[0])
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    with pytest.raises(InputError, match=r"emulator\.safetensors: not a complete safetensors"):
        load_emulator(path)


def test_weights_that_do_not_fit_are_named():
    model = torch.nn.Linear(3, 2)
    weights = {"weight": torch.zeros(2, 4), "scale": torch.zeros(1)}
    with pytest.raises(InputError, match="do not fit") as raised:
        load_weights(model, weights, "w.safetensors")
    for part in (
        "w.safetensors: these weights do not fit the model Linear",
        "bias is missing",
        "scale is not in the model",
        "weight has shape (2, 4) and the model's has (2, 3)",
    ):
        assert part in str(raised.value)


def test_a_file_without_config_or_with_weights_of_another_model(tmp_path):
    path = tmp_path / "plain.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="no emulator config"):
        load_emulator(path)
    header = {"goldstone": json.dumps({"emulator": CONFIGS[0].to_json()})}
    save_file(dict(build_emulator(CONFIGS[1]).state_dict()), path, metadata=header)
    with pytest.raises(InputError, match=r"do not fit .* and \d+ more"):
        load_emulator(path)


def test_plain_weights_of_torch_and_nothing_pickled(tmp_path):
    model, path = torch.nn.Linear(3, 2), tmp_path / "model.pt"
    for content in (model.state_dict(), {"state_dict": model.state_dict()}):
        torch.save(content, path)
        other = torch.nn.Linear(3, 2)
        load_weights(other, read_weights(path), str(path))
        assert torch.equal(other.weight, model.weight)
    torch.save(model, path)
    with pytest.raises(InputError, match="cannot be read as plain weights"):
        read_weights(path)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="expected a state_dict of named tensors, got list"):
        read_weights(path)
    path.write_bytes(b"\x80\x02")
    with pytest.raises(InputError, match="cannot be read as plain weights"):
        read_weights(path)
