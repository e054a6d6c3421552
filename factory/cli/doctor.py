"""`factory doctor`."""

from rich.table import Table
from rich.text import Text

from factory.cli.common import out
from factory.doctor import examine
from factory.errors import EngineError, StoreError
from factory.host import read_host
from factory.report.text import line

_CODES = {"store": StoreError.exit_code, "engine": EngineError.exit_code}


def run_doctor() -> int:
    """Print every check; 0 when nothing is missing, 5 when the store is, 4 when the engine is, else 1."""
    checks = examine(read_host())
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        mark = Text("ok", style="green") if check.fine else Text("missing", style="bold red")
        table.add_row(mark, check.name, line(check.found, overflow="fold"))
    out().print(table)
    for check in checks:
        if not check.fine:
            out().print(line(f"to fix {check.name}: {check.mend}"))
    return max((_CODES.get(check.name, 1) for check in checks if not check.fine), default=0)
