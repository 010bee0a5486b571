"""One element of a group, given as a value or as a tensor."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group


def element_as_tensor(group: Group[Any], element: Any, device: torch.device) -> Tensor:
    """One element as a tensor of shape ``group.element_shape``, checked and on ``device``.

    A tensor keeps its place in an automatic derivative, so that actions can be differentiated in
    the element.

    Raises:
        InputError: it does not lie in the group, or is a batch of elements.
    """
    group.check_contains(element)
    if not isinstance(element, Tensor):
        return group.tensor((element,))[0].to(device)
    if element.shape != torch.Size(group.element_shape):
        raise InputError(
            f"an action takes one element of {group.name} at a time, of shape "
            f"{group.element_shape}, got {tuple(element.shape)}; loop over the batch"
        )
    return element.to(device)


def element_as_value(group: Group[Any], element: Any) -> Any:
    """One element as a value, checked; for actions that know no derivative in it.

    Raises:
        InputError: as :func:`element_as_tensor`.
    """
    if not isinstance(element, Tensor):
        group.check_contains(element)
        return element
    return group.value(element_as_tensor(group, element, element.device))
