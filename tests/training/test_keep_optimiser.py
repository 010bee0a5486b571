import pytest
import torch

from goldstone.core import InputError
from goldstone.curvature import adam_metric
from goldstone.systems.emulators import EmulatorConfig, load_emulator
from goldstone.systems.flows import NavierStokes2d, simulate
from goldstone.training import TrainingConfig, read_optimiser, train_next_step


@pytest.fixture(scope="module")
def flows():
    size = {"trajectories": 4, "steps": 2, "grid": (32, 32), "dt": 0.05}
    return simulate(NavierStokes2d(viscosity=2e-3), "isotropic-turbulence", seed=0, **size)


def test_the_state_kept_is_that_of_adamw(flows, tmp_path) -> None:
    config = EmulatorConfig("unet", flows.layout, flows.grid, {"base_channels": 4, "stages": 1})
    training = TrainingConfig(epochs=2, batch_size=4, schedule="constant", warmup=0.0)
    train_next_step(config, training, flows, tmp_path / "kept", keep_optimiser=True)
    train_next_step(config, training, flows, tmp_path / "plain")
    kept, plain = tmp_path / "kept", tmp_path / "plain"
    assert not (kept / "resume.safetensors").exists()
    assert not (plain / "optimiser.safetensors").exists()
    model = load_emulator(kept)
    for one, other in zip(
        model.state_dict().values(), load_emulator(plain).state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)

    state = read_optimiser(kept / "optimiser.safetensors")
    # What torch's own optimiser takes, and the metric with it.
    optimiser = torch.optim.AdamW(model.named_parameters())
    optimiser.load_state_dict(state | {"param_groups": optimiser.state_dict()["param_groups"]})
    steps = {float(entry["step"]) for entry in optimiser.state_dict()["state"].values()}
    assert steps == {2.0 * 2}
    assert torch.equal(
        adam_metric(model, state).diagonal, adam_metric(model, optimiser.state_dict()).diagonal
    )


def test_other_files_are_refused(flows, tmp_path) -> None:
    config = EmulatorConfig("unet", flows.layout, flows.grid, {"base_channels": 4, "stages": 1})
    train_next_step(config, TrainingConfig(epochs=1), flows, tmp_path)
    with pytest.raises(InputError, match="no state of AdamW"):
        read_optimiser(tmp_path / "checkpoints" / "epoch-0001.safetensors")
