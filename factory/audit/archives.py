"""The archive itself, its objects' integrity, and its size."""

from factory.audit.model import Expectation, Ruling
from factory.audit.rules import finding
from factory.wheel import Wheel


def check_archive(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Report what the reader could not take, and a size above the agreed one."""
    found = [finding(f"archive-{flaw.kind}", flaw.member or wheel.filename, flaw.message) for flaw in wheel.flaws]
    found += [
        finding("elf-broken", path, f"is no readable ELF object: {reason}") for path, reason in wheel.broken.items()
    ]
    limit = expectation.max_size_bytes
    if limit is not None and wheel.size_bytes > limit:
        found.append(finding("wheel-too-large", wheel.filename, f"has {wheel.size_bytes} bytes; {limit} are agreed"))
    return Ruling(check="archive", findings=tuple(found), allows=frozenset() if wheel.broken else None)
