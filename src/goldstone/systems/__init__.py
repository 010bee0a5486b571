"""Floor 4: what experiments run on, each small and validated."""
