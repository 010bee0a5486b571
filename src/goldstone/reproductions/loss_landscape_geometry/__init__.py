"""Amarel et al., *Loss Landscape Geometry and the Learning of Symmetries* (arXiv 2601.20172)."""
