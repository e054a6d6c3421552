"""Try a wheel with the newest versions of what it requires, and with the oldest that its METADATA allows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from packaging.requirements import Requirement

from factory.digest import Artifact
from factory.events.model import TrialResult
from factory.excerpt import few
from factory.failure import Failure
from factory.images.emulator import NoEmulator, emulator_of
from factory.resolve import Question
from factory.stages.attempt import Candidate, attempted
from factory.stages.requirement import SdistBuilder
from factory.stages.resolve import resolved
from factory.trials.bounds import held_at, lowered
from factory.trials.commands import alone, required_by_tests
from factory.trials.requirements import requirements_of
from factory.untrusted import UntrustedTextError, parse_wheel_name

_OLDEST = "the oldest versions that METADATA allows"
_BOUNDS = "raise that lower bound in the project's metadata, or leave lowest-direct out of test: {resolve: …}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWork:
    """The work of one trial; `sdists` builds what is required and the indexes have only as sdists."""

    candidate: Candidate
    sdists: SdistBuilder

    def work(self) -> TrialResult:
        """Try the wheel, unless the store remembers that this very trial passed, or nothing here runs its machine."""
        if self.candidate.image.facts.platform.arch != self.candidate.cell.platform.arch:
            return self._untried()
        newest = self._files()
        if isinstance(newest, Failure):
            return self.failed(newest)
        resolutions = self.candidate.test.resolve
        result = self._tried(newest) if "highest" in resolutions else None
        if result is not None and (result.failure is not None or "lowest-direct" not in resolutions):
            return result
        return self._tried_with_oldest(newest, result)

    def _tried_with_oldest(self, newest: tuple[Artifact, ...], passed: TrialResult | None) -> TrialResult:
        """Try the wheel with the oldest versions that its METADATA allows, and add that to what passed."""
        files = self._files(newest)
        if isinstance(files, Failure):
            return self.failed(replace(files, message=f"with {_OLDEST}: {files.message}", hint=_BOUNDS))
        which = lowered(self._required, newest, files)
        if passed is not None and set(files) <= set(newest):
            return replace(passed, notes=few((*passed.notes, f"{_OLDEST} are the newest")))
        result = self._tried(files, whole=passed is None)
        if result.failure is not None:
            message = f"with {which or _OLDEST}: {result.failure.message}"
            return replace(result, failure=replace(result.failure, message=message, hint=_BOUNDS))
        note = f"passed with {which}" if which else f"{_OLDEST} are the newest"
        notes, materials = (passed or result).notes, (*(passed.materials if passed else ()), *result.materials)
        return replace(passed or result, notes=few((*notes, note)), materials=materials)

    def _tried(self, files: tuple[Artifact, ...], *, whole: bool = True) -> TrialResult:
        result = attempted(self.candidate, files, whole=whole)
        return self.failed(result) if isinstance(result, Failure) else replace(result, from_source=self.sdists.told)

    def _untried(self) -> TrialResult:
        candidate = self.candidate
        path = candidate.services.host.path
        emulator = emulator_of(path, candidate.cell.platform.arch, candidate.image.machine)
        return TrialResult(
            interpreter=candidate.interpreter,
            image=candidate.image.facts.name,
            outcome="untried",
            reason=emulator.reason if isinstance(emulator, NoEmulator) else "",
        )

    def failed(self, failure: Failure) -> TrialResult:
        """Return the trial's result for a failure."""
        return TrialResult(
            interpreter=self.candidate.interpreter,
            image=self.candidate.image.facts.name,
            outcome=failure.ended,
            failure=failure,
            from_source=self.sdists.told,
        )

    def _files(self, newest: Sequence[Artifact] | None = None) -> tuple[Artifact, ...] | Failure:
        """Resolve what is installed beside the wheel, without any other file of the same project.

        After the newest versions were resolved, the oldest that the wheel's METADATA allows.
        """
        # What tries in threads and compares stubs may require newer versions, and is tried with the newest ones.
        with_newest = newest is not None and "highest" in self.candidate.test.resolve
        tests = required_by_tests(alone(self.candidate.test) if with_newest else self.candidate.test)
        try:
            wanted = (*self._required, *tests)
        except UntrustedTextError as error:
            return Failure(step="install", message=f"METADATA of the wheel {error}")
        question = Question(
            requirements=wanted,
            constraints=() if newest is None else held_at(tests, newest),
            interpreter=self.candidate.interpreter,
            platform=self.candidate.image.facts.platform,
            oldest=newest is not None,
        )
        resolution = resolved(self.candidate.services, question, self.candidate.address, self.sdists.build)
        if isinstance(resolution, Failure):
            return resolution
        # A test requirement may depend on the project itself, and the installer could prefer the index's wheel to ours.
        return tuple(
            file for file in resolution.files if parse_wheel_name(file.filename)[0] != self.candidate.contents.name
        )

    @property
    def _required(self) -> tuple[Requirement, ...]:
        """What the wheel's METADATA requires here.

        Raises:
            UntrustedTextError: it cannot be read.
        """
        contents, machine = self.candidate.contents, self.candidate.cell.platform.arch
        extras = self.candidate.test.extras
        return requirements_of(contents.name, contents.requires_dist, extras, self.candidate.interpreter, machine)
