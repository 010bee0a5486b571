"""Floor 6: checkers for your own groups, actions and models, the ones goldstone's tests use."""

from goldstone.testing.equivariance import assert_equivariant
from goldstone.testing.holding import assert_holds
from goldstone.testing.laws import LawError, check_action_laws, check_group_laws
from goldstone.testing.representation_laws import check_representation_laws

__all__ = [
    "LawError",
    "assert_equivariant",
    "assert_holds",
    "check_action_laws",
    "check_group_laws",
    "check_representation_laws",
]
