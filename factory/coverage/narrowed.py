"""The environments that got a wheel of one release and get none of another."""

from collections.abc import Sequence

from factory.coverage.choice import Coverage, Offer, coverage
from factory.coverage.rows import rows
from factory.tags import Interpreter, PlatformTag
from factory.untrusted import UntrustedTextError, parse_wheel_name


def narrowed(new: Sequence[str], old: Sequence[str]) -> tuple[str, ...]:
    """Say for each libc of a machine that the new wheels are for which interpreters have lost their wheel."""
    families = frozenset(family for filename in new for family in _families(filename))
    machines = tuple(dict.fromkeys(arch for arch, _ in sorted(families)))
    now, before = _kept(new, machines), _kept(old, machines)
    if now is None or before is None:
        return ()
    had = {(taken.platform, taken.interpreter) for taken in before.taken if taken.kind == "wheel"}
    lines = []
    for row in rows(now):
        lost = [
            Interpreter.parse(taken.interpreter).marked_version
            for taken in row.taken
            if taken.kind != "wheel" and (taken.platform, taken.interpreter) in had
        ]
        if lost and (row.machine, row.libc.partition(" ")[0]) in families:
            lines.append(f"no wheel any more on {row.machine}, {row.libc}, for {', '.join(lost)}")
    return tuple(lines)


def _kept(filenames: Sequence[str], machines: Sequence[str]) -> Coverage | None:
    readable = [filename for filename in filenames if _is_readable(filename)]
    found = coverage([Offer(filename=filename) for filename in readable], machines)
    return found[-1] if found else None


def _is_readable(filename: str) -> bool:
    try:
        parse_wheel_name(filename)
    except UntrustedTextError:
        return False
    return True


def _families(filename: str) -> set[tuple[str, str]]:
    """Name each machine with its libc."""
    names = set[tuple[str, str]]()
    for tag in parse_wheel_name(filename)[3]:
        try:
            platform = PlatformTag.parse(tag.platform)
        except ValueError:
            continue
        names.add((platform.arch, platform.libc))
    return names
