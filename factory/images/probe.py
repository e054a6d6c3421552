"""What an image really holds, found by running a probe in it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, get_args

from packaging.version import Version

from factory.catalogue import PINNED_FAMILY, PackageManager
from factory.engine.api import ContainerSpec, Engine
from factory.errors import ImageError
from factory.guests import program
from factory.image_facts import ImageFacts, Release, Role
from factory.tags import Interpreter, PlatformTag
from factory.untrusted import UntrustedTextError, excerpt, parse_json, parse_version

PROBE_VERSION: Final = 3
"""Rises when a probe answers differently for the same image: remembered answers are then asked for again."""

_TIMEOUT_S: Final = 300
_HIGHEST: Final = 999
_MOST_BROKEN: Final = 20
_MOST_CHARACTERS: Final = 200
_BUILD_PLACE: Final = "/opt/python/"
_LOCAL_PLACE: Final = "/usr/local/bin/"
_IMPLEMENTATIONS: Final[Mapping[str, Literal["cp", "pp"]]] = MappingProxyType({"CPython": "cp", "PyPy": "pp"})
"""By the names that platform.python_implementation() has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Libc:
    """The C library that an image's programs load; an image that has both glibc and musl counts as glibc."""

    family: Literal["glibc", "musl"]
    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.family} {self.major}.{self.minor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What an image holds: its libc, the CPythons and PyPys in the place of each role, GCC, rustc, package manager.

    `local` are those in /usr/local/bin, where Docker's own images of Python have theirs. `broken` are programs that
    failed. Other interpreters are left out: nothing is built for them here.
    """

    libc: Libc | None
    builders: frozenset[Release] = frozenset()
    runners: frozenset[Release] = frozenset()
    local: frozenset[Release] = frozenset()
    rust: Version | None = None
    c: Version | None = None
    packages: PackageManager | None = None
    broken: tuple[str, ...] = ()

    def releases(self, role: Role, family: str = "") -> tuple[Release, ...]:
        """Return the interpreters in the place where images of a role and a family have them."""
        plain = self.local if family == PINNED_FAMILY else self.runners
        return tuple(sorted(self.builders if role == "build" else plain))

    def interpreters(self, role: Role, family: str = "") -> frozenset[Interpreter]:
        """Return the same without their releases."""
        return frozenset(release.interpreter for release in self.releases(role, family))


def probe(engine: Engine, image: str) -> Probed:
    """Ask an image what it holds. Its programs may be a stranger's, so the container has no writable disk.

    Raises:
        ImageError: the image is not here, or cannot run a shell.
    """
    with engine.container(ContainerSpec(image=image, label="probe", env={}, workspace_bytes=0)) as container:
        command = ["sh", "-c", program("probe.sh"), "probe", program("probe_python.py")]
        answer = container.run(command, timeout_s=_TIMEOUT_S)
    if answer.ended != "exited" or answer.code != 0:
        raise ImageError(f"the image {image} cannot be probed: {answer.output.strip() or answer.ended}")
    return read_answer(answer.output)


def read_answer(text: str) -> Probed:
    """Read the probe's lines; other lines are ignored.

    Raises:
        ImageError: a line begins like one of the probe's but is malformed: the image's own programs wrote it.
    """
    answer = _Answer()
    for line in text.splitlines():
        try:
            answer.take(line)
        except UntrustedTextError as error:
            raise ImageError(f"the image answers the probe with {excerpt(line)}, which {error}") from error
    return Probed(
        libc=answer.libcs[0] if answer.libcs else None,
        builders=frozenset(answer.builders),
        runners=frozenset(answer.runners),
        local=frozenset(answer.local),
        rust=answer.rust,
        c=answer.c,
        packages=answer.packages,
        broken=tuple(answer.broken[:_MOST_BROKEN]),
    )


@dataclass(slots=True)
class _Answer:
    """What has been read so far."""

    libcs: list[Libc] = field(default_factory=list)
    builders: set[Release] = field(default_factory=set)
    runners: set[Release] = field(default_factory=set)
    local: set[Release] = field(default_factory=set)
    rust: Version | None = None
    c: Version | None = None
    packages: PackageManager | None = None
    broken: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Take one line.

        Raises:
            UntrustedTextError: the line is not what its first word promises.
        """
        match line.split(" ", 1):
            case [("glibc" | "musl") as family, version]:
                major, minor = _numbers(version)
                self.libcs.append(Libc(family=family, major=major, minor=minor))
            case ["rustc", version]:
                self.rust = parse_version(_text(version))
            case ["gcc", version]:
                self.c = parse_version(_text(version))
            case ["python", answer]:
                self._take_python(*answer.partition(" ")[::2])
            case ["packages", manager]:
                self.packages = _manager(_text(manager))
            case ["broken", program]:
                self.broken.append(program[:_MOST_CHARACTERS])

    def _take_python(self, path: str, answer: str) -> None:
        match parse_json(answer.encode()):
            case [str(name), int(minor), bool(is_free_threaded), str(version)] if (
                name in _IMPLEMENTATIONS and 0 <= minor <= _HIGHEST
            ):
                others = self.local if path.startswith(_LOCAL_PLACE) else self.runners
                place = self.builders if path.startswith(_BUILD_PLACE) else others
                interpreter = Interpreter(minor, is_free_threaded, _IMPLEMENTATIONS[name])
                place.add(Release(interpreter, parse_version(version)))
            case [str(), int(), bool(), str()]:
                pass
            case _:
                raise UntrustedTextError("does not name an implementation with its version")


def _numbers(text: str) -> tuple[int, int]:
    match parse_json(text.encode()):
        case [int(major), int(minor)] if 0 <= major <= _HIGHEST and 0 <= minor <= _HIGHEST:
            return major, minor
        case _:
            raise UntrustedTextError("does not name a version of two numbers")


def _text(text: str) -> str:
    value = parse_json(text.encode())
    if not isinstance(value, str):
        raise UntrustedTextError("does not hold a string")
    return value


def _manager(name: str) -> PackageManager:
    managers: tuple[PackageManager, ...] = get_args(PackageManager)
    for manager in managers:
        if manager == name:
            return manager
    raise UntrustedTextError("does not name a known package manager")


def require_declared(facts: ImageFacts, probed: Probed, *, hint: str) -> None:
    """Refuse an image that is not what it declares; newer Rust, GCC and releases of interpreters are welcome.

    Raises:
        ImageError: libc, interpreters, package manager, Rust or GCC differ.
    """
    if differences := [*_differences(facts, probed)]:
        raise ImageError(f"{facts.name} is not what it declares: {'; '.join(differences)}", hint=hint)


def _differences(facts: ImageFacts, probed: Probed) -> list[str]:
    differences = [f"{program} does not run" for program in probed.broken]
    if probed.libc is None or platform_of(probed.libc, facts.platform.arch) != facts.platform:
        differences.append(f"its libc is {probed.libc or 'unknown'}, {facts.platform.policy} is declared")
    # Official images take a PyPy in, and leave one out, without a word: what is not declared is not used.
    held = frozenset(
        interpreter
        for interpreter in probed.interpreters(facts.role, facts.family)
        if interpreter.implementation == "cp" or interpreter in facts.interpreters
    )
    if held != set(facts.interpreters):
        differences.append(f"its interpreters are {_listed(held)}; {_listed(facts.interpreters)} are declared")
    differences += [*_older(facts.releases, probed.releases(facts.role, facts.family))]
    if facts.role != "trial" and probed.packages != facts.packages:
        differences.append(f"its package manager is {probed.packages or 'none'}, {facts.packages} is declared")
    if facts.rust is not None and (probed.rust is None or probed.rust < facts.rust):
        differences.append(f"its rustc is {probed.rust or 'absent'}, {facts.rust} or newer is declared")
    if facts.c is not None and (probed.c is None or probed.c < facts.c):
        differences.append(f"its gcc is {probed.c or 'absent'}, {facts.c} or newer is declared")
    return differences


def _older(declared: Iterable[Release], held: Iterable[Release]) -> Iterator[str]:
    versions = {release.interpreter: release.version for release in held}
    for release in declared:
        version = versions.get(release.interpreter)
        if version is not None and version < release.version:
            yield f"its {release.interpreter} is {version}, {release.version} or newer is declared"


def _listed(interpreters: Iterable[Interpreter]) -> str:
    return " ".join(map(str, sorted(interpreters))) or "none"


def platform_of(libc: Libc, arch: str) -> PlatformTag:
    """Return the platform tag that has exactly this libc."""
    return PlatformTag(libc.family, libc.major, libc.minor, arch)
