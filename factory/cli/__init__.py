"""The command line: flags, printing, and exit codes."""

from factory.cli.main import main

__all__ = ["main"]
