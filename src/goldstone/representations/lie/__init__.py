"""Irreps of SO(2), O(2), SO(3), O(3), SU(2) and SU(3); exported by goldstone.representations."""
