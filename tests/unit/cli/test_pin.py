"""A lock of pins that several commands change at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from factory.catalogue import PINNED_FAMILY
from factory.cli.common import replace_output
from factory.cli.pin import _rewrite
from factory.digest import Digest
from factory.errors import OutputError
from factory.host import read_host
from factory.image_facts import ImageFacts
from factory.images.pulled import Lock, PulledSpec, read_lock, render_lock
from factory.pins import Pin
from factory.tags import Interpreter, PlatformTag

COUNT = 24


def trial(minor: int) -> PulledSpec:
    facts = ImageFacts(
        name=f"python:3.{minor}-slim",
        family=PINNED_FAMILY,
        role="trial",
        platform=PlatformTag.parse("manylinux_2_36_x86_64"),
        interpreters=(Interpreter.parse(f"cp3{minor}"),),
    )
    return PulledSpec(facts=facts, pin=Pin("python", Digest(f"{minor:064x}"), f"3.{minor}-slim"))


def adding(spec: PulledSpec) -> Callable[[Lock | None], Lock]:
    return lambda before: (before or Lock(pins={}, origin="nothing")).with_trial(spec)


def test_no_line_is_lost_where_commands_pin_at_once(tmp_path: Path) -> None:
    path, host = tmp_path / "images.lock", read_host({"HOME": str(tmp_path)})
    path.write_text(render_lock(Lock(pins={}, origin="a test")))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda minor: _rewrite(path, host, adding(trial(minor))), range(10, 10 + COUNT)))

    assert len(read_lock(path).trials) == COUNT
    assert list(tmp_path.glob(".images.lock*")) == []


def test_what_is_written_over_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)

    replace_output(link, "new", hint="none")

    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)


def test_what_cannot_be_written_is_named_as_the_user_named_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"absent/images\.lock cannot be written: No such file") as caught:
        replace_output(tmp_path / "absent/images.lock", "new", hint="name another file after -o")

    assert caught.value.hint == "name another file after -o"
    replace_output(Path("/dev/null"), "nothing", hint="none")
