"""The tasks of group_speed.py for e3nn; see group_speed_worker.py."""

import torch
from group_speed_worker import degree_triples, law_errors, rotations, run


def o3():
    torch.set_default_dtype(torch.float64)
    import e3nn.o3

    return e3nn.o3


def importing():
    return lambda: o3() and None, lambda _: {}


def coupling():
    known, triples = o3(), degree_triples(6)

    def check(tensors):
        # Its tensors have norm 1.
        return {
            ",".join(map(str, t)): (x * x.shape[2] ** 0.5).numpy()
            for t, x in zip(triples, tensors, strict=True)
        }

    return lambda: [known.wigner_3j(*t) for t in triples], check


def in_its_axes(turns):
    """Its vectors have the components (y, z, x) of the others'."""
    axes = [1, 2, 0]
    return turns[:, axes][:, :, axes]


def wigner():
    known, turns = o3(), in_its_axes(rotations(1000))

    def work():
        angles = known.matrix_to_angles(turns)
        return [known.wigner_D(degree, *angles) for degree in range(7)]

    return work, lambda found: {f"D{degree}": x.numpy() for degree, x in enumerate(found)}


def wigner_error(degree):
    def task():
        known = o3()
        r, s = in_its_axes(rotations(100, 1)), in_its_axes(rotations(100, 2))

        def work():
            angles = (known.matrix_to_angles(x) for x in (r, s, r @ s))
            return tuple(known.wigner_D(degree, *a) for a in angles)

        return work, lambda found: law_errors(*found)

    return task


TASKS = {
    "import": importing,
    "Clebsch-Gordan": coupling,
    "Wigner D": wigner,
    "Wigner error 11": wigner_error(11),
    "Wigner error 20": wigner_error(20),
}

if __name__ == "__main__":
    run(TASKS)
