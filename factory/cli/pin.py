"""`factory image pin`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

from packaging.utils import canonicalize_name

from factory.cli.common import err, out, replace_output
from factory.cli.options import PinOptions
from factory.digest import Digest
from factory.engine.docker import connect
from factory.errors import UsageError
from factory.host import Host, read_host
from factory.images.known import pulled_families
from factory.images.named import read_trial
from factory.images.pinning import from_registry, from_wheel, pins_of_wheel, tagged
from factory.images.probe import probe
from factory.images.pull import pulled
from factory.images.pulled import LOCK, Lock, pulled_specs, read_lock, render_lock
from factory.images.spec import data_folder, is_checkout
from factory.pins import TAGGED, Pin
from factory.report.text import line
from factory.run.own import own_run
from factory.source.newest import fetch_newest_wheel
from factory.store import Store
from factory.store.locks import acquired, shared_lock

_WRITTEN_WITHIN_S = 30
_ANOTHER = "name another file after -o"
_CIBUILDWHEEL = canonicalize_name("cibuildwheel")


def run_image_pin(options: PinOptions) -> int:
    """Pin the images of the pulled families anew, and print what is pinned now."""
    _refuse_unfit(options)
    host = read_host()
    if options.trial:
        return _pin_trial(options, host)
    if options.reference is not None:
        out().print(line(str(_pinned(options.reference, host, options.tag))), soft_wrap=True)
        return 0
    (family,) = pulled_families()
    path = _output(options, host, family)
    lock = _from_cibuildwheel(host, family) if options.from_cibuildwheel else _from_registry(host, family, options.tag)
    before = _rewrite(path, host, lambda before: lock if before is None else replace(lock, trials=before.trials))
    for name, pin in sorted(lock.pins.items()):
        was = None if before is None else before.pins.get(name)
        out().print(line(f"{family.name}-{name} {pin}{_change(was, pin)}"), soft_wrap=True)
    err().print(line(f"{len(lock.pins)} images pinned in {path}, from {lock.origin}"), soft_wrap=True)
    return 0


def _refuse_unfit(options: PinOptions) -> None:
    """Refuse flags that would be without effect."""
    if options.reference is not None and options.from_cibuildwheel:
        raise UsageError("--from-cibuildwheel takes no image", hint="leave one of the two out")
    if options.reference is not None and options.output is not None and not options.trial:
        raise UsageError("an image alone is only printed: -o has no effect", hint="leave -o out, or add --trial")


def _change(was: Pin | None, pin: Pin) -> str:
    if was is None:
        return "  (new)"
    return "" if was.digest == pin.digest else f"  (was {was.digest})"


def _pin_trial(options: PinOptions, host: Host) -> int:
    """Pull a plain image, ask it what it holds, and pin it in the lock beside what that pins already."""
    if options.reference is None:
        raise UsageError("--trial needs an image", hint="factory image pin --trial python:3.12-slim")
    (family,) = pulled_families()
    path = _output(options, host, family)
    _read(path)
    pin = _pinned(options.reference, host, options.tag)
    with own_run(host) as (_, engine):
        image = pulled(engine, pin, progress=lambda text: err().print(line(text), soft_wrap=True), cancelled=Event())
        spec = read_trial(pin, image.architecture, probe(engine, image.id))
    before = _rewrite(path, host, lambda before: (before or read_lock(family / LOCK)).with_trial(spec))
    trials = () if before is None else before.trials
    was = next((trial.pin for trial in trials if trial.facts.name == spec.facts.name), None)
    interpreters = " ".join(map(str, spec.facts.interpreters))
    out().print(line(f"{spec.facts.name} {pin}{_change(was, pin)}"), soft_wrap=True)
    err().print(line(f"tries {interpreters} on {spec.facts.platform}; pinned in {path}"), soft_wrap=True)
    return 0


def _read(path: Path) -> Lock | None:
    """Read a lock that may not be there yet; one that cannot be read is refused before anything is pulled."""
    return read_lock(path) if path.exists() else None


def _rewrite(path: Path, host: Host, change: Callable[[Lock | None], Lock]) -> Lock | None:
    """Change a lock while no other command of this user does; return what it was before.

    Raises:
        ImageError: what is there is not a lock.
        OutputError: it cannot be written.
        StoreError: somebody else is writing it for too long.
    """
    name = f"pins-{Digest.of(str(path.resolve()).encode()).hex}.lock"
    with shared_lock(host.locks, name) as held:
        acquired(held, timeout_s=_WRITTEN_WITHIN_S)
        before = _read(path)
        replace_output(path, render_lock(change(before)), hint=_ANOTHER)
    return before


def _pinned(text: str, host: Host, tag: str) -> Pin:
    match = TAGGED.fullmatch(text)
    if match is not None and match["tag"] is None:
        text = f"{text}:{tag}"
        match = TAGGED.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not an image of a registry", hint="write registry/name:tag")
    with connect(
        host, owner="images", run_id="images"
    ) as engine:  # it only asks: it makes nothing that would need an owner
        return tagged(engine, match["name"], match["tag"])


def _output(options: PinOptions, host: Host, family: Path) -> Path:
    if options.output is not None:
        return options.output
    if host.image_lock is not None:
        return host.image_lock
    if not is_checkout(data_folder()):
        raise UsageError(
            "the factory's own lock belongs to the installed package",
            hint="write one of your own: `factory image pin -o images.lock`, then set FACTORY_IMAGE_LOCK to its path",
        )
    return family / LOCK


def _from_cibuildwheel(host: Host, family: Path) -> Lock:
    with Store.open(host.store) as store, store.temp_folder() as folder:
        version, wheel = fetch_newest_wheel(_CIBUILDWHEEL, host, folder)
        pins = pins_of_wheel(wheel.path)
    err().print(line(f"{wheel.filename} {wheel.digest}"), soft_wrap=True)
    return from_wheel((path.stem for path in family.glob("*.toml")), pins, version=str(version))


def _from_registry(host: Host, family: Path, tag: str) -> Lock:
    with connect(host, owner="images", run_id="images") as engine:  # as above
        return from_registry(pulled_specs(family, host.image_lock), engine, tag=tag)
