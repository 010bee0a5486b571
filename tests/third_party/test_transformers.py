"""Hugging Face's ViT and GPT-2, built from configurations: keyword inputs, output objects, caches.

Needs ``pip install transformers``, and scikit-learn for its digits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goldstone import AuditSettings, Symmetry, audit
from goldstone.actions import Context, TreeAction, TrivialAction, image_symmetry, sequence_symmetry
from goldstone.auditing import equivariance_errors
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.systems.losses import cross_entropy

transformers = pytest.importorskip("transformers", reason="needs pip install transformers")

Small = Callable[..., AuditSettings]


def vit(**changes: Any) -> nn.Module:
    config = {"image_size": 16, "patch_size": 4, "num_channels": 1, "num_labels": 10}
    config |= {"hidden_size": 32, "intermediate_size": 64}
    config |= {"num_hidden_layers": 2, "num_attention_heads": 2}
    model: nn.Module = transformers.ViTForImageClassification(
        transformers.ViTConfig(**(config | changes))
    )
    return model.eval()


def digits() -> tuple[Tensor, Tensor]:
    datasets = pytest.importorskip("sklearn.datasets", reason="needs pip install scikit-learn")
    images, labels = datasets.load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 8 - 1
    return nn.functional.interpolate(x, scale_factor=2.0), torch.tensor(labels)


def train(
    model: nn.Module,
    inputs: dict[str, Tensor],
    labels: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    steps: int,
) -> nn.Module:
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    model.train()
    for _ in range(steps):
        batch = torch.randint(len(labels), (64,))
        optimiser.zero_grad()
        output = model(**{key: x[batch] for key, x in inputs.items()})
        loss(output.logits, labels[batch]).mean().backward()
        optimiser.step()
    optimiser.zero_grad()
    return model.eval()


def of_images(symmetry: Symmetry) -> Symmetry:
    """Of the dict that the model takes as keyword arguments."""
    pixels = TreeAction({"pixel_values": symmetry.on_input})
    return Symmetry(symmetry.name, symmetry.group, pixels, TrivialAction())


TURNS = of_images(image_symmetry("quarter-turns", (16, 16), 1))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_vit_breaks_quarter_turns_before_and_after_training(small: Small, attention: str) -> None:
    x, y = digits()
    model = vit(attn_implementation=attention)
    held_out = {"pixel_values": x[:48]}, y[:48]
    before = audit(model, held_out, TURNS, settings=small())
    assert not before.model.has_skill
    assert all(e.grade != "exact" for e in before.elements[1:])
    train(model, {"pixel_values": x[48:]}, y[48:], cross_entropy, 120)
    after = audit(model, held_out, TURNS, settings=small())
    assert after.model.name == "ViTForImageClassification"
    assert after.model.has_skill
    assert after.verdict.holds.answer == "no"
    assert [e.holds for e in after.elements[1:]] == ["no", "no", "no"]
    assert after.provenance.gradient_path.endswith("forward mode")


@dataclass(frozen=True)
class PatchShift:
    """Cyclic shifts by whole patches along the first axis of the images."""

    def act(self, element: int, x: Tensor, context: Context) -> Tensor:
        return x.roll(4 * element, 2)


def test_without_positions_patches_may_move(small: Small) -> None:
    """Attention knows no order: with positions gone, whole patches can be exchanged, for all θ."""
    model = vit().double()
    positions = model.vit.embeddings.position_embeddings  # type: ignore[union-attr]
    shifts = of_images(Symmetry("patches", CyclicGroup(4), PatchShift(), TrivialAction()))
    x, y = digits()
    data = {"pixel_values": x[:48]}, y[:48]
    with torch.no_grad():
        positions.normal_()  # type: ignore[union-attr, operator]
    placed = audit(model, data, shifts, settings=small())
    assert all(e.grade != "exact" for e in placed.elements[1:])
    with torch.no_grad():
        positions.zero_()  # type: ignore[union-attr, operator]
    learnable = audit(model, data, shifts, settings=small())
    assert all(e.grade == "exact" for e in learnable.elements)
    # A step would move the positions: exact here, but not built in.
    assert learnable.elements[1].orbit_coherence["euclidean"].estimate < 1 - 1e-5
    positions.requires_grad_(False)  # type: ignore[union-attr, operator]
    fixed = audit(model, data, shifts, settings=small())
    for element in fixed.elements:
        for metric in ("euclidean", "galerkin"):
            assert element.orbit_coherence[metric].estimate == pytest.approx(1, abs=1e-6)


LENGTH, TOKENS = 10, 20


def gpt(**changes: Any) -> nn.Module:
    config = {"vocab_size": TOKENS, "n_positions": LENGTH, "n_embd": 32, "n_layer": 2, "n_head": 2}
    config |= {"bos_token_id": 0, "eos_token_id": 0}
    model: nn.Module = transformers.GPT2LMHeadModel(transformers.GPT2Config(**(config | changes)))
    return model.eval()


def sentences(n: int) -> tuple[dict[str, Tensor], Tensor]:
    """At place p token 2p or 2p + 1; the target is the next number. Either would tell it."""
    source = torch.Generator().manual_seed(0)
    tokens = 2 * torch.arange(LENGTH) + torch.randint(2, (n, LENGTH), generator=source)
    return {"input_ids": tokens}, (tokens + 1) % TOKENS


def of_tokens(prediction: Tensor, target: Tensor) -> Tensor:
    """Of logits (n, place, token), as language models give them."""
    return cross_entropy(prediction.transpose(1, 2), target)


def shifts() -> Symmetry:
    found = sequence_symmetry("cyclic-shifts", LENGTH)
    tokens = TreeAction({"input_ids": found.on_input})
    return Symmetry("shifts", found.group, tokens, found.on_output, elements=(1, 3))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_gpt_with_absolute_positions_breaks_shifts(small: Small, attention: str) -> None:
    """Tokens are only ever seen at their own places, so that the model is lost when they move."""
    model = gpt(attn_implementation=attention)
    inputs, labels = sentences(256)
    train(model, inputs, labels, of_tokens, 80)
    data = sentences(40)
    result = audit(model, data, shifts(), loss=of_tokens, settings=small())
    assert result.model.has_skill
    assert result.model.log_loss_over_climatology.estimate is not None
    assert result.verdict.holds.answer == "no"
    assert all(e.holds == "no" for e in result.elements[1:])
    assert result.provenance.gradient_path.endswith("forward mode")
    assert model.config.use_cache  # type: ignore[union-attr]


def test_training_mode_is_refused() -> None:
    inputs, labels = sentences(20)
    with pytest.raises(InputError, match=r"Dropout.* training mode.*eval"):
        audit(gpt().train(), (inputs, labels), shifts(), loss=of_tokens)


def test_several_outputs_are_refused_by_name() -> None:
    inputs, labels = sentences(20)
    model = gpt(output_hidden_states=True)
    with pytest.raises(InputError, match=r"got dict {logits: .*hidden_states.*wrap the model"):
        audit(model, (inputs, labels), shifts(), loss=of_tokens)


def test_layers_of_a_vit_can_be_looked_at() -> None:
    found = equivariance_errors(vit(), {"pixel_values": digits()[0][:8]}, TURNS)
    assert all(e.error.estimate is not None and e.error.estimate > 1e-3 for e in found.elements)
