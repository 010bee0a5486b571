"""The point group of the square on flow states, written by hand: an oracle for the solvers."""

import itertools
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

Transformation = Callable[[Tensor], Tensor]


def quarter_turn(state: Tensor, vector: int) -> Tensor:
    """(x, y) → (−y, x); the vector's components are the channels ``vector`` and the next."""
    moved = torch.rot90(state, 1, (-2, -1))
    result = moved.clone()
    result[:, vector], result[:, vector + 1] = -moved[:, vector + 1], moved[:, vector]
    return result


def reflection(state: Tensor, vector: int) -> Tensor:
    """(x, y) → (−x, y)."""
    result = state.flip(-2).clone()
    result[:, vector] *= -1
    return result


def elements_of_d4(vector: int) -> dict[str, Transformation]:
    def element(turns: int, mirrored: bool) -> Transformation:
        def act(state: Tensor) -> Tensor:
            if mirrored:
                state = reflection(state, vector)
            for _ in range(turns):
                state = quarter_turn(state, vector)
            return state

        return act

    return {
        f"r{turns}{'s' * mirrored}": element(turns, bool(mirrored))
        for mirrored, turns in itertools.product((0, 1), range(4))
    }


@pytest.fixture(scope="session")
def velocity_d4() -> dict[str, Transformation]:
    """The eight elements on states (u, v)."""
    return elements_of_d4(0)


@pytest.fixture(scope="session")
def euler_d4() -> dict[str, Transformation]:
    """The eight elements on states (ρ, ρu, ρv, E)."""
    return elements_of_d4(1)


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """These grids are small: threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
