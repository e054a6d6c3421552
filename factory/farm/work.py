"""Carry out all the jobs of planned recipes."""

import threading
from collections.abc import Callable, Sequence
from datetime import date

from factory.farm.graph import jobs_of
from factory.farm.jobs import passed
from factory.farm.mistagged import spared
from factory.farm.perform import Performer, blocked
from factory.farm.records import Records
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
) -> None:
    """Make, try and record everything that the recipes owe; what happened is in the recorder's events.

    Raises:
        FactoryError: what stops the run; cells that were finished before are recorded.
    """
    cancelled = services.memory.cancelled
    performer = Performer(services=services, make_image=make_image, today=today)
    records = Records(recorder=services.recorder, is_cancelled=cancelled.is_set)
    duties = Duties(perform=performer.perform, passed=passed, blocked=blocked, spared=spared, take=records.take)
    threads: Workers = Threads(count=workers, cancelled=cancelled, on_cancel=lambda: _end(services))
    threads.run(jobs_of(recipes, workers=workers), duties)


def _end(services: Services) -> None:
    """End our tools and the containers at the same time, so that neither waits for the other's grace period."""
    tools = threading.Thread(target=end_all)
    tools.start()
    services.engine.kill_run()
    tools.join()
