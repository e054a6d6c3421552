"""The real cargo against a registry of crates that has a bad day."""

from collections.abc import Callable
from pathlib import Path

import pytest

from factory.diagnoses.cargo import explain_cargo_failure
from factory.process import Completed
from factory.resolve.cargo import fetch_folder, usable_tokens, user_configuration
from tests.makers.cargo import CRATES_IO, cargo, require_cargo, write
from tests.makers.network import TOKEN, CrateFault, Registry, serve_registry
from tests.makers.sources import Files

PACKAGE = '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\n'

Trouble = Callable[[Registry], None]


@pytest.fixture(autouse=True, scope="module")
def _working_cargo(tmp_path_factory: pytest.TempPathFactory) -> None:
    require_cargo(tmp_path_factory.mktemp("cargo"))


def fetch(registry: Registry, folder: Path) -> Completed:
    """Fetch the crate `tiny` from a mirror of the public registry."""
    mirror = f'[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "{registry.index}"\n'
    files = {
        "Cargo.toml": f'{PACKAGE}tiny = "1"\n',
        "Cargo.lock": registry.lock("demo", "tiny", source=CRATES_IO),
        "src/lib.rs": "",
        ".cargo/config.toml": mirror,
    }
    fetched = fetch_folder(Files(files), "Cargo.toml")
    write(folder / "fetch", fetched)
    return cargo(folder / "fetch", *fetched.commands(locked=True)[0][1:], home=folder / "home")


def always(path: str, fault: CrateFault) -> Trouble:
    return lambda registry: registry.faults.update({path: [fault] * 50})


def lie(registry: Registry) -> None:
    registry.listed_sha256["tiny/1.0.0"] = "0" * 64


CHECKSUM = "the crate tiny 1.0.0 is not what {} checksum says"
UNREACHABLE = "the crates cannot be downloaded: "


@pytest.mark.parametrize(
    ("trouble", "kind", "sentence"),
    [
        pytest.param(
            always("/dl/", "500"), "network", UNREACHABLE + "failed to get successful HTTP", id="a crate, 500"
        ),
        pytest.param(always("/dl/", "truncated"), "network", UNREACHABLE + "[18] ", id="a crate, truncated"),
        pytest.param(
            always("/dl/", "redirect"), "network", UNREACHABLE + "[47] ", id="a crate, redirected without end"
        ),
        pytest.param(
            always("/dl/", "garbage"), "other", CHECKSUM.format("the registry's"), id="a crate that is a page"
        ),
        pytest.param(
            always("/dl/", "404"),
            "missing",
            "the crate registry does not have what its index lists: ",
            id="a crate, 404",
        ),
        pytest.param(lie, "lock", CHECKSUM.format("Cargo.lock's"), id="a listed checksum that lies"),
        pytest.param(always("ti/ny/tiny", "500"), "network", UNREACHABLE, id="the index, 500"),
        pytest.param(always("ti/ny/tiny", "truncated"), "network", UNREACHABLE + "[18] ", id="the index, truncated"),
        pytest.param(always("ti/ny/tiny", "redirect"), "network", UNREACHABLE + "[47] ", id="the index, redirected"),
        pytest.param(
            always("ti/ny/tiny", "404"),
            "missing",
            "the crate tiny is not in the configured registry",
            id="the index, 404",
        ),
        pytest.param(
            always("config.json", "garbage"),
            "other",
            "the crate registry's URL did not answer with a registry index: expected value at line 1 column 1",
            id="a login page",
        ),
        pytest.param(
            lambda registry: setattr(registry, "token", TOKEN),
            "other",
            "the crate registry requires a token; none is configured, or it was rejected",
            id="a closed registry",
        ),
    ],
)
def test_a_bad_day_is_reported_in_one_clause_and_the_next_fetch_completes(
    tmp_path: Path, trouble: Trouble, kind: str, sentence: str
) -> None:
    with serve_registry() as registry:
        registry.add("tiny")
        trouble(registry)
        ended = fetch(registry, tmp_path)
        registry.faults.clear()
        registry.listed_sha256.clear()
        registry.token = None
        again = fetch(registry, tmp_path / "again")  # what a fetch had begun that failed is removed

    explained = explain_cargo_failure(ended.stderr)
    assert ended.returncode != 0
    assert (explained.kind, explained.sentence[: len(sentence)]) == (kind, sentence)
    assert explained.hint
    assert "\n" not in explained.sentence
    assert again.returncode == 0, again.stderr


def test_a_token_opens_the_registry_that_the_user_names_and_no_thief_hears_it(tmp_path: Path) -> None:
    """cargo sends a registry's token to whatever index the project's configuration gives its name."""
    with serve_registry(token=TOKEN) as registry, serve_registry(token="another") as thief:
        registry.add("tiny")
        files = {
            "Cargo.toml": f'{PACKAGE}tiny = {{version = "1", registry = "corp"}}\n',
            "Cargo.lock": registry.lock("demo", "tiny"),
            "src/lib.rs": "",
        }
        users = user_configuration(f'[registries.corp]\nindex = "{registry.index}"\n'.encode())
        stealing = {".cargo/config.toml": f'[registries.corp]\nindex = "{thief.index}"\n'}
        codes = {}
        for name, more in (("honest", {}), ("thief", stealing)):
            fetched = fetch_folder(Files({**files, **more}), "Cargo.toml")
            write(tmp_path / name, fetched)
            home = tmp_path / f"{name}-home"
            home.mkdir()
            (home / "config.toml").write_bytes(users.content)
            env = usable_tokens({"CORP": TOKEN}, users.registries, fetched.registries)
            argv = fetched.commands(locked=name == "honest")[0][1:]
            codes[name] = cargo(tmp_path / name, *argv, home=home, env=env).returncode

    assert codes["honest"] == 0
    assert codes["thief"] != 0
    assert thief.asked, "it was asked"
    assert thief.authorizations == {None}, "it got none"
    assert TOKEN in registry.authorizations
