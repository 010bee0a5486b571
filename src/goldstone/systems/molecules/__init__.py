"""Small clusters of atoms with energies and forces."""

from goldstone.systems.molecules.clusters import Clusters, sample_clusters
from goldstone.systems.molecules.potential import ClusterPotential

__all__ = [
    "ClusterPotential",
    "Clusters",
    "sample_clusters",
]
