"""Answers of an engine that are no success, as exceptions."""

from factory.errors import EngineError


class MissingError(EngineError):
    """The thing that a call names does not exist."""


class UnreachableError(EngineError):
    """The engine does not answer."""


class SilentError(UnreachableError):
    """The engine was silent for longer than it may be."""


class ConflictError(EngineError):
    """The state of the thing does not allow the call: it is not running, or is being removed already."""
