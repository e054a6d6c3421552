"""`factory doctor`."""

from rich.table import Table
from rich.text import Text

from factory.cli.common import out
from factory.doctor import examine
from factory.errors import EngineError, StoreError
from factory.host import read_host
from factory.report.text import line

_STYLES = {False: "bold red", True: "yellow"}
_CODES = {"store": StoreError.exit_code, "engine": EngineError.exit_code}


def run_doctor() -> int:
    """Print every check, and what mends it.

    The exit code is 5 where the store is missing, 4 where the engine is, 1 where another needed thing is, else 0.
    """
    checks = examine(read_host())
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        mark = Text("ok", style="green") if check.fine else Text("missing", style=_STYLES[check.optional])
        table.add_row(mark, check.name, line(check.found, overflow="fold"))
    out().print(table)
    for check in checks:
        if check.mend and not check.fine:
            out().print(line(f"{'optional' if check.optional else 'to fix'} {check.name}: {check.mend}"))
    needed = [check for check in checks if not check.optional]
    return max((_CODES.get(check.name, 1) for check in needed if not check.fine), default=0)
