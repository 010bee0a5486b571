"""goldstone: symmetry in deep networks, measured, built, broken and discovered."""
