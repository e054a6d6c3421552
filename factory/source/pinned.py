"""Releases as they are typed: `nh3` or `nh3==0.3.7`."""

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from factory.errors import UsageError
from factory.untrusted import UntrustedTextError, parse_requirement, parse_version


def parse_release(text: str, hint: str) -> tuple[NormalizedName, Version | None]:
    """Read `name` or `name==version`.

    Raises:
        UsageError: it is neither; `hint` says what may be named.
    """
    try:
        wanted = parse_requirement(text)
    except UntrustedTextError as error:
        raise UsageError(f"{text!r} is neither a file or folder here nor a release", hint=hint) from error
    pins = list(wanted.specifier)
    if wanted.extras or wanted.marker or wanted.url or len(pins) > 1:
        raise UsageError(f"{text!r} is more than a name and a version", hint=hint)
    if pins and (pins[0].operator != "==" or pins[0].version.endswith(".*")):
        raise UsageError(f"{text!r} does not pin one version", hint=hint)
    try:
        return canonicalize_name(wanted.name), parse_version(pins[0].version) if pins else None
    except UntrustedTextError as error:
        raise UsageError(f"{text!r} does not pin one version", hint=hint) from error
