"""The command line: composes the rooms, renders their values, maps errors to exit codes."""

from factory.cli.main import main

__all__ = ["main"]
