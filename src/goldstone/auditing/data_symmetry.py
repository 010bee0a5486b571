"""Is the data symmetric? Two-sample tests between data and moved data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.data_features import default_features, standardised
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.probed_model import trajectories_of
from goldstone.auditing.statistics import holm
from goldstone.auditing.two_sample import (
    TwoSampleTest,
    classifier_test,
    gaussian_kernel,
    mmd_test,
)
from goldstone.core import InputError, check_finite, generator, trees
from goldstone.core.trees import Tree

DataAnswer = Literal["broken", "not seen to be broken"]
TestName = Literal["mmd", "classifier"]
_TESTS = {"mmd": mmd_test, "classifier": classifier_test}
_CONTEXT = Context()
FEWEST = 8
SHIFTS = (0.25, 0.5, 1.0, 2.0, 4.0)
_TRIALS = 8


@dataclass(frozen=True)
class ElementDataTest:
    """Data against data moved by one element.

    Attributes:
        name: of the element.
        test: the two-sample test.
        adjusted_p: Holm's, over the elements.
        answer: ``broken`` if that is below the level.
    """

    name: str
    test: TwoSampleTest
    adjusted_p: float
    answer: DataAnswer


@dataclass(frozen=True)
class DataSymmetry:
    """Whether the distribution of the data is invariant, element by element.

    Attributes:
        symmetry, test: their names.
        trajectories: how many; half of them are moved, the others are not.
        level: of the family of tests.
        elements: the results.
        detectable_shift: the power of the test: the smallest shift of one half of the data along
            the first principal axis of the features, in standard deviations (0.25, 0.5, 1, 2 or 4),
            that is detected in most trials at the level of the first step of Holm's procedure; None
            if none is. Asymmetries of other shapes may need more data.
        statement: the result in words, with that caveat.
    """

    symmetry: str
    test: TestName
    trajectories: int
    level: float
    elements: tuple[ElementDataTest, ...]
    detectable_shift: float | None
    statement: str


def data_symmetry(
    data: Tree,
    symmetry: Symmetry,
    elements: Sequence[Any] | int | None = None,
    *,
    targets: Tree | None = None,
    features: Callable[[Tree], Tensor] | None = None,
    test: TestName = "mmd",
    trajectory: Tensor | None = None,
    context: Context = _CONTEXT,
    permutations: int = 500,
    level: float = 0.05,
    seed: int = 0,
) -> DataSymmetry:
    """Test, for each element g, whether x and g·x have one distribution: *explicit* breaking.

    A sample and its own moved version are not independent. So for each element trajectories are
    dealt into two halves at random, one is moved, and whole trajectories are permuted between the
    halves: under invariance all of them are exchangeable and the test is exact, whatever the
    dependence inside a trajectory. Halves and permutations are drawn anew for each element, so that
    elements are not misled together by one unlucky deal; the data themselves they share.

    Args:
        data: n states: a tensor, sample axis first, or a tree of tensors, moved by
            ``symmetry.on_input``.
        symmetry: the group and its actions.
        elements: values of the group; a number of them to draw from Haar measure; None for the
            symmetry's own choice.
        targets: the answers to the states. If they are given, the pairs (x, y) are tested, moved by
            ``symmetry.target_action``: so is the task, y as a function of x.
        features: a function of a batch of states (a pair of them with targets) to (n, features);
            None for :func:`goldstone.auditing.data_features.default_features`. A symmetry that the
            features do not see is not tested.
        test: ``mmd``, a kernel test with the Gaussian kernel, or ``classifier``, a cross-validated
            kernel classifier, the sharper of the two on relations between states and targets. Both
            on standardised features, at the median distance.
        trajectory: (n,) which trajectory each state comes from; each its own if None.
        context: the frame of the states; targets lie one step later.
        permutations: of the permutation test; more than elements/level for Holm to reject at all.
        level: of the family of tests.
        seed: of the halves, the permutations and the elements.

    Raises:
        InputError: no element besides the identity, fewer than 8 trajectories, data that is not
            finite, too few permutations, or features of another form.

    References:
        Gretton et al. (2012), JMLR 13; Lopez-Paz and Oquab (2017), ICLR; Holm (1979).
    """
    chosen = [g for g in choose_elements(symmetry, elements, seed) if g != symmetry.group.identity]
    if not chosen:
        raise InputError("expected one element or more besides the identity, got none")
    n = trees.batch_size(data)
    pair = data if targets is None else (data, targets)
    for leaf in trees.leaves(pair):
        check_finite(leaf, "data")
    of = trajectories_of(trajectory, n)
    count = int(of.max()) + 1 if n else 0
    if test not in _TESTS:
        raise InputError(f"unknown test {test!r}; expected one of {', '.join(_TESTS)}")
    if count < FEWEST:
        raise InputError(f"expected {FEWEST} or more trajectories, got {count}; simulate more")
    if (permutations + 1) * level < len(chosen):
        raise InputError(
            f"with {len(chosen)} elements no p-value of {permutations} permutations is below the "
            f"level after Holm's correction; take at least {int(len(chosen) / level)}"
        )
    plain = _features(features, data, targets)
    tests = {}
    for g in chosen:
        name = symmetry.group.element_name(g)
        # Halves of its own for each element: a split that is uneven by chance misleads one alone.
        source = generator(seed, "halves", name)
        moved = _half(count, source)[of]
        there = _features(features, *_moved(data, targets, symmetry, g, context, moved))
        kernel = gaussian_kernel(standardised(torch.cat((plain[~moved], there))))
        # The kernel's rows: those that stay come first.
        order = moved.int().argsort(stable=True)
        label = torch.where(moved[order], 1.0, -1.0)
        own_seed = int(torch.randint(2**31, (), generator=source))
        tests[name] = _TESTS[test](kernel, label, of[order], own_seed, permutations)
    adjusted = holm({name: found.p for name, found in tests.items()})
    results = tuple(
        ElementDataTest(
            name,
            found,
            adjusted[name],
            "broken" if adjusted[name] < level else "not seen to be broken",
        )
        for name, found in tests.items()
    )
    smallest = _detectable(plain, of, test, level / len(chosen), seed)
    statement = _statement(results, smallest)
    return DataSymmetry(symmetry.name, test, count, level, results, smallest, statement)


def _half(count: int, source: torch.Generator) -> Tensor:
    """(count,), true for a random half."""
    half = torch.zeros(count, dtype=torch.bool)
    half[torch.randperm(count, generator=source)[: count // 2]] = True
    return half


def _moved(
    data: Tree, targets: Tree | None, symmetry: Symmetry, g: Any, context: Context, rows: Tensor
) -> tuple[Tree, Tree | None]:
    here = symmetry.on_input.act(g, trees.take(data, rows), context)
    if targets is None:
        return here, None
    after = context.at(context.step + 1)
    return here, symmetry.target_action.act(g, trees.take(targets, rows), after)


def _features(
    features: Callable[[Tree], Tensor] | None, data: Tree, targets: Tree | None
) -> Tensor:
    if features is None:
        parts = [default_features(part) for part in (data, targets) if part is not None]
        found = torch.cat(parts, 1)
    else:
        found = features(data if targets is None else (data, targets))
    n = trees.batch_size(data)
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != n:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise InputError(f"expected features of shape ({n}, features), got {shape}")
    return found.detach().double().cpu()


def _detectable(plain: Tensor, of: Tensor, test: TestName, level: float, seed: int) -> float | None:
    """The smallest planted shift that is found in most trials on the data as it is."""
    rows = standardised(plain)
    axis = torch.linalg.svd(rows, full_matrices=False)[2][0]
    planted = axis * (rows @ axis).std()
    count = int(of.max()) + 1
    permutations = max(99, int(2 / level))
    for size in SHIFTS:
        found = 0
        for trial in range(_TRIALS):
            shifted = _half(count, generator(seed, "trial", trial))[of]
            kernel = gaussian_kernel(standardised(rows + size * shifted[:, None] * planted))
            label = torch.where(shifted, 1.0, -1.0)
            found += _TESTS[test](kernel, label, of, trial, permutations).p <= level
        if found > _TRIALS / 2:
            return size
    return None


def _statement(results: Sequence[ElementDataTest], smallest: float | None) -> str:
    broken = [r.name for r in results if r.answer == "broken"]
    power = (
        "This test finds no shift of the features up to 4 standard deviations: it has too little "
        "data to say anything."
        if smallest is None
        else f"It would find a shift of the features by {smallest:g} standard deviations; smaller "
        "or subtler asymmetries may escape it."
    )
    if not broken:
        return f"No asymmetry of the data is seen. {power}"
    rest = len(results) - len(broken)
    told = f"The data are not symmetric under {', '.join(broken)}: explicit breaking."
    others = "the other element" if rest == 1 else f"the other {rest} elements"
    return f"{told} No asymmetry is seen under {others}. {power}" if rest else f"{told} {power}"
