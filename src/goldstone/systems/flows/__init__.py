"""Flows on periodic grids: solvers as ground truth, initial conditions, data sets."""

from goldstone.systems.flows.catalogue import INITIAL_CONDITIONS, ground_truth, initial_states
from goldstone.systems.flows.euler import CompressibleEuler2d
from goldstone.systems.flows.files import read_metadata, read_trajectories, write_trajectories
from goldstone.systems.flows.ground_truth import GroundTruth, rollout
from goldstone.systems.flows.navier_stokes import NavierStokes2d
from goldstone.systems.flows.riemann_problems import curved_riemann, four_quadrant_riemann
from goldstone.systems.flows.simulate import simulate
from goldstone.systems.flows.trajectories import Trajectories
from goldstone.systems.flows.turbulence import anisotropic_turbulence, isotropic_turbulence

__all__ = [
    "INITIAL_CONDITIONS",
    "CompressibleEuler2d",
    "GroundTruth",
    "NavierStokes2d",
    "Trajectories",
    "anisotropic_turbulence",
    "curved_riemann",
    "four_quadrant_riemann",
    "ground_truth",
    "initial_states",
    "isotropic_turbulence",
    "read_metadata",
    "read_trajectories",
    "rollout",
    "simulate",
    "write_trajectories",
]
