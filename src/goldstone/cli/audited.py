"""What is audited, from what is typed: the data, the symmetry and what it is verified against."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from torch import nn

from goldstone.actions import Symmetry
from goldstone.cli.arguments import first_to_last, two_lengths
from goldstone.cli.data import read_fields, read_flows
from goldstone.cli.declarations import read_declaration
from goldstone.cli.pair_symmetries import OutputMoves, pair_symmetry
from goldstone.cli.pairs import holds_pairs, read_pairs
from goldstone.cli.python_objects import described, load_object, names_code
from goldstone.core import InputError
from goldstone.core.trees import Tree
from goldstone.systems.emulators import Emulator
from goldstone.systems.flows import INITIAL_CONDITIONS, Trajectories


@dataclass(frozen=True, eq=False)
class Audited:
    """Data, symmetry and ground truth; ``path`` is where the data came from."""

    path: Path
    data: Trajectories | tuple[Tree, Tree]
    symmetry: Symmetry | str
    ground_truth: Literal["auto"] | None

    def check_suits(self, model: nn.Module) -> None:
        """Raise unless an emulator of goldstone was trained on such fields."""
        if not isinstance(model, Emulator) or isinstance(self.data, tuple):
            return
        trained, given = model.layout, self.data.layout
        if trained != given:
            raise InputError(
                f"{self.path}: the emulator was trained on {', '.join(trained.channel_names())}, "
                f"the data have {', '.join(given.channel_names())} or declare them otherwise; "
                "audit it on data like its training data"
            )


def read_audited(
    path: Path,
    symmetry: str,
    *,
    fields: str | None,
    dt: float | None,
    lengths: str | None,
    trajectories: str | None,
    solver: bool | None,
    on_output: str | None,
) -> Audited:
    """Read the data, and the symmetry that suits them.

    Raises:
        InputError: either is unknown, damaged, or does not suit the other or the options.
    """
    chosen = first_to_last(trajectories)
    if on_output not in (None, "invariant", "same"):
        raise InputError(f"--on-output: expected invariant or same, got {on_output!r}")
    if holds_pairs(path):
        foreign = {"--fields": fields, "--dt": dt, "--lengths": lengths, "--solver": solver}
        given = [name for name, value in foreign.items() if value is not None]
        if given:
            raise InputError(f"{given[0]}: {path} holds pairs, which are no flows; leave it out")
        data = read_pairs(path, chosen)
        own = _own_symmetry(symmetry) if names_code(symmetry) else None
        moves = cast(OutputMoves | None, on_output)
        return Audited(path, data, own or pair_symmetry(symmetry, *data, moves), None)
    if on_output is not None:
        raise InputError("--on-output: it is for pairs; states of flows move as they are declared")
    own = _own_symmetry(symmetry) if names_code(symmetry) else None
    declared = read_declaration("d4" if own else symmetry)
    flows = read_flows(
        path,
        layout=declared.layout if fields is None else read_fields(fields),
        dt=declared.dt if dt is None else dt,
        lengths=two_lengths(lengths) or declared.lengths,
        trajectories=chosen,
    )
    if declared.system is not None:
        flows = replace(flows, system=declared.system, parameters=declared.parameters)
    wanted = own or declared.symmetry(flows.layout, flows.grid)
    return Audited(path, flows, wanted, _ground_truth(flows, path, solver))


def _own_symmetry(text: str) -> Symmetry:
    place = f"--symmetry {text!r}"
    found = load_object(text, place)
    if not isinstance(found, Symmetry) and callable(found):
        try:
            found = found()
        except Exception as error:
            raise InputError(f"{place}: calling it failed with {described(error)}") from error
    if not isinstance(found, Symmetry):
        raise InputError(
            f"{place}: expected a goldstone.actions.Symmetry or a function that returns one, got "
            f"{type(found).__name__}"
        )
    return found


def _ground_truth(flows: Trajectories, path: Path, solver: bool | None) -> Literal["auto"] | None:
    known = flows.system in INITIAL_CONDITIONS
    if solver and not known:
        raise InputError(
            f"--solver: {path} names no system with a solver (it says {flows.system!r}; known are "
            f"{', '.join(INITIAL_CONDITIONS)}); audit it with --no-solver"
        )
    return "auto" if known and solver is not False else None
