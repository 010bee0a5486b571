"""How long training takes as more entries are fixed, and larger ones."""

from typing import Any

import torch
from torch.nn import functional

from goldstone.reproductions.asymmetric_networks.data import Images
from goldstone.reproductions.asymmetric_networks.networks import ASYMMETRY, perceptron, train
from goldstone.weightspace import w_asymmetric

LEVEL = 0.1
"""The training loss that is to be reached; a tenth of a nat."""
_EVERY = 5


def steps_to_level(
    images: Images, width: int, count: int, scale: float, seed: int, epochs: int
) -> dict[str, Any]:
    """Steps until the loss on 512 training images is below 0.1; none after so many epochs is null.

    Args:
        images: what on.
        width: of the hidden layers.
        count: fixed entries of each unit of the first layer, of 64; the same share elsewhere, the
            last layer excepted, which is left free.
        scale: κ of all of them.
        seed: of initial weights and order.
        epochs: the most.
    """
    model = perceptron((images.train.shape[1], width, width, width, 10), seed)
    if count:
        hidden = count * width // images.train.shape[1]
        counts = {"0": count, "3": hidden, "6": hidden}
        w_asymmetric(model, counts, seed=ASYMMETRY, scale=scale)
    reached: list[int] = []

    def check(done: int) -> bool:
        if done % _EVERY:
            return False
        with torch.no_grad():
            now = functional.cross_entropy(model(images.train[:512]), images.labels[:512])
        if float(now) < LEVEL:
            reached.append(done)
        return bool(reached)

    train(model, images, epochs, seed, after_step=check)
    return {"steps": reached[0] if reached else None}
