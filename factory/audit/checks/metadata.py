"""What METADATA, WHEEL and entry_points.txt say."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from factory.audit.closure import installed_path
from factory.audit.expectation import Expectation
from factory.audit.modules import module_files
from factory.audit.rendering import rst_problem
from factory.audit.rules import WHEEL_SPECIFICATION, table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.untrusted import UntrustedTextError, judge_metadata, parse_version
from factory.wheel import Metadata, Wheel

RULES = table(
    Rule(
        id="name-unnormalised",
        severity=Severity.WARNING,
        summary="the file name's project or version is not written in its normal form",
        why="Indexes and caches that look for the normal form do not find the file.",
        mend="Build with a backend that writes it: lower case, `_` for runs of `-_.`, the version as PEP 440 has it.",
        source=WHEEL_SPECIFICATION + ", escaping and Unicode; PEP 440, normalization",
    ),
    Rule(
        id="wheel-version",
        severity=Severity.ERROR,
        summary="Wheel-Version is absent or of a format that installers do not know",
        why="Installers must refuse a greater major version, and a WHEEL file without one.",
        mend="Build with a backend that writes `Wheel-Version: 1.0`.",
        source=WHEEL_SPECIFICATION + ", Wheel-Version",
    ),
    Rule(
        id="metadata-version",
        severity=Severity.ERROR,
        summary="Metadata-Version is absent or unknown",
        why="Installers and indexes refuse METADATA of a version they do not know.",
        mend="Build with a backend that writes it.",
        source="core metadata specification, Metadata-Version",
    ),
    Rule(
        id="metadata-invalid",
        severity=Severity.ERROR,
        summary="a field of METADATA breaks its specification",
        why="Indexes refuse the upload; installers refuse or drop the field.",
        mend="Correct the field in pyproject.toml.",
        source="core metadata specification",
    ),
    Rule(
        id="licence-expression",
        severity=Severity.ERROR,
        summary="License-Expression is not an SPDX expression",
        why="Indexes refuse the upload.",
        mend="Write identifiers of the SPDX list, joined by AND, OR and WITH.",
        source="PEP 639; core metadata specification, License-Expression",
    ),
    Rule(
        id="licence-file-missing",
        severity=Severity.ERROR,
        summary="a licence that METADATA names is not in the wheel",
        why="Indexes refuse the upload, and the wheel is distributed without the licence it promises.",
        mend="Keep `.dist-info/licenses` when repacking; check `license-files`.",
        source="PEP 639; core metadata specification, License-File",
    ),
    Rule(
        id="readme-unrenderable",
        severity=Severity.ERROR,
        summary="the description cannot be rendered",
        why="Indexes refuse the upload.",
        mend="Check it with `twine check`; name its type: `readme = {file = ..., content-type = ...}`.",
        source="core metadata specification, Description-Content-Type; readme_renderer",
    ),
    Rule(
        id="entry-points-unreadable",
        severity=Severity.ERROR,
        summary="entry_points.txt cannot be read, or names no function for a script",
        why="Installers create no scripts or refuse the wheel; whatever else reads entry points may fail.",
        mend='Correct the entry points in pyproject.toml; a script is written `name = "module:function"`.',
        source="entry points specification, file format",
    ),
    Rule(
        id="script-name",
        severity=Severity.ERROR,
        summary="a script's name is not a file name",
        why="Installers refuse the wheel, or write the script where its name leads: outside the environment.",
        mend="Name the script in letters, digits, `.`, `_` and `-`.",
        source="entry points specification, data model",
    ),
    Rule(
        id="entry-point-missing",
        severity=Severity.ERROR,
        summary="an entry point names a module that is not in the wheel",
        why="The script or plug-in ends with ModuleNotFoundError.",
        mend="Correct the entry point, or pack the module.",
        source="entry points specification",
    ),
)

_FIELD_RULES = {"metadata-version": "metadata-version", "license-expression": "licence-expression"}
_RENDERED = frozenset({"text/plain", "text/x-rst", "text/markdown"})
_WHEEL_VERSION = (1, 0)
_SHOWN = 120
_TWICE = "has invalid data"  # what `packaging` says of a field that may stand once, and does not
_SCRIPTS = ("console_scripts", "gui_scripts")
_SEPARATORS = frozenset("/\\")
_CALLABLE = re.compile(r"[\w.]+\s*:\s*[\w.]+\s*(?:\[[^\[\]]*\])?")
_NAME_BYTES = 255  # NAME_MAX


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """Compare METADATA with its specification, and the names in it with what is in the wheel."""
    subject = f"{wheel.dist_info}/METADATA"
    findings = [*_spelling(wheel), *_wheel_version(wheel), *_entry_points(wheel), *_script_names(wheel)]
    if wheel.metadata is not None:
        findings += [*_fields(subject, wheel.metadata), *_readme(subject, wheel.metadata)]
        findings += _licence_files(subject, wheel, wheel.metadata)
    return Ruling(check="metadata", findings=tuple(findings))


def _spelling(wheel: Wheel) -> Iterator[Finding]:
    if wheel.name is None:
        return
    named, version, *_ = wheel.filename.split("-")
    due = f"{wheel.name.name.replace('-', '_')}-{wheel.name.version}"
    if f"{named}-{version}" != due:
        yield Finding.of(
            RULES["name-unnormalised"], wheel.filename, f"begins with {named}-{version}; it should begin with {due}"
        )


def _wheel_version(wheel: Wheel) -> Iterator[Finding]:
    if wheel.wheel_text is None:
        return
    text = wheel.wheel_text.wheel_version
    try:
        release = parse_version(text).release
    except UntrustedTextError:
        release = ()
    if release[:1] != _WHEEL_VERSION[:1]:
        shown = f"Wheel-Version {text[:_SHOWN]!r}" if text else "no Wheel-Version"
        yield Finding.of(RULES["wheel-version"], f"{wheel.dist_info}/WHEEL", f"has {shown}; installers know 1.0")


def _fields(subject: str, metadata: Metadata) -> Iterator[Finding]:
    """Let packaging judge every field; Name, Version and Requires-Python have rules of their own."""
    try:
        problems = judge_metadata(metadata.text)
    except UntrustedTextError as error:
        yield Finding.of(RULES["metadata-invalid"], subject, str(error))
        return
    for field, words in problems:
        if not _is_elsewhere(field, words):
            yield Finding.of(
                RULES[_FIELD_RULES.get(field, "metadata-invalid")], subject, f"{field.title()}: {_sentence(words)}"
            )


def _is_elsewhere(field: str, words: str) -> bool:
    """Whether another rule judges it, or it only came with a later version: setuptools writes License-File so.

    The name and the version are compared with those of the file, which are what they should be, but for a bad name.
    """
    if field == "name":
        return "required" in words
    return (
        field in ("version", "requires-python") and _TWICE not in words
    ) or "introduced in metadata version" in words


def _sentence(text: str) -> str:
    return " ".join(text.replace("{field!r} ", "").split())[:_SHOWN]


def _readme(subject: str, metadata: Metadata) -> Iterator[Finding]:
    """Only reStructuredText can fail to render; a text without a type is taken for it."""
    kind = metadata.description_content_type.partition(";")[0].strip().lower() or "text/x-rst"
    if kind == "text/x-rst" and metadata.description.strip():
        problem = rst_problem(metadata.description)
        if problem:
            yield Finding.of(
                RULES["readme-unrenderable"], subject, f"the description does not render: {problem[:_SHOWN]}"
            )


def _licence_files(subject: str, wheel: Wheel, metadata: Metadata) -> Iterator[Finding]:
    """From core metadata 2.4 on they lie below licenses/ (PEP 639); setuptools put older ones there or next to it."""
    strict = metadata.metadata_version not in ("2.1", "2.2", "2.3")
    for name in metadata.license_files:
        places = [f"{wheel.dist_info}/licenses/{name}"]
        if not strict:
            base = name.rpartition("/")[2]
            places += [f"{wheel.dist_info}/{name}", f"{wheel.dist_info}/{base}", f"{wheel.dist_info}/licenses/{base}"]
        if wheel.members and not any(place in wheel.members for place in places):
            yield Finding.of(
                RULES["licence-file-missing"], subject, f"names the licence {name}; {places[0]} is not in the wheel"
            )


def _entry_points(wheel: Wheel) -> Iterator[Finding]:
    """Look for each module; one of a package that is not in the wheel at all may come with a requirement."""
    subject = f"{wheel.dist_info}/entry_points.txt"
    if wheel.entry_points_problem:
        yield Finding.of(
            RULES["entry-points-unreadable"], subject, f"cannot be read: {wheel.entry_points_problem[:_SHOWN]}"
        )
    if not wheel.entry_points or wheel.has_unread:
        return
    present = _Importable(wheel)
    foreign = bool(wheel.metadata and wheel.metadata.requires_dist)
    for group, name, value in wheel.entry_points:
        module = value.partition("[")[0].partition(":")[0].strip()
        if module in present or (foreign and module.partition(".")[0] not in present):
            continue
        yield Finding.of(
            RULES["entry-point-missing"], subject, f"{name} in {group} names {module}, which is not in the wheel"
        )


def _script_names(wheel: Wheel) -> Iterator[Finding]:
    """Judge the names of files that installers make or copy into the folder of programs."""
    subject = f"{wheel.dist_info}/entry_points.txt"
    for group, name, value in wheel.entry_points:
        if group in _SCRIPTS and _CALLABLE.fullmatch(value) is None:
            message = f"the script {name[:_SHOWN]!a} names {value[:_SHOWN]!a}; module:function is expected"
            yield Finding.of(RULES["entry-points-unreadable"], subject, message)
        if group in _SCRIPTS and not _is_file_name(name):
            message = f"names a script {name[:_SHOWN]!a}, which is not a file name"
            yield Finding.of(RULES["script-name"], subject, message)
    for path in wheel.members:
        name = path.partition(".data/scripts/")[2]
        if name and not name.isprintable():
            yield Finding.of(RULES["script-name"], path, "is a script whose name has control characters")


def _is_file_name(name: str) -> bool:
    short = len(name.encode(errors="replace")) <= _NAME_BYTES
    return short and name.isprintable() and name not in ("", ".", "..") and not _SEPARATORS.intersection(name)


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
