"""Which file is taken where, by rules that installers share; tests/contract asks uv and pip themselves."""

import pytest

from factory.coverage.choice import Coverage, Offer, Taken, coverage
from factory.untrusted import UntrustedTextError


def covered(*filenames: str, requires_python: str = "", machines: tuple[str, ...] = ()) -> Coverage:
    (release,) = coverage([Offer(filename=name, requires_python=requires_python) for name in filenames], machines)
    return release


def at(release: Coverage, interpreter: str, platform: str = "manylinux_2_28_x86_64") -> Taken:
    (taken,) = (t for t in release.taken if (t.interpreter, t.platform) == (interpreter, platform))
    return taken


def tagged(*tags: str) -> list[str]:
    return [f"demo-1.0-{tag}.whl" for tag in tags]


def test_a_wheel_serves_its_libc_and_newer_ones_of_its_machine_and_no_other() -> None:
    release = covered(*tagged("cp313-cp313-manylinux_2_34_x86_64"))

    kinds = {taken.platform: taken.kind for taken in release.taken if taken.interpreter == "cp313"}
    assert [platform for platform, kind in kinds.items() if kind == "wheel"] == [
        f"manylinux_2_{minor}_x86_64" for minor in (34, 35, 36, 39, 41)
    ]


@pytest.mark.parametrize(
    ("interpreter", "tag"),
    [
        ("cp39", "cp39-abi3"),
        ("cp314", "cp39-abi3"),
        ("cp314t", "cp314-cp314t"),
        ("cp315", "cp315-abi3.abi3t"),
        ("cp315t", "cp315-abi3.abi3t"),
    ],
)
def test_the_stable_abi_serves_its_floor_and_newer_and_abi3t_both_builds(interpreter: str, tag: str) -> None:
    release = covered(
        *tagged(*(f"{t}-manylinux_2_28_x86_64" for t in ("cp39-abi3", "cp314-cp314t", "cp315-abi3.abi3t")))
    )

    assert at(release, interpreter).filename == f"demo-1.0-{tag}-manylinux_2_28_x86_64.whl"


def test_where_no_wheel_fits_the_sdist_is_taken() -> None:
    release = covered(*tagged("cp313-cp313-manylinux_2_28_x86_64"), "demo-1.0.tar.gz")

    assert at(release, "cp313").kind == "wheel"
    assert at(release, "cp313t") == Taken(
        interpreter="cp313t", platform="manylinux_2_28_x86_64", kind="sdist", filename="demo-1.0.tar.gz"
    )


def test_without_an_sdist_nothing_is_taken_and_requires_python_excludes_for_its_own_reason() -> None:
    release = covered(*tagged("cp313-cp313-manylinux_2_28_x86_64"), requires_python=">=3.12")

    assert at(release, "cp314").kind == "nothing"
    assert at(release, "cp311").kind == "excluded"


def test_an_sdist_has_the_requires_python_that_all_wheels_share() -> None:
    wheel = Offer(filename="demo-1.0-py3-none-any.whl", requires_python=">=3.12")
    (release,) = coverage([wheel, Offer(filename="demo-1.0.tar.gz")])

    assert at(release, "cp39").kind == "excluded"


def test_of_two_builds_the_higher_number_is_taken_and_the_other_nowhere() -> None:
    names = ("demo-1.0-9-py3-none-any.whl", "demo-1.0-10-py3-none-any.whl", "demo-1.0-py3-none-any.whl")

    release = covered(*names)

    assert {taken.filename for taken in release.taken} == {"demo-1.0-10-py3-none-any.whl"}
    assert release.idle == ("demo-1.0-9-py3-none-any.whl", "demo-1.0-py3-none-any.whl")


def test_what_is_for_another_system_or_interpreter_is_not_called_idle() -> None:
    release = covered(*tagged("cp313-cp313-win_amd64", "pp311-pypy311_pp73-manylinux_2_28_x86_64", "py3-none-any"))

    assert release.idle == ()


def test_machines_that_a_wheel_names_are_looked_at_besides_the_usual_ones() -> None:
    tags = ("cp313-cp313-manylinux_2_39_riscv64", "cp313-cp313-linux_armv7l", "cp313-cp313-win_amd64")

    def machines(release: Coverage) -> list[str]:
        return list(dict.fromkeys(taken.platform.split("_", 3)[3] for taken in release.taken))

    assert machines(covered(*tagged(*tags))) == ["x86_64", "aarch64", "armv7l", "riscv64"]
    assert machines(covered(*tagged(*tags), machines=("riscv64",))) == ["riscv64"]


def test_each_release_is_looked_at_apart() -> None:
    names = ("demo-1.0-py3-none-any.whl", "demo-0.9-py3-none-any.whl", "Other-2-py3-none-any.whl")

    releases = coverage([Offer(filename=name) for name in names])

    assert [f"{release.name} {release.version}" for release in releases] == ["demo 0.9", "demo 1.0", "other 2"]


def test_a_file_that_is_neither_wheel_nor_sdist_is_refused() -> None:
    with pytest.raises(UntrustedTextError):
        covered("demo-1.0.exe")
