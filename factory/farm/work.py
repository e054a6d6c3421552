"""Carry out all the jobs of planned recipes."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from time import monotonic

from factory.events.model import ExpectedJob, WorkStarted
from factory.events.recorder import now
from factory.farm.graph import jobs_of
from factory.farm.jobs import BuildCell, Job, Outcome, passed, worked
from factory.farm.mistagged import spared
from factory.farm.order import Estimates
from factory.farm.perform import Done, Performer, blocked
from factory.farm.records import Records
from factory.farm.sharing import sharing_of
from factory.farm.threads import Duties, Threads, Workers
from factory.images.ready import ReadyImage
from factory.planned import PlannedRecipe
from factory.process import end_all
from factory.sessions.services import Services


def carry_out(
    services: Services,
    recipes: Sequence[PlannedRecipe],
    make_image: Callable[[str], ReadyImage],
    *,
    workers: int,
    today: date,
    processors: int | None = None,
) -> None:
    """Make, try and record everything that the recipes owe; what happened is in the recorder's events.

    Builds share the engine's `processors`, of which there are as many as workers where that is not said.

    Raises:
        FactoryError: what stops the run; cells that were finished before are recorded.
    """
    cancelled = services.memory.cancelled
    records = Records(recorder=services.recorder, is_cancelled=cancelled.is_set)
    store, took = services.memory.store, dict[str, float]()
    estimates = Estimates.of(store.durations())
    jobs = jobs_of(recipes, workers=workers, estimates=estimates)
    builds = [job for job in jobs if isinstance(job, BuildCell)]
    sharing = sharing_of(builds, estimates, processors=processors or workers, workers=workers)
    sharers = replace(services, compile_jobs=sharing.jobs_of)
    performer = Performer(services=sharers, make_image=make_image, today=today)

    def timed(job: Job, done: Done) -> Outcome:
        began_s = monotonic()
        with sharing.running(str(job.key)) if isinstance(job, BuildCell) else nullcontext():
            outcome = performer.perform(job, done)
        if worked(outcome):
            took[str(job.key)] = monotonic() - began_s
        return outcome

    duties = Duties(perform=timed, passed=passed, blocked=blocked, spared=spared, take=records.take)
    threads: Workers = Threads(count=workers, cancelled=cancelled, on_cancel=lambda: _end(services))
    services.recorder.emit(WorkStarted(at=now(), workers=workers, jobs=tuple(_expected(jobs, estimates))))
    try:
        with services.shared:
            threads.run(jobs, duties)
    finally:
        store.note_durations(took)


def _expected(jobs: Iterable[Job], estimates: Estimates) -> Iterator[ExpectedJob]:
    for job in jobs:
        needs = dict.fromkeys(map(str, (*job.needs, *job.after)))
        yield ExpectedJob(subject=str(job.key), needs=tuple(needs), expected_s=estimates.expected_s(str(job.key)))


def _end(services: Services) -> None:
    """End our tools and the containers at the same time, so that neither waits for the other's grace period."""
    tools = threading.Thread(target=end_all)
    tools.start()
    services.engine.kill_run()
    tools.join()
