"""What this machine lacks, with the command that installs it."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from factory.clock import today
from factory.engine.about import weaknesses
from factory.engine.api import Engine, EngineInfo
from factory.engine.docker import connect
from factory.errors import FactoryError, ImageError, StoreError
from factory.host import Host
from factory.images.age import made_on, old_age
from factory.images.emulator import MEND as EMULATOR_MEND
from factory.images.emulator import NoEmulator, emulator_of
from factory.images.foreign import machine_here, runs, way_to_emulate
from factory.images.known import Spec, specs
from factory.images.prepared import prepared_here
from factory.images.ready import held
from factory.images.shell import INSTALL, has_bootstrapper
from factory.images.spec import ImageSpec
from factory.machines import CONTAINER_MACHINES, MACHINES, USUAL_MACHINE, machine_named
from factory.run.own import new_run_id, own_run
from factory.store import Store
from factory.system import machine, shortcoming


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a run uses: what was found, and what to do where it is not `fine`.

    What is `optional` fails nothing where it is missing: a run goes without, or brings it.
    """

    name: str
    fine: bool
    found: str
    mend: str = ""
    optional: bool = False


def examine(host: Host) -> tuple[Check, ...]:
    """Check everything that a build needs on this machine."""
    tools = (_mmdebstrap(host), _git(host), *_emulator(host), _machines(host))
    listed, lock = _listed(host)
    return (*_system(), _store(host), *tools, _certificates(host), *_proxies(host), *lock, *_engine(host, listed))


def _system() -> Iterator[Check]:
    """Say what this system lacks that Linux has."""
    if lacking := shortcoming():
        mend = "run the factory on Linux where strangers' wheels are audited"
        yield Check(name="system", fine=False, found=lacking, mend=mend, optional=True)


def _store(host: Host) -> Check:
    try:
        with Store.open(host.store):
            return Check(name="store", fine=True, found=str(host.store))
    except FactoryError as error:
        return Check(name="store", fine=False, found=error.message, mend=error.hint)


def _listed(host: Host) -> tuple[tuple[Spec, ...], tuple[Check, ...]]:
    """Read which images there may be, by the user's lock if there is one, and say where that cannot be used."""
    try:
        return specs(host.image_lock), ()
    except ImageError as error:
        return (), (Check(name="image lock", fine=False, found=error.message, mend=error.hint),)


def _mmdebstrap(host: Host) -> Check:
    found = "here" if has_bootstrapper(host) else "not on PATH: no image, Rust or interpreter can be made here"
    mend = f"{INSTALL}, or see docs/how-to/without-mmdebstrap.md; what is on the engine is used as it is"
    return Check(name="mmdebstrap", fine=has_bootstrapper(host), found=found, mend=mend, optional=True)


def _git(host: Host) -> Check:
    path = shutil.which("git", path=host.path)
    mend = "apt-get install git   (only for sources from git, patches, and trees whose files git knows)"
    return Check(name="git", fine=path is not None, found=path or "not on PATH", mend=mend, optional=True)


def _emulator(host: Host) -> Iterator[Check]:
    """Look for an emulator of an old processor, which is x86_64's.

    Trials can do without, and every report of a run says so.
    """
    if machine_here() != USUAL_MACHINE:
        return
    emulator = emulator_of(host.path)
    why = emulator.reason if isinstance(emulator, NoEmulator) else ""
    found = f"not emulated in trials: {why}" if why else "qemu-user emulates it"
    yield Check(name="old processor", fine=not why, found=found, optional=True)


def _machines(host: Host) -> Check:
    """Look for emulators of other machines, without which their wheels are untried."""
    own = machine_named(machine())
    others = [name for name in MACHINES if name != own]
    missing = [name for name in others if isinstance(emulator_of(host.path, name, own), NoEmulator)]
    if missing:
        found = f"no static qemu-user on PATH for {', '.join(missing)}: their wheels would be untried"
        return Check(name="other machines", fine=False, found=found, mend=EMULATOR_MEND, optional=True)
    return Check(name="other machines", fine=True, found=f"qemu-user emulates {', '.join(others)}", optional=True)


def _certificates(host: Host) -> Check:
    mend = "apt-get install ca-certificates, or name a bundle in SSL_CERT_FILE"
    found = str(host.certificates) if host.certificates else "no bundle found"
    return Check(name="certificates", fine=host.certificates is not None, found=found, mend=mend)


def _proxies(host: Host) -> Iterator[Check]:
    """Look for proxies that a container cannot reach: it has its own loopback interface."""
    if not host.proxies:
        return
    mend = (
        "let the proxy listen on an address that containers can reach, and use that: crates are fetched in a container"
    )
    bad = host.loopback_proxies
    found = f"{' and '.join(bad)} names this machine's loopback address" if bad else ", ".join(sorted(host.proxies))
    yield Check(name="proxies", fine=not bad, found=found, mend=mend)


def _engine(host: Host, listed: Iterable[Spec]) -> tuple[Check, ...]:
    try:
        with ExitStack() as stack:
            return tuple(_checks(_connected(host, stack), host, listed))
    except FactoryError as error:
        return (Check(name="engine", fine=False, found=error.message, mend=error.hint),)


def _connected(host: Host, stack: ExitStack) -> Engine:
    try:
        return stack.enter_context(own_run(host))[1]
    except StoreError:  # said by its own check
        return stack.enter_context(connect(host, owner="doctor", run_id=new_run_id()))


def _checks(engine: Engine, host: Host, listed: Iterable[Spec]) -> Iterator[Check]:
    info = engine.info()
    found = f"{info.name} {info.version}, API {info.api}, {info.driver}, {info.cpus} processors"
    yield Check(name="engine", fine=True, found=found)
    own = machine_named(info.architecture)
    yield from _weaknesses(info)
    yield from _containers(engine, own)
    yield from _images(engine, host, own, listed)


def _weaknesses(info: EngineInfo) -> Iterator[Check]:
    for weakness in weaknesses(info):
        yield Check(name="confinement", fine=False, found=weakness.found, mend=weakness.mend)


def _containers(engine: Engine, own: str) -> Iterator[Check]:
    """Run a program of each machine that the engine's is not; only recipes that ask for its containers need it."""
    for name in CONTAINER_MACHINES:
        if name != own:
            fine = runs(engine, name)
            found = f"the engine, on {own}, {'runs' if fine else 'does not run'} containers for {name}"
            yield Check(name="containers", fine=fine, found=found, mend=way_to_emulate(name), optional=True)


def _images(engine: Engine, host: Host, machine: str, listed: Iterable[Spec]) -> Iterator[Check]:
    """Look for the images of the engine's own machine, and say which of others are here."""
    for spec in listed:
        image, name = held(engine, spec), spec.facts.name
        if image is None and spec.facts.platform.arch != machine:
            continue
        if image is None:
            found = f"not here yet; {_way(spec, host)}"
            yield Check(name=f"image {name}", fine=False, found=found, optional=True)
            continue
        made = made_on(image)
        old = old_age(name, made, today(), family=spec.facts.family)
        found = f"here, {old}" if old else f"here{f', made on {made}' if made else ''}"
        yield Check(name=f"image {name}", fine=not old, found=found, optional=True)
    for prepared in prepared_here(engine):
        yield Check(name="prepared image", fine=True, found=f"{prepared.base} with {prepared.holds}")


def _way(spec: Spec, host: Host) -> str:
    if not isinstance(spec, ImageSpec):
        return "the first build that needs it pulls it"
    return "the first build makes it" if has_bootstrapper(host) else "it cannot be made without mmdebstrap"
