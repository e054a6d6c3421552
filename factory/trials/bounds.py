"""The lower bounds of a wheel's requirements: which versions are installed to prove them, and what each of them is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from factory.digest import Artifact
from factory.untrusted import parse_requirement, parse_wheel_name


def held_at(wanted: Iterable[Requirement], files: Iterable[Artifact]) -> tuple[Requirement, ...]:
    """Return constraints that hold requirements at the versions that files have."""
    versions = _versions(files)
    return tuple(
        parse_requirement(f"{requirement.name}=={versions[name]}")
        for requirement in wanted
        if (name := canonicalize_name(requirement.name)) in versions
    )


def lowered(wanted: Sequence[Requirement], newest: Iterable[Artifact], oldest: Iterable[Artifact]) -> str:
    """Say which requirements have an older version among the oldest files: `numpy 1.26.0 (numpy>=1.26)`.

    Empty where none has.
    """
    return ", ".join(_lowered(wanted, _versions(newest), _versions(oldest)))


def _lowered(
    wanted: Sequence[Requirement],
    newest: Mapping[NormalizedName, Version],
    oldest: Mapping[NormalizedName, Version],
) -> Iterator[str]:
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name in oldest and oldest[name] != newest.get(name):
            yield f"{name} {oldest[name]} ({requirement})"


def _versions(files: Iterable[Artifact]) -> Mapping[NormalizedName, Version]:
    return dict(parse_wheel_name(file.filename)[:2] for file in files)
