"""`factory shell`: a terminal in a cell's container, where its step has failed."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from factory.cli.common import err, families, host_of, load_named
from factory.cli.options import ShellOptions
from factory.cli.plain_board import PlainBoard
from factory.cli.signals import handled_signals
from factory.errors import FactoryError, UsageError
from factory.excerpt import ITEM_CHARACTERS, cut, listed
from factory.host import Host
from factory.plan.selection import NothingSelectedError
from factory.process import attach
from factory.report.text import line
from factory.run.build import Caller, build
from factory.run.options import Options, Selection
from factory.sessions.session import AGAIN, Stopped
from factory.store import Store

_LOOK_S: Final = 2.0
_CLIENT: Final = "install Docker's own client (`docker`), or put it on PATH"


def run_shell(options: ShellOptions) -> int:
    """Carry a cell out up to the step that fails, and open a shell there.

    Raises:
        UsageError: no step of it failed, or there is no such cell or trial.
    """
    cell, _, interpreter = options.cell.partition("@")
    recipes, host = load_named(options), host_of(options)
    with Store.open(host.store) as store, store.temp_folder() as work, handled_signals() as signals:
        door = _Door(host=host, cancelled=signals.cancelled, is_meant=_meant(interpreter, trial=options.trial))
        how = Options(
            output=work / "dist",
            selection=Selection(families=families(options.families), only=(cell,)),
            evidence=work / "runs",
        )
        with PlainBoard(err()) as board:
            caller = Caller(listener=board.listen, say=board.say, cancelled=signals.cancelled, on_stopped=door.open)
            finished = build(recipes, how, host=host, caller=caller)
    if door.fault is not None:
        raise door.fault
    if not door.opened:
        if finished.errors:
            raise _of_shell(finished.errors[0], cell)
        tried = {str(trial.interpreter) for plan in finished.run.plans for each in plan.cells for trial in each.trials}
        if interpreter and interpreter not in tried:
            raise UsageError(f"{cell} is not tried on {interpreter}", hint=f"it is tried on {listed(sorted(tried))}")
        where = "its trials" if options.trial else "the cell or its trials"
        where = f"its trial on {interpreter}" if interpreter else where
        raise UsageError(
            f"no step of {where} failed in a container, so no shell is opened",
            hint="a shell opens where a step fails; `factory build` says which does",
        )
    return 0


def _of_shell(error: FactoryError, cell: str) -> FactoryError:
    """Return a run's error; where the cell is unknown, one that names those that there are.

    What a recipe itself leaves out keeps its own reason.
    """
    skips = error.skips if isinstance(error, NothingSelectedError) else {}
    cells = [address for address in skips if "-" in address.partition("/")[2]]
    if not cells or any(cell in (address, address.partition("/")[2]) for address in cells):
        return error
    return UsageError(
        f"there is no cell {cut(cell, ITEM_CHARACTERS)}", hint=f"`factory plan` lists the cells: {listed(cells)}"
    )


def _meant(interpreter: str, *, trial: bool) -> Callable[[str], bool]:
    """Return what says whether a subject's failure is the one that was asked for: any, any trial's, or one trial's."""
    end = f"@{interpreter}" if interpreter else ""
    return lambda subject: subject.endswith(end) and ("@" in subject or not trial)


@dataclass(slots=True)
class _Door:
    """Opens a shell at the first step that fails, and at no other."""

    host: Host
    cancelled: Event
    is_meant: Callable[[str], bool]
    opened: bool = field(default=False)
    fault: FactoryError | None = field(default=None)

    def open(self, stopped: Stopped) -> None:
        """Open a shell, or say without a terminal what opens one, and wait until it is closed."""
        if self.opened or not self.is_meant(stopped.subject):
            return
        self.opened = True
        console = err()
        console.print(line(f"{stopped.subject}: {stopped.step} failed: {stopped.failure.message}"), soft_wrap=True)
        console.print(line(f"{AGAIN} repeats the step; exit ends the shell, and the container is removed"))
        if sys.stdin is not None and sys.stdin.isatty():  # a caller may have closed it
            self._attach(stopped)
            return
        console.print(line(f"type in a terminal: {shlex.join(stopped.command)}"), soft_wrap=True)
        console.print(line("Ctrl-C removes the container"))
        while not self.cancelled.wait(_LOOK_S):
            if not stopped.is_running():
                console.print(line("the container is gone"))
                return

    def _attach(self, stopped: Stopped) -> None:
        """Open the shell; a fault of this machine is kept, because what is raised here would be the cell's."""
        try:
            attach(stopped.command, env=self.host.variables)
        except FactoryError as error:
            self.fault = FactoryError(f"no shell can be opened: {error.message}", hint=_CLIENT)
