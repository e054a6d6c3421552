"""What images declare, read from their data files without engine, process or network."""

from pathlib import Path

import pytest

from factory.errors import ImageError
from factory.images.contract import read_contract
from factory.images.known import spec_named
from factory.images.on_demand import on_demand_spec
from factory.images.spec import ImageSpec, data_folder, declared_specs, python, read_spec
from factory.machines import CONTAINER_MACHINES
from factory.tags import Interpreter, PlatformTag

MINIMAL = """
role = "trial"
platform = "manylinux_2_36_x86_64"
suite = "bookworm"
[interpreters]
cp311 = "bookworm"
[base]
packages = ["dash"]
[env]
LANG = "C.UTF-8"
"""


def test_the_look_alike_builds_what_every_trial_image_can_try() -> None:
    facts = [spec.facts for spec in declared_specs()]

    built = {each for image in facts if image.role == "build" for each in image.interpreters}
    tried = {each for image in facts if image.role == "trial" for each in image.interpreters}
    assert built == {Interpreter(minor) for minor in (9, 11, 13, 14)}
    assert tried == built | {*on_demand_spec().packed}


@pytest.mark.parametrize("machine", CONTAINER_MACHINES)
def test_each_interpreter_that_the_look_alike_holds_has_one_program_image(machine: str) -> None:
    specs = [spec for spec in declared_specs() if spec.facts.role == "program" and spec.facts.platform.arch == machine]

    held = [interpreter for spec in specs for interpreter in spec.facts.interpreters]
    assert sorted(held) == [Interpreter(minor) for minor in (9, 11, 13, 14)]
    assert all(set(spec.origins.values()) == {spec.suite} for spec in specs)
    assert all(f"python{held.version}-dev" in spec.packages for spec in specs for held in spec.facts.interpreters)


def test_the_base_that_takes_over_from_bullseye_takes_nothing_of_it_but_one_interpreter() -> None:
    spec = read_spec(data_folder() / "lookalike/manylinux_2_36_x86_64.toml")

    assert spec.suite == "bookworm"
    assert {str(each) for each, suite in spec.origins.items() if suite == "bullseye"} == {"cp39"}
    assert "bullseye" not in {spec.rust and spec.rust.suite, *spec.fallbacks}


@pytest.mark.parametrize("machine", CONTAINER_MACHINES)
def test_the_oldest_trial_image_is_no_newer_than_what_the_look_alike_promises(machine: str) -> None:
    facts = [spec.facts for spec in declared_specs() if spec.facts.platform.arch == machine]

    promised = [image.platform for image in facts if image.role == "build"]
    oldest = min(image.platform for image in facts if image.role == "trial")
    assert all(oldest.serves(platform) for platform in promised)


@pytest.mark.parametrize("spec", declared_specs(), ids=lambda spec: spec.facts.name)
def test_every_promise_is_kept_or_has_a_reason(spec: ImageSpec) -> None:
    promises = read_contract(spec)

    assert all((promise.check is None) != (promise.unkept is None) for promise in promises)
    assert all(promise.says for promise in promises)


@pytest.mark.parametrize("role", ["build", "trial", "program"])
def test_what_is_made_for_one_machine_is_made_for_the_other_with_the_same_interpreters(role: str) -> None:
    held = {
        machine: {
            (spec.facts.platform.policy, spec.facts.interpreters)
            for spec in declared_specs()
            if spec.facts.role == role and (spec.facts.platform.arch, spec.facts.platform.libc) == (machine, "glibc")
        }
        for machine in CONTAINER_MACHINES
    }

    assert held["x86_64"] == held["aarch64"] != set()


def test_an_image_for_another_machine_reads_as_if_its_file_were_written_for_it() -> None:
    build, trial = (
        next(spec for spec in declared_specs() if spec.facts.name == name)
        for name in ("lookalike-manylinux_2_31_aarch64", "trial-bullseye-aarch64")
    )

    assert (build.env["AUDITWHEEL_ARCH"], build.env["AUDITWHEEL_PLAT"]) == ("aarch64", "manylinux_2_31_aarch64")
    assert not any("x86_64" in pattern for pattern in build.without)
    assert str(trial.facts.platform) == "manylinux_2_31_aarch64"
    assert "x86_64" in trial.facts.machines, "x86_64's wheels are tried there by that machine's userland"
    assert "aarch64" not in trial.facts.machines


def test_a_file_that_names_a_machine_without_tools_is_refused(tmp_path: Path) -> None:
    text = MINIMAL.replace('suite = "', 'containers = ["s390x"]\nsuite = "', 1)
    path = write(tmp_path / "trial" / "bookworm.toml", text)

    with pytest.raises(ImageError, match="containers names s390x; there are tools for x86_64, aarch64"):
        read_spec(path)


def test_a_data_file_is_named_by_its_family_and_its_own_name(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path / "trial" / "bookworm.toml", MINIMAL))

    assert spec.facts.name == "trial-bookworm"
    assert spec.facts.platform == PlatformTag("glibc", 2, 36, "x86_64")
    assert spec.facts.rust is None
    assert str(python(spec.facts, Interpreter(11))) == "/usr/bin/python3.11"


def test_a_data_file_may_say_which_release_an_interpreter_is(tmp_path: Path) -> None:
    text = MINIMAL.replace("[base]", '[releases]\ncp311 = "3.11.2"\n[base]')

    facts = read_spec(write(tmp_path / "trial" / "bookworm.toml", text)).facts

    assert str(facts.release_of(Interpreter(11))) == "3.11.2"
    assert facts.release_of(Interpreter(12)) is None


def test_every_interpreter_of_a_released_suite_has_its_release_declared() -> None:
    for spec in declared_specs():
        told = {release.interpreter for release in spec.facts.releases}
        testing = {interpreter for interpreter, suite in spec.origins.items() if suite == "forky"}

        assert told == {*spec.facts.interpreters} - testing, spec.facts.name


def test_an_interpreter_of_a_build_image_lies_where_the_pypa_contract_says() -> None:
    facts = spec_named("lookalike-manylinux_2_31_x86_64").facts

    assert str(python(facts, Interpreter(13))) == "/opt/python/cp313-cp313/bin/python"


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        pytest.param('role = "trial"', 'role = "both"', id="unknown role"),
        pytest.param('suite = "bookworm"', "", id="no suite"),
        pytest.param("manylinux_2_36_x86_64", "manylinux2020_x86_64", id="no such platform"),
        pytest.param("cp311 =", "python311 =", id="no such interpreter"),
        pytest.param("[interpreters]", "[interpreter]", id="no interpreters"),
        pytest.param("[env]", "[environment]", id="no environment"),
        pytest.param("[base]", "[base", id="no TOML"),
        pytest.param("[base]", '[releases]\ncp313 = "3.13.5"\n[base]', id="a release of what it does not have"),
        pytest.param("[base]", '[releases]\ncp311 = "3.12.1"\n[base]', id="a release of another version"),
        pytest.param("[base]", '[releases]\ncp311 = "new"\n[base]', id="no release"),
    ],
)
def test_a_data_file_that_declares_no_image_is_named(tmp_path: Path, line: str, instead: str) -> None:
    path = write(tmp_path / "trial" / "bad.toml", MINIMAL.replace(line, instead))

    with pytest.raises(ImageError, match=r"bad\.toml(:| is) ") as caught:
        read_spec(path)

    assert str(path) in caught.value.message


def test_an_unknown_image_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ImageError, match="no image is called trial-buster") as caught:
        spec_named("trial-buster")

    assert "trial-bullseye" in caught.value.hint


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param('id = "a"\nsays = "b"', id="neither check nor reason"),
        pytest.param('id = "a"\nsays = "b"\ncheck = "true"\nunkept = "why"', id="both"),
        pytest.param('id = "a"\ncheck = "true"', id="says nothing"),
    ],
)
def test_a_promise_without_check_or_reason_is_refused(tmp_path: Path, entry: str) -> None:
    spec = read_spec(write(tmp_path / "trial" / "bookworm.toml", MINIMAL))
    write(tmp_path / "trial" / "contract.toml", f"[[promise]]\n{entry}\n")

    with pytest.raises(ImageError, match="needs id, says, and one of check and unkept"):
        read_contract(spec)


def test_two_promises_with_one_id_are_refused(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path / "trial" / "bookworm.toml", MINIMAL))
    write(tmp_path / "trial" / "contract.toml", '[[promise]]\nid = "a"\nsays = "b"\ncheck = "true"\n' * 2)

    with pytest.raises(ImageError, match="two promises have the same id"):
        read_contract(spec)


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize("days", ["0", "-1", '"long"', "1.5", "true"])
def test_a_delay_is_a_number_of_days(tmp_path: Path, days: str) -> None:
    text = (data_folder() / "trial/forky.toml").read_text().replace("forky = 180", f"forky = {days}")
    (tmp_path / "forky.toml").write_text(text)

    with pytest.raises(ImageError, match="not a number of days"):
        read_spec(tmp_path / "forky.toml")
