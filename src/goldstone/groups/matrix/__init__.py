"""Lie groups whose elements are matrices; their names are exported by goldstone.groups."""
