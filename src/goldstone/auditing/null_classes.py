"""Classes within which the null of a pair is taken, where targets are class labels."""

import torch
from torch import Tensor

from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import FEWEST_AUDITED, AuditSettings
from goldstone.core import InputError, trees


def null_classes(samples: Samples, settings: AuditSettings) -> Tensor | None:
    """The class of each sample, if the null is to be one of the same class; None for all pairs.

    Raises:
        InputError: targets are no class labels.
    """
    if settings.null == "all":
        return None
    labels = samples.targets
    if not isinstance(labels, Tensor) or labels.ndim != 1 or labels.is_floating_point():
        raise InputError(
            "null='same class' needs targets that are class labels, integers of shape (sample,); "
            f"got {trees.describe(labels)}; use null='all'"
        )
    return labels.cpu()


def check_null(samples: Samples, settings: AuditSettings) -> None:
    """Raise if the null is to be one of the same class, and samples or targets do not give it.

    Raises:
        InputError: targets are no class labels, or fewer than six samples share their class with
            another.
    """
    labels = null_classes(samples, settings)
    if labels is None:
        return
    _, place, sizes = torch.unique(labels, return_inverse=True, return_counts=True)
    paired = int(torch.sum(sizes[place] > 1))
    if paired < FEWEST_AUDITED:
        raise InputError(
            f"null='same class': {paired} of {len(labels)} samples share their class with another, "
            f"expected at least {FEWEST_AUDITED}; raise samples, or order the data so that "
            "classes recur among the first"
        )
