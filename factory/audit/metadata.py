"""What METADATA, WHEEL and entry points say: what installers and indexes refuse, and what leads nowhere."""

from bisect import bisect_left
from collections.abc import Iterator

from factory.audit.closure import installed_path
from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.modules import module_files
from factory.audit.rendering import rst_problem
from factory.audit.rules import finding
from factory.untrusted import UntrustedTextError, judge_metadata, parse_version
from factory.wheel import Metadata, Wheel

_RULES = {"metadata-version": "metadata-version", "license-expression": "licence-expression"}
_RENDERED = frozenset({"text/plain", "text/x-rst", "text/markdown"})
_WHEEL_VERSION = (1, 0)
_SHOWN = 120


def check_metadata(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- a Check's signature
    """Hold METADATA against its specification, and what it names against what is in the wheel."""
    subject = f"{wheel.dist_info}/METADATA"
    found = [*_spelling(wheel), *_wheel_version(wheel), *_entry_points(wheel)]
    if wheel.metadata is not None:
        found += [*_fields(subject, wheel.metadata), *_readme(subject, wheel.metadata)]
        found += _licence_files(subject, wheel, wheel.metadata)
    return Ruling(check="metadata", findings=tuple(found))


def _spelling(wheel: Wheel) -> Iterator[Finding]:
    if wheel.name is None:
        return
    named, version, *_ = wheel.filename.split("-")
    due = f"{wheel.name.name.replace('-', '_')}-{wheel.name.version}"
    if f"{named}-{version}" != due:
        yield finding("name-unnormalised", wheel.filename, f"begins with {named}-{version}; {due} is due")
    if wheel.name.version.local is not None:
        message = f"has the local version {wheel.name.version}; public indexes take none"
        yield finding("local-version", wheel.filename, message)


def _wheel_version(wheel: Wheel) -> Iterator[Finding]:
    if wheel.wheel_text is None:
        return
    text = wheel.wheel_text.wheel_version
    try:
        release = parse_version(text).release
    except UntrustedTextError:
        release = ()
    if release[:1] != _WHEEL_VERSION[:1]:
        said = f"Wheel-Version {text[:_SHOWN]!r}" if text else "no Wheel-Version"
        yield finding("wheel-version", f"{wheel.dist_info}/WHEEL", f"says {said}; installers know 1.0")


def _fields(subject: str, metadata: Metadata) -> Iterator[Finding]:
    """Let packaging judge every field; Name, Version and Requires-Python have rules of their own."""
    try:
        problems = judge_metadata(metadata.text)
    except UntrustedTextError as error:
        yield finding("metadata-invalid", subject, str(error))
        return
    for field, words in problems:
        if not _is_elsewhere(field, words):
            yield finding(_RULES.get(field, "metadata-invalid"), subject, f"{field.title()}: {_sentence(words)}")


def _is_elsewhere(field: str, words: str) -> bool:
    """Whether another rule judges it, or it only came with a later version: setuptools writes License-File so."""
    return field in ("name", "version", "requires-python") or "introduced in metadata version" in words


def _sentence(text: str) -> str:
    return " ".join(text.replace("{field!r} ", "").split())[:_SHOWN]


def _readme(subject: str, metadata: Metadata) -> Iterator[Finding]:
    """Only reStructuredText can fail to render; a text without a type is taken for it."""
    kind = metadata.description_content_type.partition(";")[0].strip().lower() or "text/x-rst"
    if kind == "text/x-rst" and metadata.description.strip():
        problem = rst_problem(metadata.description)
        if problem:
            yield finding("readme-unrenderable", subject, f"the description does not render: {problem[:_SHOWN]}")


def _licence_files(subject: str, wheel: Wheel, metadata: Metadata) -> Iterator[Finding]:
    """From core metadata 2.4 on they lie below licenses/ (PEP 639); setuptools put older ones there or beside it."""
    strict = metadata.metadata_version not in ("2.1", "2.2", "2.3")
    for name in metadata.license_files:
        places = [f"{wheel.dist_info}/licenses/{name}"]
        if not strict:
            base = name.rpartition("/")[2]
            places += [f"{wheel.dist_info}/{name}", f"{wheel.dist_info}/{base}", f"{wheel.dist_info}/licenses/{base}"]
        if wheel.members and not any(place in wheel.members for place in places):
            yield finding("licence-file-missing", subject, f"names the licence {name}; {places[0]} is not in the wheel")


def _entry_points(wheel: Wheel) -> Iterator[Finding]:
    """Look for each module; one of a package that is not in here at all may come with a requirement."""
    subject = f"{wheel.dist_info}/entry_points.txt"
    if wheel.entry_points_problem:
        yield finding("entry-points-unreadable", subject, f"cannot be read: {wheel.entry_points_problem[:_SHOWN]}")
    if not wheel.entry_points or wheel.has_unread:
        return
    present = _Importable(wheel)
    foreign = bool(wheel.metadata and wheel.metadata.requires_dist)
    for group, name, value in wheel.entry_points:
        module = value.partition("[")[0].partition(":")[0].strip()
        if module in present or (foreign and module.partition(".")[0] not in present):
            continue
        yield finding("entry-point-missing", subject, f"{name} of {group} calls {module}, which is not in the wheel")


class _Importable:
    """Everything that could be imported: sources, extension modules, and every folder as a package.

    Folders are looked up among the sorted paths: a set of them all would hold each name once for every folder in it.
    """

    def __init__(self, wheel: Wheel) -> None:
        self._paths = sorted(map(installed_path, wheel.members))
        self._modules = {module.name for module in module_files(wheel)}
        self._modules.update(_dotted(path) for path in self._paths if path.endswith((".py", ".pyc")))

    def __contains__(self, module: str) -> bool:
        if module in self._modules:
            return True
        folder = module.replace(".", "/") + "/"
        at = bisect_left(self._paths, folder)
        return "/" not in module and at < len(self._paths) and self._paths[at].startswith(folder)


def _dotted(path: str) -> str:
    folder, _, base = path.rpartition("/")
    stem = base.partition(".")[0]
    return f"{folder.replace('/', '.')}.{stem}" if folder else stem
