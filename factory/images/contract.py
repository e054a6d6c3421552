"""The contract of a family of images: each promise with its check, or with the reason why it is not kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from factory.errors import ImageError
from factory.images.spec import ImageSpec, python, read_data

CONTRACT: Final = "contract.toml"

_KEYS: Final = {"id", "says"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise: `check` is a shell script that fails where it is broken, `unkept` says why there is no check."""

    id: str
    says: str
    check: str | None = None
    unkept: str | None = None


def read_contract(spec: ImageSpec) -> tuple[Promise, ...]:
    """Read the contract of an image's family.

    Raises:
        ImageError: an entry has neither or both of `check` and `unkept`, or two entries have the same id.
    """
    path = spec.family_folder / CONTRACT
    entries = [dict(entry.text_items()) for entry in read_data(path).tables("promise")]
    for entry in entries:
        if set(entry) not in (_KEYS | {"check"}, _KEYS | {"unkept"}):
            raise ImageError(
                f"{path}: the promise {entry.get('id', entry)} needs id, says, and one of check and unkept"
            )
    if len({entry["id"] for entry in entries}) != len(entries):
        raise ImageError(f"{path}: two promises have the same id")
    return tuple(Promise(**entry) for entry in entries)


def check_argv(promise: Promise) -> tuple[str, ...]:
    """Build the command that checks a kept promise in a container."""
    if promise.check is None:
        raise ValueError(f"{promise.id} is not kept: {promise.unkept}")
    return ("sh", "-eu", "-c", promise.check)


def check_env(spec: ImageSpec) -> Mapping[str, str]:
    """Return the variables of a check: what the image declares."""
    facts = spec.facts
    return {
        "GLIBC": f"{facts.platform.major}.{facts.platform.minor}",
        "TAGS": " ".join(f"{interpreter.python_tag}-{interpreter.abi_tag}" for interpreter in facts.interpreters),
        "PYTHONS": " ".join(str(python(facts, interpreter)) for interpreter in facts.interpreters),
        "RUST": str(facts.rust or ""),
        "HOME": "/tmp",  # noqa: S108 -- the container's own tmpfs
    }
