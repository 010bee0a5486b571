"""Floor 5: the symmetries of a network's parameters, found, used, removed and measured."""

__all__: list[str] = []
