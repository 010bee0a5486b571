"""The quick form of the transformer barriers, its text, and claims of numbers put in by hand."""

import re

import pytest
import torch

from goldstone.core import generator
from goldstone.reproductions import Reproduction, reproduce
from goldstone.reproductions.transformer_barriers import claims, text
from goldstone.reproductions.transformer_barriers.experiment import QUICK
from goldstone.reproductions.transformer_barriers.network import CharacterTransformer, initialise


def test_quick_form(tmp_path):
    found = reproduce("transformer_barriers", tmp_path, quick=True)
    order, beyond, connected, exact = found.claims
    # One pair of networks that have hardly trained: only what is exact must hold.
    assert exact.outcome == "reproduced"
    assert [len(c.comparisons) for c in (order, beyond, connected)] == [6, 2, 5]
    rows = {row.quantity: row.measured.estimate for row in order.comparisons}
    assert rows["learned matching, all: barrier"] < rows["vanilla: barrier"]
    assert {"barriers", "learning"} == set(found.drawings)
    assert Reproduction.load(tmp_path / "transformer_barriers.json") == found
    again = reproduce("transformer_barriers", tmp_path, quick=True)
    assert again.tables == found.tables
    assert again.provenance.seconds == found.provenance.seconds
    assert len(list(tmp_path.glob("*-work/network-*.safetensors"))) == 2 * QUICK.pairs


def test_the_text_is_of_its_seed():
    assert text.Grammar(generator(0)).text(500) == text.Grammar(generator(0)).text(500)
    assert text.Grammar(generator(0)).text(500) != text.Grammar(generator(1)).text(500)
    train, test, alphabet = text.characters(3000, 700)
    assert (len(train), len(test)) == (3000, 700)
    whole = "".join(alphabet[i] for i in torch.cat([train, test]))
    assert whole == text.Grammar(generator(0, "grammar")).text(3700)


def test_sums_are_right_and_verbs_agree():
    whole = text.Grammar(generator(3)).text(60_000)
    sums = re.findall(r"(\w+) and (\w+) make (\w+)\.", whole)
    assert len(sums) > 50
    value = {name: k for k, name in enumerate(text._NUMBERS, 1)}
    assert all(value[a] + value[b] == value[c] for a, b, c in sums)
    nouns = "|".join(text._NOUNS)
    # Subjects of whole sentences: no clause around them has a verb that could follow.
    start = r"(?:^|\.\s)"
    singular = set(re.findall(rf"{start}(?:every|this)(?: \w+)? (?:{nouns}) (?!that)(\w+)", whole))
    plural = set(re.findall(rf"{start}(?:some|all)(?: \w+)? (?:{nouns})s (?!that)(\w+)", whole))
    assert plural == set(text._VERBS)
    assert {"carries", "watches", "loves"} <= singular
    assert len(singular) == len(plural)
    assert not singular & plural


def test_windows_hold_what_follows():
    x, y = text.windows(torch.arange(23), 5)
    assert x.shape == y.shape == (4, 5)
    assert torch.equal(y, x + 1)
    assert torch.equal(x.flatten(), torch.arange(20))


def test_the_transformer_does_not_look_ahead():
    model = CharacterTransformer(7, 6, 8, 2, 1)
    initialise(model, 0)
    one = torch.tensor([[1, 2, 3, 4, 5, 6]])
    other = one.clone()
    other[0, 4] = 0
    with torch.no_grad():
        torch.testing.assert_close(model(one)[:, :4], model(other)[:, :4])
        assert not torch.allclose(model(one)[:, 4:], model(other)[:, 4:])


@pytest.fixture
def numbers():
    heights = dict(zip(claims.METHODS, (2.0, 1.5, 1.2, 0.6, 0.4, 0.02), strict=True))
    heights |= {claims.LONGER: 0.01, claims.HIDDEN: 3.0, claims.RECOVERED: 1e-6}
    return {
        method: [
            {"barrier": height + 0.01 * k, "change of logits": 1e-5, "middle": []} for k in range(3)
        ]
        for method, height in heights.items()
    }


def test_claims_follow_the_numbers(numbers):
    trained = [{"test loss": 0.6}] * 6
    order, beyond, connected, exact = claims.claims(numbers, trained)
    assert [c.outcome for c in (order, beyond, connected)] == ["reproduced"] * 3
    assert exact.outcome == "not reproduced"  # 0.01 is more than 1e-3 of 3
    for run in numbers[claims.RECOVERED]:
        run["barrier"] = 1e-6
    assert claims.claims(numbers, trained)[3].outcome == "reproduced"
    for run in numbers[claims.LEARNED_PERMUTED]:
        run["barrier"] = 1.9
    order, *_ = claims.claims(numbers, trained)
    assert order.outcome == "partly"
    assert "learned matching, permutations is not below activation matching" in order.diagnosis
    for run in numbers[claims.LEARNED]:
        run["barrier"] = 0.3
    connected = claims.claims(numbers, trained)[2]
    assert connected.outcome == "partly"
    assert "15% of vanilla" in connected.diagnosis
