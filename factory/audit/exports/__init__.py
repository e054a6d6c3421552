"""What interpreters and system libraries really export: lists made by `python -m tools.exports`."""

from factory.audit.exports.read import came_with, interpreters_that_export, known_interpreters, library_exports

__all__ = ["came_with", "interpreters_that_export", "known_interpreters", "library_exports"]
