"""One measurement of weight_matching.py, in a process of its own; prints JSON.

    python weight_matching_worker.py large resnet20|transformer permutation|all
    python weight_matching_worker.py peer goldstone|rebasin mlp|cnn FOLDER

``rebasin`` needs that package and torch, and not goldstone.
"""

import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from weight_matching_networks import ResNet20, Transformer, digits_cnn, digits_mlp

NETWORKS = {"mlp": digits_mlp, "cnn": digits_cnn}


def memory(key):
    """VmRSS, or VmHWM (its peak), in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise SystemExit("/proc/self/status does not tell the memory")


def perturbed(make, seed):
    """Initial weights with all of them moved: no gain is 1 and no bias 0."""
    torch.manual_seed(seed)
    model = make().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model


def large(name, kinds):
    from goldstone.weightspace import output_difference, parameter_symmetries, weight_matching

    make, inputs = {
        "resnet20": (ResNet20, torch.randn(2, 3, 32, 32)),
        "transformer": (Transformer, torch.randint(65, (2, 128))),
    }[name]
    # What is loaded or compiled once is no part of the models' memory.
    small, x = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)), torch.ones(1, 3)
    weight_matching(small, small, parameter_symmetries(small, (x,)))
    a, b = perturbed(make, 0), perturbed(make, 1)
    models = sum(p.numel() * p.element_size() for m in (a, b) for p in m.state_dict().values())
    found = {"models": models}

    def measured(key, work):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        base, wall, cpu = memory("VmRSS"), time.perf_counter(), time.process_time()
        result = work()
        found[key] = {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "memory": memory("VmHWM") - base,
        }
        return result

    symmetries = measured("find", lambda: parameter_symmetries(a, (inputs,)))
    chosen = ("permutation",) if kinds == "permutation" else None
    alignment = measured("match", lambda: weight_matching(a, b, symmetries, kinds=chosen))
    found["symmetries"] = len(symmetries.symmetries)
    found["rounds"] = alignment.rounds
    found["distance_before"], found["distance"] = alignment.distance_before, alignment.distance
    found["change"] = output_difference(b, alignment.model(b), (inputs,))
    return found


def peer(library, name, folder):
    a, b = NETWORKS[name](), NETWORKS[name]()
    for model, file in ((a, f"{name}-0.pt"), (b, f"{name}-1.pt")):
        model.load_state_dict(torch.load(Path(folder) / file, weights_only=True))
    x = torch.load(Path(folder) / "inputs.pt", weights_only=True)
    if library == "rebasin":
        import rebasin

        begun = start = time.perf_counter()
        rebasin.PermutationCoordinateDescent(a, b, x[:8]).rebasin()
        moved = b.state_dict()
    else:
        from goldstone.weightspace import parameter_symmetries, weight_matching

        chosen = None if library == "goldstone, all" else ("permutation",)
        begun = time.perf_counter()
        symmetries = parameter_symmetries(a, (x[:8],))
        start = time.perf_counter()
        moved = weight_matching(a, b, symmetries, kinds=chosen).state_dict
    seconds = time.perf_counter() - start
    torch.save(dict(moved), Path(folder) / f"{name}-{library}.pt")
    return {"search": start - begun, "wall": seconds}


if __name__ == "__main__":
    job, *rest = sys.argv[1:]
    print(json.dumps({"large": large, "peer": peer}[job](*rest)))
