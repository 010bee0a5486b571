"""The curvature that orbit gradients meet, against dense matrices."""

import dataclasses
import json

import pytest
import torch
from torch.func import functional_call, hessian, jacrev

from goldstone.actions import Context
from goldstone.auditing.loss_landscape import (
    LandscapeSettings,
    LossLandscape,
    loss_landscape,
)
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup, DihedralGroup

CLOSE = LandscapeSettings(eigenpairs=3, products=60, tolerance=1e-9, trace_products=60)


def dense(subject):
    """Hessian of the mean loss, JᵀJ/N_out, and their parts by sample, in the parameter order."""
    model, samples = subject.model, subject.samples
    shapes = {name: p.shape for name, p in model.named_parameters()}

    def split(v):
        parts = v.split([s.numel() for s in shapes.values()])
        return {name: p.reshape(s) for (name, s), p in zip(shapes.items(), parts, strict=True)}

    def outputs(v, i):
        return functional_call(model, split(v), (samples.inputs[i : i + 1],))

    at = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    hessians, squares = [], []
    for i in range(len(samples.inputs)):
        target = samples.targets[i : i + 1]
        hessians.append(hessian(lambda v, i=i, y=target: subject.loss(outputs(v, i), y).sum())(at))
        jacobian = jacrev(lambda v, i=i: outputs(v, i).reshape(-1))(at)
        squares.append(jacobian.T @ jacobian / len(jacobian))
    return torch.stack(hessians), torch.stack(squares)


@pytest.fixture(scope="module")
def measured(make_subject, literal_gradient, untouched):
    subject, symmetry = make_subject("dense", DihedralGroup(3), n=5)
    elements = symmetry.group.elements()[1:4]
    with untouched(subject.model):
        found = loss_landscape(subject, symmetry, elements, CLOSE)
    gradients = torch.stack(
        [
            torch.stack([literal_gradient(subject, symmetry, g, i) for i in range(5)])
            for g in symmetry.group.elements()[:4]
        ]
    )
    names = [symmetry.group.element_name(g) for g in symmetry.group.elements()[:4]]
    return subject, found, gradients, names, dense(subject)


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton"])
def test_against_dense_matrices(measured, kind):
    _, landscape, gradients, names, matrices = measured
    parts = matrices[0 if kind == "hessian" else 1]
    whole = parts.mean(0)
    found = getattr(landscape, kind)
    values, vectors = torch.linalg.eigh(whole)
    assert landscape.parameters == len(whole)
    assert found.converged
    torch.testing.assert_close(
        torch.tensor(found.eigenvalues, dtype=torch.float64), values.flip(0)[:3]
    )
    assert max(found.residuals) < 1e-7
    if kind == "hessian":
        assert found.smallest == pytest.approx(float(values[0]))
        assert found.smallest < 0
    else:
        assert found.smallest is None
    # As many products as a third of sixty find the whole range of the matrix, to rounding or error.
    assert abs(found.trace - float(whole.trace())) <= 4 * found.trace_standard_error + 1e-9
    assert found.random == pytest.approx(found.trace / len(whole))
    top = vectors[:, -3:]

    def share(v):
        return (v @ top).square().sum(-1) / v.square().sum(-1)

    assert list(found.shares) == names
    for k, name in enumerate(names):
        entry = found.shares[name]
        assert entry.share.estimate == pytest.approx(float(share(gradients[k]).mean()))
        assert entry.over_plain.estimate == pytest.approx(
            float((share(gradients[k]) - share(gradients[0])).mean()), abs=1e-9
        )
        if k == 0:
            assert entry.of_change.estimate is None
        else:
            change = share(gradients[k] - gradients[0])
            assert entry.of_change.estimate == pytest.approx(float(change.mean()))
            assert entry.share.low <= entry.share.estimate <= entry.share.high

    def along(v):
        return float(v @ whole @ v / (v @ v))

    assert found.along.estimate == pytest.approx(along(gradients.mean((0, 1))))
    assert list(found.across) == names[1:]
    for k, name in enumerate(names[1:], 1):
        direction = gradients[k].mean(0) - gradients[0].mean(0)
        assert found.across[name].estimate == pytest.approx(along(direction))
        by_sample = torch.einsum("p,ipq,q->i", direction, parts, direction) / direction.norm() ** 2
        assert found.across[name].q1 == pytest.approx(float(by_sample.quantile(0.25)))
        assert found.across[name].n == 5


def test_random_directions_have_the_curvature_trace_over_parameters(measured):
    _, landscape, _, _, matrices = measured
    whole = matrices[1].mean(0)
    v = torch.randn(4000, len(whole), dtype=torch.float64)
    drawn = torch.einsum("rp,pq,rq->r", v, whole, v) / v.square().sum(1)
    error = float(drawn.std()) / 4000**0.5
    assert landscape.gauss_newton.random == pytest.approx(float(drawn.mean()), abs=5 * error)


def test_built_in_equivariance_has_nothing_across_its_orbits(make_subject, group):
    subject, symmetry = make_subject("equivariant", group, n=4)
    quick = LandscapeSettings(2, 20, 1e-6, 6)
    found = loss_landscape(subject, symmetry, group.elements()[1:3], quick)
    for curvature in (found.hessian, found.gauss_newton):
        for value in curvature.across.values():
            assert value.estimate is None
        plain = curvature.shares["e"].share.estimate
        for entry in curvature.shares.values():
            assert entry.share.estimate == pytest.approx(plain, abs=1e-9)
            assert entry.over_plain.estimate == pytest.approx(0, abs=1e-9)
            assert entry.of_change.estimate is None
        assert curvature.along.estimate is not None


def test_float32_sees_rounding_as_no_change(make_subject):
    subject, symmetry = make_subject("equivariant", CyclicGroup(5), n=4)
    samples = dataclasses.replace(
        subject.samples,
        inputs=subject.samples.inputs.float(),
        targets=subject.samples.targets.float(),
        context=Context(),
    )
    single = type(subject).measure(subject.model.float(), samples, subject.loss, subject.settings)
    found = loss_landscape(single, symmetry, (1, 2), LandscapeSettings(2, 10, 1e-3, 6))
    assert all(value.estimate is None for value in found.gauss_newton.across.values())
    assert found.gauss_newton.shares["r"].of_change.estimate is None


def test_the_whole_space_holds_every_gradient(make_subject):
    subject, symmetry = make_subject("equivariant", CyclicGroup(3), n=4)
    found = loss_landscape(subject, symmetry, (1,), LandscapeSettings(6, 6, 1e-6, 6))
    for curvature in (found.hessian, found.gauss_newton):
        assert curvature.shares["r"].share.estimate == pytest.approx(1)


def test_json_and_bad_input(measured, make_subject):
    _, found, _, _, _ = measured
    again = from_json(LossLandscape, json.loads(json.dumps(to_json(found), allow_nan=False)))
    assert again == found
    subject, symmetry = make_subject("equivariant", CyclicGroup(3), n=4)
    with pytest.raises(InputError, match="count between 1 and"):
        loss_landscape(subject, symmetry, (1,), LandscapeSettings(7, 20))
    with pytest.raises(InputError, match="all different"):
        loss_landscape(subject, symmetry, (1, 0))
    with pytest.raises(InputError, match="eigenpair"):
        LandscapeSettings(eigenpairs=0)
    with pytest.raises(InputError, match="six products"):
        LandscapeSettings(trace_products=3)
