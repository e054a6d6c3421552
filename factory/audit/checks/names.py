"""Names: the file name, the .dist-info folder, METADATA and WHEEL speak of one project."""

import re
from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.audit.expectation import Expectation
from factory.audit.rules import WHEEL_SPECIFICATION, table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.untrusted import UntrustedTextError, parse_specifiers, parse_version
from factory.wheel import Wheel, WheelName

RULES = table(
    Rule(
        id="requires-python",
        severity=Severity.ERROR,
        summary="Requires-Python excludes an interpreter that the tags claim",
        why="Installers refuse the wheel on the only interpreter it is for, or cannot read the field at all.",
        mend="Correct `requires-python` in pyproject.toml, or do not build for that interpreter.",
        source="core metadata specification, Requires-Python",
    ),
    Rule(
        id="floor-taken-back",
        severity=Severity.WARNING,
        summary="Requires-Python excludes the oldest interpreter that an abi3 or pure tag claims",
        why="The file name promises what METADATA takes back: installers on that interpreter skip the wheel.",
        mend="Raise the floor to what `requires-python` allows: `abi3: cp311` in the recipe, PyO3's `abi3-py311`.",
        source="core metadata specification, Requires-Python; PEP 425",
    ),
    Rule(
        id="name-unreadable",
        severity=Severity.ERROR,
        summary="the file name is not that of a wheel",
        why="Installers refuse it.",
        mend="Name it `{name}-{version}(-{build})-{python}-{abi}-{platform}.whl` with escaped parts.",
        source=WHEEL_SPECIFICATION + ", file name convention",
    ),
    Rule(
        id="dist-info-count",
        severity=Severity.ERROR,
        summary="there is not exactly one .dist-info folder",
        why="Installers refuse the wheel.",
        mend="Build from a clean tree; do not pack another package's metadata.",
        source=WHEEL_SPECIFICATION,
    ),
    Rule(
        id="dist-info-mismatch",
        severity=Severity.ERROR,
        summary="the .dist-info folder is named for another project or version than the file",
        why="Installers refuse the wheel.",
        mend="Build again instead of renaming.",
        source=WHEEL_SPECIFICATION,
    ),
    Rule(
        id="metadata-missing",
        severity=Severity.ERROR,
        summary="METADATA is absent",
        why="Installers refuse the wheel.",
        mend="Build again with a backend that writes it.",
        source=WHEEL_SPECIFICATION,
    ),
    Rule(
        id="metadata-mismatch",
        severity=Severity.ERROR,
        summary="METADATA names another project or version than the file",
        why="Installers refuse the wheel, or install something other than was resolved.",
        mend="Build again instead of renaming.",
        source="core metadata specification, Name and Version",
    ),
    Rule(
        id="wheel-text-missing",
        severity=Severity.ERROR,
        summary="the WHEEL file is absent",
        why="Installers refuse the wheel.",
        mend="Build again with a backend that writes it.",
        source=WHEEL_SPECIFICATION,
    ),
    Rule(
        id="variant-mismatch",
        severity=Severity.ERROR,
        summary="the file name's label and variant.json do not speak of one variant",
        why="Installers that know variants choose by the one, and install what the other says.",
        mend="Build the variant by a backend that writes both, instead of renaming the file.",
        source="PEP 825 (a draft), wheel variants: package format",
    ),
    Rule(
        id="any-wheel-with-objects",
        severity=Severity.ERROR,
        summary="a wheel for any platform holds compiled objects",
        why="It is installed on systems that cannot load them.",
        mend="Tell the backend that the wheel has extension modules, so that it writes a platform tag.",
        source="PEP 425",
    ),
    Rule(
        id="purelib-with-objects",
        severity=Severity.ERROR,
        summary="compiled objects are installed as pure Python",
        why="Systems that keep platform-specific files apart put them in the wrong folder.",
        mend="Set Root-Is-Purelib to false: tell the backend that the wheel has extension modules. Where it has only a "
        "library or programs, let has_ext_modules of setuptools' Distribution return True, or hatchling's hook set "
        'build_data["pure_python"] to False.',
        source=WHEEL_SPECIFICATION + ", Root-Is-Purelib",
    ),
)

_MICROS = range(100)
_MINORS = 100
_FOR_ONE = re.compile(r"(?:cp|pp|pypy)3([0-9]+)(?:t|_pp[0-9]+)?")
_FOR_LATER = re.compile(r"cp3([0-9]+)-abi3t?|py3([0-9]*)-none")


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """File name, dist-info folder and METADATA name one project in one version."""
    if wheel.name is None:
        findings = [Finding.of(RULES["name-unreadable"], wheel.filename, wheel.name_problem)]
    else:
        findings = [
            *_folders(wheel, wheel.name),
            *_metadata(wheel, wheel.name),
            *_variant(wheel, wheel.name),
            *_wheel_text(wheel),
            *_requires_python(wheel),
        ]
    return Ruling(check="names", findings=tuple(findings))


def _folders(wheel: Wheel, named: WheelName) -> Iterator[Finding]:
    if len(wheel.dist_infos) != 1 and not wheel.is_unread:
        count = len(wheel.dist_infos) or "no"
        message = f"has {count} .dist-info folders; exactly one is expected"
        yield Finding.of(RULES["dist-info-count"], wheel.filename, message, wheel.dist_infos)
    for folder in wheel.dist_infos:
        name, _, version = folder.removesuffix(".dist-info").rpartition("-")
        yield from _same(named, "dist-info-mismatch", folder, name, version)


def _metadata(wheel: Wheel, named: WheelName) -> Iterator[Finding]:
    if not wheel.dist_info:
        return
    subject = f"{wheel.dist_info}/METADATA"
    if wheel.metadata is None:
        yield Finding.of(RULES["metadata-missing"], subject, "is not in the wheel")
    else:
        yield from _same(named, "metadata-mismatch", subject, wheel.metadata.name, wheel.metadata.version)


def _same(named: WheelName, rule: str, subject: str, name: str, version: str) -> Iterator[Finding]:
    if canonicalize_name(name) != named.name or _version(version) != named.version:
        shown = f"{name or 'no name'} {version or 'no version'}"
        message = f"says {shown}; the file name says {named.name} {named.version}"
        yield Finding.of(RULES[rule], subject, message)


def _variant(wheel: Wheel, named: WheelName) -> Iterator[Finding]:
    """Compare the label of the file name with that of variant.json; a wheel that is no variant has neither."""
    subject, message = f"{wheel.dist_info}/variant.json", ""
    if wheel.variant_problem:
        message = f"cannot be read: {wheel.variant_problem}"
    elif wheel.variant is None and named.label and wheel.dist_info:
        message = f"is not in the wheel, whose file name has the label {named.label}"
    elif wheel.variant is not None and wheel.variant.label != named.label:
        label = f"has the label {named.label}" if named.label else "has no label"
        message = f"describes the variant {wheel.variant.label[:100]!a}; the file name {label}"
    if message:
        yield Finding.of(RULES["variant-mismatch"], subject, message)


def _version(text: str) -> Version | None:
    try:
        return parse_version(text)
    except UntrustedTextError:
        return None


def _wheel_text(wheel: Wheel) -> Iterator[Finding]:
    subject = f"{wheel.dist_info}/WHEEL"
    if wheel.wheel_text is None:
        if wheel.dist_info:
            yield Finding.of(RULES["wheel-text-missing"], subject, "is not in the wheel")
        return
    objects = tuple(sorted({*wheel.objects, *wheel.broken}))
    if objects and all(tag.platform == "any" for tag in wheel.tags):
        yield Finding.of(
            RULES["any-wheel-with-objects"],
            wheel.filename,
            f"is tagged for any platform; {objects[0]} is compiled for one",
            objects,
        )
        return
    rooted = tuple(path for path in objects if ".data/" not in path)
    pure = tuple(path for path in objects if path.partition(".data/")[2].startswith("purelib/"))
    if wheel.wheel_text.root_is_purelib and rooted:
        message = f"says Root-Is-Purelib: true; {rooted[0]} belongs to platlib"
        yield Finding.of(RULES["purelib-with-objects"], subject, message, rooted)
    if pure:
        yield Finding.of(
            RULES["purelib-with-objects"], pure[0], "is in purelib; compiled objects belong to platlib", pure
        )


def _requires_python(wheel: Wheel) -> Iterator[Finding]:
    """Judge version-specific tags as promises; of a floor only the oldest interpreter is one, and costs no user."""
    if wheel.metadata is None or not wheel.metadata.requires_python:
        return
    subject, text = f"{wheel.dist_info}/METADATA", wheel.metadata.requires_python
    try:
        specifiers = parse_specifiers(text)
    except UntrustedTextError:
        yield Finding.of(RULES["requires-python"], subject, f"Requires-Python {text[:80]!r} is not a version specifier")
        return
    one = [_FOR_ONE.fullmatch(tag.interpreter if tag.abi == "none" else tag.abi) for tag in wheel.tags]
    for minor in sorted({int(match[1]) for match in one if match}):
        if not _admits(specifiers, minor):
            message = f"Requires-Python {text[:80]!r} excludes Python 3.{minor}, which the file name claims"
            yield Finding.of(RULES["requires-python"], subject, message)
    floor = _floor(wheel)
    if floor is None:
        return
    if not any(_admits(specifiers, minor) for minor in range(floor, _MINORS)):
        message = f"Requires-Python {text[:80]!r} excludes every Python that the file name claims"
        yield Finding.of(RULES["requires-python"], subject, message)
    elif floor and not _admits(specifiers, floor):
        message = f"Requires-Python {text[:80]!r} excludes Python 3.{floor}, the oldest that the file name claims"
        yield Finding.of(RULES["floor-taken-back"], subject, message)


def _floor(wheel: Wheel) -> int | None:
    """Find the oldest interpreter of tags that are for all later ones too, 0 for py3; None where some tag is not."""
    tags = [_FOR_LATER.fullmatch(f"{tag.interpreter}-{tag.abi}") for tag in wheel.tags]
    return min((int(match[1] or match[2] or 0) for match in tags if match), default=None) if all(tags) else None


def _admits(specifiers: SpecifierSet, minor: int) -> bool:
    return any(specifiers.contains(f"3.{minor}.{micro}", prereleases=True) for micro in _MICROS)
