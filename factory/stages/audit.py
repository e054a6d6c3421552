"""The gate's verdict on a wheel of the store."""

from dataclasses import dataclass
from datetime import date

from factory.audit import Audit, Expectation
from factory.audit.identity import gate_identity
from factory.digest import Artifact, Digest
from factory.memory import Stage
from factory.sessions.services import Services
from factory.stages.reading import Readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge(Stage[Audit]):
    """A wheel and what is expected of it. `today` is None unless a waiver has a last day."""

    NAME, VERSION = "audit", 1

    wheel: Digest
    expectation: Expectation
    gate: Digest
    today: date | None


def audited(
    services: Services, address: str, readings: Readings, wheel: Artifact, expectation: Expectation, today: date
) -> Audit:
    """Judge a wheel. Only a verdict that lets it pass is remembered."""
    # With today's date in every key, each wheel would be judged again every day.
    dated = any(waiver.until is not None for waiver in expectation.waivers)

    def work() -> Audit:
        with services.recorder.step(address, "audit") as mark:
            verdict = readings.judge(wheel, expectation, today)
            mark.outcome = "passed" if verdict.passed else "failed"
            return verdict

    stage = Judge(wheel=wheel.digest, expectation=expectation, gate=gate_identity(), today=today if dated else None)
    return services.memory.surely(stage, work, worth=lambda verdict: verdict.passed)
