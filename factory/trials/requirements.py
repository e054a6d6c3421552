"""What a trial installs beside the wheel: its own requirements for one interpreter."""

from collections.abc import Sequence

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from factory.markers import marker_environment
from factory.tags import Interpreter
from factory.untrusted import UntrustedTextError, excerpt, marker_holds, parse_requirement

_MOST_EVALUATIONS = 100_000  # of markers: extras may ask for extras, and METADATA lists as many as it likes


def requirements_of(
    name: NormalizedName,
    requires_dist: Sequence[str],
    wanted_extras: Sequence[str],
    interpreter: Interpreter,
    architecture: str,
) -> tuple[Requirement, ...]:
    """Return what a wheel requires for an interpreter, with extras.

    Markers are evaluated for the trial's interpreter (PEP 508), extras among them. A requirement on the project itself
    (`spam[all]` of `spam`) is what its extras ask for; the project itself is never taken from an index.

    Raises:
        UntrustedTextError: METADATA holds a Requires-Dist that is not valid, or more of them than are read.
    """
    environment = {name: str(value) for name, value in marker_environment(interpreter, architecture).items()}
    wanted = [_requirement(text) for text in requires_dist]
    extras, todo, chosen = {"", *wanted_extras}, ["", *wanted_extras], dict[str, Requirement]()
    for extra in todo:  # grows while it is read: an extra may ask for others
        if len(todo) * len(wanted) > _MOST_EVALUATIONS:
            raise UntrustedTextError(f"has {len(wanted)} Requires-Dist for {len(todo)} extras, too many to evaluate")
        for requirement in wanted:
            if not marker_holds(requirement, {**environment, "extra": extra}):
                continue
            if canonicalize_name(requirement.name) == name:
                todo += sorted(requirement.extras - extras)
                extras |= requirement.extras
            else:
                chosen[str(requirement)] = requirement
    for requirement in chosen.values():
        requirement.marker = None
    return tuple(chosen.values())


def _requirement(text: str) -> Requirement:
    try:
        return parse_requirement(text)
    except UntrustedTextError as error:
        raise UntrustedTextError(f"has a Requires-Dist {excerpt(text)}, which {error}") from error
