"""The errors goldstone raises: each says what was expected, what came and how to mend it."""


class GoldstoneError(Exception):
    """Base of every error raised on purpose by goldstone."""


class InputError(GoldstoneError, ValueError):
    """The user's data, model, file or argument is not what the call needs."""


class MissingExtraError(GoldstoneError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class SymmetryRefusedError(GoldstoneError):
    """The declared action is no symmetry of the ground truth, the data or the loss."""
