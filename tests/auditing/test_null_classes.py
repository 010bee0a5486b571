"""A null of samples of the same class: what shared class gradients do to ρ, and what it undoes."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn

from goldstone.actions import Context, LinearAction, Symmetry, TrivialAction
from goldstone.auditing import AuditSettings, audit
from goldstone.auditing.coherence import (
    PairProducts,
    _within,
    coherences,
    mean_shuffled_coherence,
    orbit_coherence,
)
from goldstone.auditing.null_classes import check_null, null_classes
from goldstone.auditing.samples import Samples
from goldstone.auditing.statistics import Bootstrap
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.representations import PermutationRepresentation

CLASSES = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 3])


def population(seed, shared, within, classes=CLASSES, size=400):
    """a = class part + own; b = ``shared`` × class part + ``within`` × own + its own noise."""
    source = torch.Generator().manual_seed(seed)

    def draw(rows):
        return torch.randn(rows, size, dtype=torch.float64, generator=source)

    n = len(classes)
    of_class, own, noise = draw(4)[classes], draw(n), draw(n)
    rest = (1 - within**2) ** 0.5
    return of_class + own, shared * of_class + within * own + rest * noise


def products_of(a, b, classes=None):
    return PairProducts(a @ a.T, a @ b.T, b @ b.T).matched(classes)


def looped(a, b, classes):
    """ρ by loops: within each class of two or more, weighted by its size."""

    def centred(rows, columns):
        total = weight = 0.0
        for name in classes.unique().tolist():
            members = [i for i in range(len(classes)) if int(classes[i]) == name]
            if len(members) < 2:
                continue
            same = sum(float(rows[i] @ columns[i]) for i in members) / len(members)
            others = [float(rows[i] @ columns[j]) for i, j in itertools.permutations(members, 2)]
            total += len(members) * (same - sum(others) / len(others))
            weight += len(members)
        return total / weight

    return centred(a, b) / (centred(a, a) * centred(b, b)) ** 0.5


def test_is_its_definition_by_loops():
    a, b = population(0, 0.7, 0.4)
    assert orbit_coherence(products_of(a, b, CLASSES)) == pytest.approx(looped(a, b, CLASSES))
    one_class = torch.zeros(12, dtype=torch.long)
    plain = orbit_coherence(products_of(a, b))
    assert orbit_coherence(products_of(a, b, one_class)) == pytest.approx(plain)


def test_replicates_are_the_definition_on_the_drawn_samples():
    a, b = population(1, 0.7, 0.4)
    bootstrap = Bootstrap.draw(12, 20, 0)
    found = coherences(products_of(a, b, CLASSES), bootstrap, 10, 0)

    def centred(rows, columns, draws):
        total = weight = 0.0
        for name in (0, 1, 2):
            members = [i for i in draws.tolist() if int(CLASSES[i]) == name]
            pairs = [(i, j) for i, j in itertools.product(members, repeat=2) if i != j]
            if not pairs:
                continue
            same = sum(float(rows[i] @ columns[i]) for i in members) / len(members)
            other = sum(float(rows[i] @ columns[j]) for i, j in pairs) / len(pairs)
            total += len(members) * (same - other)
            weight += len(members)
        return total / weight

    for draws, replicate in zip(bootstrap.draws, found.orbit_replicates, strict=True):
        wanted = centred(a, b, draws) / (centred(a, a, draws) * centred(b, b, draws)) ** 0.5
        assert float(replicate) == pytest.approx(wanted)


@pytest.mark.parametrize("within", [0.0, 0.5])
def test_class_parts_that_agree_do_not_count(within):
    classes = torch.arange(24) % 4
    plain, matched = [], []
    for seed in range(20):
        a, b = population(seed, 1.0, within, classes)
        plain.append(orbit_coherence(products_of(a, b)))
        matched.append(orbit_coherence(products_of(a, b, classes)))
    # Half of the variance is of classes, and that is shared whole.
    assert sum(plain) / 20 > within + 0.15
    assert sum(matched) / 20 == pytest.approx(within, abs=0.03)


def test_permutations_stay_within_classes_and_are_all_reached():
    orders = torch.rand(4000, 12, generator=torch.Generator().manual_seed(0)).argsort(1)
    found = _within(orders, CLASSES)
    assert bool((CLASSES[found] == CLASSES).all())
    assert bool((found.sort(1).values == torch.arange(12)).all())
    of_two = found[:, CLASSES == 2]
    counts = torch.unique(of_two, dim=0, return_counts=True)[1]
    assert len(counts) == 6
    assert float(counts.min()) > 4000 / 6 * 0.85


def test_p_is_uniform_where_classes_alone_agree():
    classes = torch.arange(16) % 4
    small = 0
    for seed in range(60):
        a, b = population(seed, 1.0, 0.0, classes)
        found = coherences(products_of(a, b, classes), Bootstrap.draw(16, 10, 0), 99, seed)
        small += found.permutation_p <= 0.1
    assert small <= 13
    a, b = population(0, 1.0, 0.0, classes)
    plain = coherences(products_of(a, b), Bootstrap.draw(16, 10, 0), 99, 0)
    assert plain.permutation_p <= 0.01


def test_shuffling_within_classes_still_gives_zero():
    classes = torch.arange(24) % 4
    a, b = population(3, 1.0, 0.5, classes)
    mean, error = mean_shuffled_coherence(products_of(a, b, classes), 200, 0)
    assert abs(mean) < 4 * error + 0.02


def cycles() -> Symmetry:
    group = CyclicGroup(4)
    table = (tuple((i + 1) % 4 for i in range(4)),)
    moved = LinearAction(PermutationRepresentation(group, table))
    return Symmetry("cycles", group, moved, TrivialAction(), TrivialAction())


def test_an_audit_of_a_classifier_says_which_null_it_took():
    source = torch.Generator().manual_seed(0)
    x = torch.randn(40, 4, generator=source)
    labels = (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 4))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimiser.step()
    small = AuditSettings(
        samples=24, trajectories=24, reference=4, bootstrap=100, permutations=100,
        null="same class",
    )  # fmt: skip
    result = audit(model, (x, labels), cycles(), settings=small)
    assert result.provenance.gradient_path.endswith("null within classes")
    assert result.provenance.settings["null"] == "same class"
    shuffled = next(c for c in result.controls if c.name == "shuffled pairing")
    assert shuffled.as_expected
    assert all(abs(s.estimate) < 0.1 for s in shuffled.orbit_coherence.values())
    with pytest.raises(InputError, match="class labels"):
        audit(nn.Linear(4, 4), (x, x), cycles(), settings=small)
    alone = torch.arange(40)
    with pytest.raises(InputError, match="share their class"):
        audit(nn.Linear(4, 40), (x, alone), cycles(), settings=small)


def test_unknown_nulls_are_refused():
    with pytest.raises(InputError, match="unknown null"):
        AuditSettings(null="poses")


def test_the_first_of_the_samples_need_no_six_of_shared_classes():
    """An adaptive audit may stop at samples of which few share a class."""
    settings = AuditSettings(null="same class")
    labels = torch.tensor([0, 1, 2, 3, 4, 0, 5, 6, 0, 1, 2, 3, 4, 5])
    samples = Samples(torch.zeros(14, 2), labels, torch.arange(14), Context())
    check_null(samples, settings)
    few = replace(samples, targets=labels[:8], trajectory=torch.arange(8))
    assert torch.equal(null_classes(few, settings), labels[:8])
    with pytest.raises(InputError, match="2 of 8 samples"):
        check_null(few, settings)
