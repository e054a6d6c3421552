"""What an engine says instead of doing what it was asked."""

from factory.errors import EngineError


class MissingError(EngineError):
    """What a call names is not there."""


class UnreachableError(EngineError):
    """The engine does not answer."""


class SilentError(UnreachableError):
    """The engine answers nothing for longer than it may."""


class ConflictError(EngineError):
    """What a call asks for does not go with the thing's state: not running, already being removed."""
