"""No layer is left out of the catalogue, and its entries say what is so."""

import pytest
from torch import nn

import goldstone.nn
from goldstone.nn import gauge
from tests.nn.contract.catalogue import CASES, ENTRIES

BASES = {
    "BlockWeights": "what linear layers are made of, without a forward",
    "Canonicaliser": "abstract",
    "SymmetrisedModel": "abstract",
}
"""Exported modules that are no layers."""


def exported():
    for package in (goldstone.nn, gauge):
        for name in package.__all__:
            found = getattr(package, name)
            if isinstance(found, type) and issubclass(found, nn.Module):
                yield name


def test_every_exported_module_has_one_entry():
    named = [entry.layer.__name__ for entry in ENTRIES]
    assert len(named) == len(set(named))
    assert set(exported()) - BASES.keys() == set(named)
    assert set(exported()) >= BASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_case_makes_its_layer(name):
    entry, case = CASES[name]
    assert any(type(module) is entry.layer for module in case.make().modules())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.layer.__name__)
def test_words_for_the_page(entry):
    assert entry.layer.__doc__
    for words in (entry.keeps, entry.shapes, entry.exact, *entry.unable.values()):
        assert words
        assert "\n" not in words
