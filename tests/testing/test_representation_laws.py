"""The checker of representations finds what is broken, and names it."""

from dataclasses import dataclass

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, SpecialOrthogonalGroup, SymmetricGroup
from goldstone.representations import (
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
)
from goldstone.testing import LawError, check_representation_laws


@dataclass(frozen=True)
class Doubled(TrivialRepresentation):
    """ρ(g) = 2: breaks every law."""

    def _matrices(self, g):
        return 2 * super()._matrices(g)


@dataclass(frozen=True)
class Reversed(StandardRepresentation):
    """ρ(g)ᵀ: an antihomomorphism."""

    def _matrices(self, g):
        return super()._matrices(g).mT


@dataclass(frozen=True)
class WrongDerivative(StandardRepresentation):
    factor: float = 2.0

    def _derivatives(self, x):
        return self.factor * super()._derivatives(x)


@dataclass(frozen=True)
class Shapeless(TrivialRepresentation):
    def _matrices(self, g):
        return super()._matrices(g)[..., 0]


@dataclass(frozen=True)
class WrongCharacter(TrivialRepresentation):
    def _characters(self, g):
        return super()._characters(g) + 1


@dataclass(frozen=True)
class NotANumber(TrivialRepresentation):
    def _matrices(self, g):
        return super()._matrices(g) * torch.nan


def test_sound_representations_pass():
    check_representation_laws(RegularRepresentation(DihedralGroup(4)))
    check_representation_laws(StandardRepresentation(SymmetricGroup(6)))
    check_representation_laws(StandardRepresentation(SpecialOrthogonalGroup(3)))
    check_representation_laws(StandardRepresentation(CyclicGroup(5)), elements=(1, 2))


@pytest.mark.parametrize(
    ("representation", "message"),
    [
        (Doubled(CyclicGroup(3)), r"Doubled of C3: ρ\(e\) = 1 fails for e by 5\.0e-01"),
        (Reversed(DihedralGroup(3)), r"ρ\(gh\) = ρ\(g\)ρ\(h\) fails for r, s"),
        (WrongDerivative(SpecialOrthogonalGroup(3)), r"ρ\(exp x\) = exp dρ\(x\) fails for x = X"),
        (WrongCharacter(CyclicGroup(2)), r"χ\(g\) = tr ρ\(g\) fails"),
        (Shapeless(CyclicGroup(2)), r"expected matrices of shape \(2, 1, 1\)"),
        (NotANumber(CyclicGroup(2)), r"fails for e by inf"),
    ],
)
def test_broken_ones_are_named(representation, message):
    with pytest.raises(LawError, match=message):
        check_representation_laws(representation)


def test_elements_must_lie_in_the_group():
    with pytest.raises(InputError, match="7 is not an element of C3"):
        check_representation_laws(TrivialRepresentation(CyclicGroup(3)), elements=(7,))
