"""Every gradient that an audit takes is in its provenance."""

import goldstone
from goldstone.auditing import gradients


def test_gradients_of_all_purposes_are_counted(flows, perturbed_solver, quick, monkeypatch):
    data = flows()
    taken = []
    take = gradients.per_sample_gradients

    def counted(model, scalar, inputs, *rest):
        taken.append(len(inputs))
        return take(model, scalar, inputs, *rest)

    monkeypatch.setattr(gradients, "per_sample_gradients", counted)
    model = perturbed_solver(data)
    result = goldstone.audit(
        model, data, "d1", settings=quick(), shifts=True, history=[(0, model), (1, model)]
    )
    counts = result.provenance
    assert set(counts.other_gradients) == {"controls", "shifts", "history"}
    assert all(counts.other_gradients.values())
    assert counts.gradients + sum(counts.other_gradients.values()) == sum(taken)
