"""Floor 1: groups as pure algebra, with hashable elements and exact composition."""

from goldstone.groups.additive import AdditiveGroup
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Group, LinearGroup
from goldstone.groups.lie import LieGroup
from goldstone.groups.planar import CyclicGroup, DihedralGroup, PointGroup
from goldstone.groups.subgroups import (
    Subgroup,
    all_subgroups,
    axis_lattices,
    candidate_subgroups,
    left_cosets,
    maximal,
    subgroup,
)
from goldstone.groups.translations import GridTranslations
from goldstone.groups.wallpaper import WallpaperGroup, p4m

__all__ = [
    "AdditiveGroup",
    "CyclicGroup",
    "DihedralGroup",
    "FiniteGroup",
    "GridTranslations",
    "Group",
    "LieGroup",
    "LinearGroup",
    "PointGroup",
    "Subgroup",
    "WallpaperGroup",
    "all_subgroups",
    "axis_lattices",
    "candidate_subgroups",
    "left_cosets",
    "maximal",
    "p4m",
    "subgroup",
]
