"""Measurements of speed and of truth; each file says what it measures and how to run it."""
