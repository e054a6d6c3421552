"""What a package index answers with 400, although installers take it."""

import re
from collections.abc import Iterator
from functools import cache

from packaging.requirements import Requirement
from trove_classifiers import classifiers, deprecated_classifiers

from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.excerpt import listed
from factory.untrusted import UntrustedTextError, mail_address, parse_requirement
from factory.wheel import Metadata, Wheel

_UPLOADS = "PyPI's checks of uploads (warehouse, forklift)"

RULES = table(
    Rule(
        id="local-version",
        severity=Severity.ERROR,
        summary="the version is a local version",
        why="Public indexes refuse it, and `==1.0` also matches the release without the local part.",
        mend="Build from a tag, or set the version: `+g1a2b3c4` comes from a commit without a tag. "
        "For an index of your own, add a classifier such as `Private :: Do Not Upload`.",
        source="PEP 440, local version identifiers",
    ),
    Rule(
        id="variant-refused",
        severity=Severity.ERROR,
        summary="the wheel is a variant, which public indexes do not take yet",
        why="Public indexes refuse the file name, and installers that know no variants do not see the file.",
        mend="Publish the wheel without a label, too. For an index of your own that serves variants, add a classifier "
        "such as `Private :: Do Not Upload`, or waive this rule.",
        source="PEP 825 (a draft), wheel variants: package format",
    ),
    Rule(
        id="archive-ratio",
        severity=Severity.ERROR,
        summary="the wheel unpacks to more than 50 times its size",
        why="Indexes take it for a decompression bomb, and refuse the upload.",
        mend="Leave out files of zeros, or download or create such data at run time.",
        source=f"{_UPLOADS}: more than 64 MiB, and more than 50 times the file",
    ),
    Rule(
        id="requirement-by-url",
        severity=Severity.ERROR,
        summary="a requirement names a file or repository instead of versions",
        why="Public indexes refuse the upload, even if only an extra has such a requirement.",
        mend="Require a version that the index has, and keep the URL in a lock file or a dependency group.",
        source=f"{_UPLOADS}; dependency specifiers specification, direct references",
    ),
    Rule(
        id="classifier-unknown",
        severity=Severity.ERROR,
        summary="a classifier does not exist, or no longer exists",
        why="Public indexes refuse the upload.",
        mend="Use one that trove-classifiers lists, or one that begins with `Private ::` if no public index is meant.",
        source=f"{_UPLOADS}; the package trove-classifiers",
    ),
    Rule(
        id="licence-twice",
        severity=Severity.ERROR,
        summary="METADATA has both License and License-Expression",
        why="Public indexes refuse the upload.",
        mend='Keep the expression: write `license = "MIT"` in pyproject.toml rather than a table.',
        source=f"PEP 639, deprecate license field; {_UPLOADS}",
    ),
    Rule(
        id="licence-classifier",
        severity=Severity.WARNING,
        summary="METADATA has both a licence expression and licence classifiers",
        why="Two statements of the licence can differ; PEP 639 lets indexes and backends refuse them together.",
        mend="Remove the classifiers that begin with `License ::`.",
        source="PEP 639, deprecate license classifiers",
    ),
    Rule(
        id="metadata-refused",
        severity=Severity.ERROR,
        summary="a field of METADATA is longer than indexes accept, or is no URL or address where one is required",
        why="Public indexes refuse the upload.",
        mend="Shorten the summary to 512 characters and the label of a URL to 32; begin URLs with https://; write "
        "addresses as `Name <name@example.org>`.",
        source=_UPLOADS,
    ),
)

_PRIVATE = "private ::"
_LICENCES = "License ::"
_RATIO, _RATIO_BYTES = 50, 1 << 26
_SUMMARY_CHARACTERS, _LABEL_CHARACTERS = 512, 32
_SHOWN = 80
_SCHEMES = ("https://", "http://")
_ADDRESS = re.compile(r"[^@\s]++@[^@\s.]++(?:\.[^@\s.]++)+")


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """Judge what only an index refuses; a wheel with a `Private ::` classifier is not meant for a public one."""
    if wheel.metadata is not None and _is_private(wheel.metadata):
        return Ruling(check="index")
    findings = [*_local(wheel), *_variant(wheel), *_ratio(wheel)]
    if wheel.metadata is not None:
        subject = f"{wheel.dist_info}/METADATA"
        findings += [finding for judge in _JUDGES for finding in judge(subject, wheel.metadata)]
    return Ruling(check="index", findings=tuple(findings))


def _variant(wheel: Wheel) -> Iterator[Finding]:
    if wheel.name is not None and wheel.name.label:
        what = listed(sorted(wheel.variant.properties)) if wheel.variant is not None else ""
        message = f"is the variant {wheel.name.label}{f' ({what})' if what else ''}; indexes do not take variants yet"
        yield Finding.of(RULES["variant-refused"], wheel.filename, message)


def _is_private(metadata: Metadata) -> bool:
    return any(classifier.lower().startswith(_PRIVATE) for classifier in metadata.classifiers)


def _local(wheel: Wheel) -> Iterator[Finding]:
    if wheel.name is not None and wheel.name.version.local is not None:
        message = f"has the local version {wheel.name.version}; public indexes refuse it"
        yield Finding.of(RULES["local-version"], wheel.filename, message)


def _ratio(wheel: Wheel) -> Iterator[Finding]:
    unpacked = sum(member.size_bytes for member in wheel.members.values())
    if unpacked > max(_RATIO_BYTES, _RATIO * wheel.size_bytes):
        message = f"unpacks from {wheel.size_bytes} to {unpacked} bytes; indexes take at most {_RATIO} times the size"
        yield Finding.of(RULES["archive-ratio"], wheel.filename, message)


def _requirements(subject: str, metadata: Metadata) -> Iterator[Finding]:
    for text in metadata.requires_dist:
        requirement = _read(text)
        if requirement is not None and requirement.url is not None:
            message = f"requires {requirement.name} by the URL {requirement.url[:_SHOWN]}; indexes take versions only"
            yield Finding.of(RULES["requirement-by-url"], subject, message)


def _read(text: str) -> Requirement | None:
    """Read a requirement; what is none breaks a rule of its own."""
    try:
        return parse_requirement(text)
    except UntrustedTextError:
        return None


def _classifiers(subject: str, metadata: Metadata) -> Iterator[Finding]:
    for classifier in dict.fromkeys(metadata.classifiers):
        if classifier in deprecated_classifiers:
            instead = listed(deprecated_classifiers[classifier]) or "no other one"
            message = f"has the classifier {classifier!r}, which was withdrawn; {instead} takes its place"
            yield Finding.of(RULES["classifier-unknown"], subject, message)
        elif classifier not in _known():
            message = f"has the classifier {classifier[:_SHOWN]!r}, which does not exist"
            yield Finding.of(RULES["classifier-unknown"], subject, message)


@cache
def _known() -> frozenset[str]:
    return frozenset(classifiers)


def _licences(subject: str, metadata: Metadata) -> Iterator[Finding]:
    if not metadata.license_expression:
        return
    has = f"has License-Expression {metadata.license_expression[:_SHOWN]}"
    if metadata.license:
        yield Finding.of(RULES["licence-twice"], subject, f"{has} and License {metadata.license[:_SHOWN]!r}")
    double = tuple(classifier for classifier in metadata.classifiers if classifier.startswith(_LICENCES))
    if double:
        yield Finding.of(RULES["licence-classifier"], subject, f"{has} and the classifier {double[0]!r}", double)


def _lengths(subject: str, metadata: Metadata) -> Iterator[Finding]:
    if len(metadata.summary) > _SUMMARY_CHARACTERS:
        message = f"has a summary of {len(metadata.summary)} characters; indexes take {_SUMMARY_CHARACTERS}"
        yield Finding.of(RULES["metadata-refused"], subject, message)


def _urls(subject: str, metadata: Metadata) -> Iterator[Finding]:
    for text in metadata.project_urls:
        label, _, url = (part.strip() for part in text.partition(","))
        if not label or len(label) > _LABEL_CHARACTERS:
            message = f"has the URL label {label[:_SHOWN]!r}; indexes take 1 to {_LABEL_CHARACTERS} characters"
            yield Finding.of(RULES["metadata-refused"], subject, message)
        elif not url.lower().startswith(_SCHEMES):
            message = f"names {url[:_SHOWN]!r} as the URL of {label!r}; one that begins with https:// is expected"
            yield Finding.of(RULES["metadata-refused"], subject, message)
    for url in metadata.urls:
        if not url.lower().startswith(_SCHEMES):
            message = f"names {url[:_SHOWN]!r} as a URL; one that begins with https:// is expected"
            yield Finding.of(RULES["metadata-refused"], subject, message)


def _addresses(subject: str, metadata: Metadata) -> Iterator[Finding]:
    """Judge the first address of a field, as the index does; a field without one is a name, which it takes."""
    for text in metadata.addresses:
        address = _address(text)
        if address and _ADDRESS.fullmatch(address) is None:
            message = f"names {address[:_SHOWN]!r} as an e-mail address, which it is not"
            yield Finding.of(RULES["metadata-refused"], subject, message)


def _address(text: str) -> str:
    try:
        return mail_address(text)
    except UntrustedTextError:
        return text  # no index reads so much


_JUDGES = (_requirements, _classifiers, _licences, _lengths, _urls, _addresses)
