"""The models of the zoo."""

from collections.abc import Callable

from benchmarks.validity.task import Member, Task
from benchmarks.validity.tasks.digits import digits
from benchmarks.validity.tasks.flows import flows
from benchmarks.validity.tasks.graphs import graphs
from benchmarks.validity.tasks.points import points
from benchmarks.validity.tasks.sequences import sequences

TASKS: dict[str, Callable[[], Task]] = {
    "digits": digits,
    "flows": flows,
    "points": points,
    "graphs": graphs,
    "sequences": sequences,
}


def members(tasks: tuple[str, ...] = ()) -> list[Member]:
    """All models, or those of some tasks."""
    chosen = tasks or tuple(TASKS)
    return [
        Member(task, *one) for name in chosen for task in (TASKS[name](),) for one in task.members
    ]
