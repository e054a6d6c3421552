"""Build recipes: from recipes and options to a Run and the wheels that were released."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Event
from time import monotonic

from factory import __version__
from factory.confined import Readers
from factory.engine.about import weaknesses
from factory.engine.api import Engine
from factory.engine.docker import connect
from factory.errors import FactoryError, Interrupted
from factory.events.model import Progress, Run, RunEnded, RunStarted
from factory.events.recorder import Listener, Recorder, now
from factory.farm.work import carry_out
from factory.host import Host, read_host
from factory.images.helper import helper_image
from factory.images.offer import Registries, machine_of
from factory.images.owners import Owners
from factory.images.ready import ReadyImage, ensure
from factory.images.shell import has_bootstrapper
from factory.memory import Memory
from factory.planned import PlannedRecipe
from factory.process import end_all
from factory.recipe.parse import Loaded
from factory.release import Release, claim, release
from factory.run.options import Options
from factory.run.own import new_run_id
from factory.run.planning import Planner
from factory.sessions.services import Services
from factory.sessions.session import OnStopped, Output, nobody
from factory.stages.versions import VERSIONS
from factory.store import Store
from factory.tool_bundle import ToolBundle, ensure_tools
from factory.unexpected import internal_errors
from factory.waiting import unless

AGAIN = "run the same command again: what was finished is not done again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """How a caller follows a run and ends it.

    `listener` is called with every event, `output` with what the steps print while they run, `say` with messages that
    belong to no event. Without `whole_output` a step's output is thinned out once its log is full, which saves time.
    The run ends soon after `cancelled` is set. `on_stopped` is called with every step that fails in a container, which
    is removed after the call.
    """

    listener: Listener = lambda _: None
    output: Output = nobody
    whole_output: bool = True
    say: Callable[[str], None] = lambda _: None
    cancelled: Event
    on_stopped: OnStopped | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that has ended. `errors` are what stopped it and what kept its wheels from being released.

    `hide` takes the values of `build.pass-env` out of a text.
    """

    run: Run
    released: Release | None
    errors: tuple[FactoryError, ...]
    hide: Callable[[str], str]

    @property
    def is_stopped(self) -> bool:
        """Whether the run ended before its work was done."""
        return self.run.stopped is not None or self.run.interrupted


def build(
    recipes: Loaded, options: Options | None = None, *, host: Host | None = None, caller: Caller | None = None
) -> Finished:
    """Build the wheels that recipes owe, prove them, and put those that pass into the output folder.

    Call it from the main thread before other threads start, because untrusted files are read in forked processes.

    Raises:
        StoreError: the store cannot be opened.
        OutputError: the evidence cannot be written.
    """
    options, host, caller = options or Options(), host or read_host(), caller or Caller(cancelled=Event())
    run_id = new_run_id()
    with (
        Readers() as readers,
        Store.open(host.store, on_damage=caller.say, on_wait=caller.say) as store,
        store.run_lock(run_id),
    ):
        with Recorder(options.evidence / run_id, caller.listener) as recorder:
            memory = Memory(
                store=store,
                cancelled=caller.cancelled,
                fresh=options.fresh,
                update=options.update,
                on_wait=recorder.progress("store"),
            )
            reader = readers.until(caller.cancelled)
            planner = Planner(memory=memory, host=host, reader=reader, recorder=recorder, options=options)
            attempt = _Attempt(run_id=run_id, options=options, caller=caller, planner=planner)
            stopped = attempt.go(recipes)
            run = recorder.run()
        errors = [stopped] if stopped is not None else []
        released: Release | None = None
        if run.records:  # A run that was stopped releases what it had finished, too.
            try:
                with internal_errors(let_through=(OSError,)):  # a closed pipe or a full disk ends the program
                    released = release(
                        run, options.output, store.open_blob, cancelled=caller.cancelled, on_wait=caller.say
                    )
            except FactoryError as error:
                errors.append(error)
        return Finished(run=run, released=released, errors=tuple(errors), hide=recorder.hide)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One run from its first event to its last."""

    run_id: str
    options: Options
    caller: Caller
    planner: Planner

    def go(self, recipes: Loaded) -> FactoryError | None:
        """Do the run's work and record it; return what stopped the run before its end."""
        started, recorder = monotonic(), self.planner.recorder
        began = RunStarted(
            run=self.run_id,
            at=now(),
            version=__version__,
            folder=str(recorder.folder),
            fresh=self.options.fresh,
            update=self.options.update,
        )
        recorder.emit(began)
        for error in recipes.errors:
            self.planner.fail("recipes", error)
        stopped = self._stopped_by(recipes)
        ended = RunEnded(
            at=now(),
            duration_s=monotonic() - started,
            containers=recorder.containers,
            interrupted=isinstance(stopped, Interrupted),
            stopped=None if stopped is None else stopped.message,
        )
        try:
            recorder.emit(ended)
        except FactoryError as error:  # Returned, because finished wheels are released although evidence is missing.
            return stopped or error
        return stopped

    def _stopped_by(self, recipes: Loaded) -> FactoryError | None:
        try:
            with internal_errors():
                self._work(recipes)
        except (KeyboardInterrupt, Interrupted):
            return Interrupted("interrupted", hint=AGAIN)
        except FactoryError as error:
            return error
        return None

    def _work(self, recipes: Loaded) -> None:
        planner = self.planner
        memory, host, recorder = planner.memory, planner.host, planner.recorder
        if old := memory.store.note_versions(VERSIONS):
            text = f"results of an older version are ignored and made again (stages: {', '.join(old)})"
            recorder.emit(Progress(subject="store", text=text))
        with connect(host, owner=memory.store.owner, run_id=self.run_id) as engine:
            info = engine.info()
            for weakness in weaknesses(info):
                text = f"warning: {weakness.found}; {weakness.mend}"
                recorder.emit(Progress(subject="engine", text=text))
            machine = machine_of(info)
            planned, tools = self._begin(recipes, engine, machine)
            services = Services(
                engine=engine,
                memory=memory,
                reader=planner.reader,
                host=host,
                recorder=recorder,
                tools=tools,
                helper=cache(lambda: self._image(engine, helper_image(engine, machine, host.image_lock))),
                output=self.caller.output,
                whole_output=self.caller.whole_output,
                keep=self.options.keep,
                owners=Owners(host=host, memory=memory).ask,
                on_stopped=self.caller.on_stopped,
            )
            workers = self.options.jobs or info.cpus
            carry_out(
                services,
                planned,
                lambda name: self._image(engine, name),
                workers=workers,
                today=self.options.selection.today,
                processors=info.cpus,
            )
            if self.caller.cancelled.is_set():
                raise Interrupted("interrupted", hint=AGAIN)

    def _begin(
        self, recipes: Loaded, engine: Engine, machine: str
    ) -> tuple[list[PlannedRecipe], Callable[[str], ToolBundle]]:
        """Do what comes before the first container, unless the run is ended meanwhile; `machine` is the engine's."""
        memory, host = self.planner.memory, self.planner.host
        tools = cache(lambda name: ensure_tools(host, memory.store, name))

        def begin() -> tuple[list[PlannedRecipe], Callable[[str], ToolBundle]]:
            engine.reap(memory.store.is_running)
            registries = Registries(engine=lambda: engine, can_make=has_bootstrapper(host), machine=machine)
            planned = self.planner.plan_all(recipes, lambda name: self._image(engine, name), registries)
            claim(self.options.output)  # An output folder of something else stops the run before hours of work.
            for name in {machine, *(cell.machine for recipe in planned for cell in recipe.plan.cells)}:
                tools(name)  # Here, so that an index that has them not stops the run before any work.
            return planned, tools

        try:
            return unless(memory.cancelled, begin)
        except Interrupted:
            end_all()  # `unless` has abandoned the call, whose tools would run on.
            raise

    def _image(self, engine: Engine, name: str) -> ReadyImage:
        planner = self.planner
        return ensure(
            name,
            engine=engine,
            host=planner.host,
            store=planner.memory.store,
            progress=planner.recorder.progress(f"image:{name}"),
            cancelled=planner.memory.cancelled,
        )
