"""The tasks of the zoo."""
