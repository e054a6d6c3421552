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
    """An image that did not come.

    `reason` says why in a clause; `is_temporary` is where the same call may succeed a moment later, `is_registrys`
    where the registry would not give any other image, either.
    """

    def __init__(
        self, message: str, *, reason: str, hint: str = "", is_temporary: bool = False, is_registrys: bool = False
    ) -> None:
        """Keep whether to try again."""
        super().__init__(message, hint=hint)
        self.reason, self.is_temporary, self.is_registrys = reason, is_temporary, is_registrys
