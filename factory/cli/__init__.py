"""The command line: flags, printing, and exit codes."""

import gc

gc.set_threshold(100_000)  # imports leave nothing to collect: to look for it costs a tenth of a small wheel's audit

from factory.cli.main import main  # noqa: E402 -- after the threshold

__all__ = ["main"]
