"""Errors of calls to an engine."""

from factory.errors import EngineError, ImageError


class MissingError(EngineError):
    """The thing that a call names does not exist."""


class UnreachableError(EngineError):
    """The engine does not answer."""


class SilentError(UnreachableError):
    """The engine was silent for longer than it may be."""


class ConflictError(EngineError):
    """The state of the thing does not allow the call: it is not running, or is being removed already."""


class PullError(ImageError):
    """An image that did not come; `is_temporary` where the same call may succeed a moment later."""

    def __init__(self, message: str, *, hint: str = "", is_temporary: bool = False) -> None:
        """Keep whether to try again."""
        super().__init__(message, hint=hint)
        self.is_temporary = is_temporary
