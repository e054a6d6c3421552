"""What of a source tree cargo may see in a container with network."""

import tomllib

import pytest

from factory.errors import SourceError
from factory.resolve.cargo import FetchFolder, fetch_folder, usable_tokens, user_configuration
from tests.makers.sources import Files

LOCK = 'version = 3\n[[package]]\nname = "demo"\nversion = "1.0.0"\n'
FROM_CRATES_IO = LOCK + (
    '[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n'
)
FROM_GIT = LOCK + '[[package]]\nname = "b"\nversion = "1.0.0"\nsource = "git+https://host/b?tag=v1#0123456789"\n'
VENDORED = '[source.crates-io]\nreplace-with = "v"\n[source.v]\ndirectory = "vendor"\n'

HOSTILE = """
paths = ["/etc"]
include = ["other.toml"]
[alias]
fetch = "run"
[build]
rustc = "./evil"
rustc-wrapper = "./evil"
[target.x86_64-unknown-linux-gnu]
linker = "./evil"
runner = "./evil"
[env]
LD_PRELOAD = "./evil.so"
[net]
git-fetch-with-cli = true
[credential-alias]
mine = ["./evil"]
[source.crates-io]
replace-with = "mine"
[source.mine]
registry = "sparse+https://mirror/index/"
[registries.corp]
index = "sparse+https://corp/index/"
token = "secret"
credential-provider = ["./evil"]
[registry]
default = "corp"
token = "secret"
credential-provider = "./evil"
global-credential-providers = ["./evil"]
"""
HARMLESS = {
    "source": {"crates-io": {"replace-with": "mine"}, "mine": {"registry": "sparse+https://mirror/index/"}},
    "registries": {"corp": {"index": "sparse+https://corp/index/"}},
    "registry": {"default": "corp"},
}


def contents(folder: FetchFolder) -> dict[str, bytes]:
    return {str(file.path): file.content for file in folder.files}


def cut(files: dict[str, str], manifest: str = "Cargo.toml") -> FetchFolder:
    return fetch_folder(Files({manifest: "", **files}), manifest)


def test_the_folder_holds_manifests_locks_and_empty_sources_only() -> None:
    folder = cut(
        {
            "Cargo.lock": LOCK,
            "src/lib.rs": "include_str!(...)",
            "build.rs": "fn main() {}",
            "member/Cargo.toml": "[package]",
            "rust-toolchain": "nightly",
            "rust-toolchain.toml": "",
            "README.md": "",
            "setup.py": "",
            ".cargo/credentials.toml": "",
            "vendor/a/.cargo-checksum.json": "{}",
        }
    )

    assert contents(folder) == {
        "Cargo.toml": b"",
        "Cargo.lock": LOCK.encode(),
        "src/lib.rs": b"",
        "build.rs": b"",
        "member/Cargo.toml": b"[package]",
        "vendor/a/.cargo-checksum.json": b"{}",
    }


@pytest.mark.parametrize("path", [".cargo/config.toml", ".cargo/config", "deep/down/.cargo/config.toml"])
def test_of_a_configuration_only_what_says_where_crates_come_from_survives(path: str) -> None:
    folder = cut({path: HOSTILE})

    assert tomllib.loads(contents(folder)[path].decode()) == HARMLESS


def test_the_users_own_configuration_is_cut_in_the_same_way() -> None:
    assert tomllib.loads(user_configuration(HOSTILE.encode()).content.decode()) == HARMLESS


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[registries.my-corp]\nindex = "sparse+https://me:s3cr3t@corp/index/"', "registries.my-corp"),
        ('[registries.my-corp]\nindex = "https://s3cr3t@corp/index"', "registries.my-corp"),
        ('[source.mirror]\nregistry = "ssh://me:s3cr3t@corp/index"', "source.mirror"),
    ],
)
def test_credentials_in_a_users_url_are_refused_and_not_repeated(text: str, place: str) -> None:
    with pytest.raises(SourceError) as caught:
        user_configuration(text.encode())

    assert f"[{place}]" in caught.value.message
    assert "CARGO_REGISTRIES_M" in caught.value.hint
    assert "s3cr3t" not in caught.value.message + caught.value.hint


def test_a_user_name_for_ssh_is_no_secret() -> None:
    assert user_configuration(b'[registries.corp]\nindex = "ssh://git@corp/index"').registries == {
        ("CORP", "ssh://git@corp/index")
    }


def test_a_token_goes_to_the_index_that_the_user_names_and_to_no_other() -> None:
    users = user_configuration(b'[registries.my-corp]\nindex = "sparse+https://corp/"\n').registries
    tokens = {"MY_CORP": "word", "ELSEWHERE": "other"}

    def usable(configuration: str) -> dict[str, str]:
        return dict(usable_tokens(tokens, users, cut({".cargo/config.toml": configuration}).registries))

    assert usable("") == {
        "CARGO_REGISTRIES_MY_CORP_TOKEN": "word",
        "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS": "cargo:token",
    }
    assert usable('[registries.my-corp]\nindex = "sparse+https://corp/"\n') == usable("")
    assert usable('[registries.my_corp]\nindex = "sparse+https://thief/"\n') == {}
    assert usable('[registries.elsewhere]\nindex = "sparse+https://thief/"\n') == usable("")


@pytest.mark.parametrize("scheme", ["http", "sparse+http", "HTTP", "sparse+HTTP"])
def test_a_token_never_leaves_this_machine_by_plain_http(scheme: str) -> None:
    def index_at(address: str) -> str:
        return f'[registries.corp]\nindex = "{scheme}://{address}/index/"\n'

    near, far = (user_configuration(index_at(where).encode()).registries for where in ("127.0.0.1:80", "corp"))

    assert usable_tokens({"CORP": "word"}, near, near)
    assert usable_tokens({"OTHER": "word"}, far, far) == {}
    with pytest.raises(
        SourceError, match="CORP of your cargo configuration has a token, but its index uses plain http"
    ):
        usable_tokens({"CORP": "word"}, far, far)


@pytest.mark.parametrize("text", ['"', "\\", "\n", "\x7f", "é", "😀", "]", " = ", "\t"])
def test_names_and_values_survive_whatever_they_hold(text: str) -> None:
    table = {"source": {text: {"registry": text}}}
    quoted = "".join(f"\\U{ord(letter):08x}" for letter in text)

    cut_down = user_configuration(f'[source."{quoted}"]\nregistry = "{quoted}"\n'.encode())

    assert tomllib.loads(cut_down.content.decode()) == table


def test_a_configuration_that_is_no_toml_is_named() -> None:
    with pytest.raises(SourceError, match=r"\.cargo/config\.toml is not valid TOML"):
        cut({".cargo/config.toml": "[[["})


@pytest.mark.parametrize("path", [".cargo/config.toml", "Cargo.lock", "Cargo.toml"])
def test_what_is_nested_too_deep_is_named(path: str) -> None:
    """An array 20 000 deep ended the run with a RecursionError."""
    with pytest.raises(SourceError, match=f"{path} is nested too deep"):
        cut({path: "a=" + "[" * 20_000})


def test_a_file_larger_than_any_manifest_is_not_copied() -> None:
    with pytest.raises(SourceError, match=r"vendor/a/Cargo\.toml has 5000000 bytes"):
        cut({"vendor/a/Cargo.toml": "#" * 5_000_000})


def test_manifests_that_are_too_large_together_are_not_copied() -> None:
    with pytest.raises(SourceError, match="67108864 bytes together"):
        cut({f"vendor/{name}/.cargo-checksum.json": " " * 4_000_000 for name in range(20)})


@pytest.mark.parametrize(
    ("lock", "configuration", "expected"),
    [
        pytest.param(None, "", True, id="no lock"),
        pytest.param(LOCK, "", False, id="no crates"),
        pytest.param(FROM_CRATES_IO, "", True, id="crates from the registry"),
        pytest.param(FROM_CRATES_IO, VENDORED, False, id="all vendored"),
        pytest.param(
            FROM_CRATES_IO,
            '[source.crates-io]\nreplace-with = "m"\n[source.m]\nregistry = "https://m"\n',
            True,
            id="a mirror",
        ),
        pytest.param(
            FROM_CRATES_IO,
            '[source.crates-io]\nreplace-with = "x"\n[source.x]\nreplace-with = "crates-io"\n',
            True,
            id="a circle",
        ),
        pytest.param(FROM_CRATES_IO + FROM_GIT.removeprefix(LOCK), VENDORED, True, id="a repository beside"),
        pytest.param(
            FROM_GIT,
            VENDORED + '[source.b]\ngit = "https://host/b"\ntag = "v1"\nreplace-with = "v"\n',
            False,
            id="a vendored repository",
        ),
    ],
)
def test_a_fetch_is_needed_where_the_project_lacks_a_crate(
    lock: str | None, configuration: str, expected: bool
) -> None:
    files = {".cargo/config.toml": configuration} | ({} if lock is None else {"Cargo.lock": lock})

    assert cut(files).needs_network is expected


@pytest.mark.parametrize(
    ("files", "manifest", "expected"),
    [
        pytest.param({}, "Cargo.toml", "Cargo.lock", id="at the root"),
        pytest.param({}, "rust/Cargo.toml", "rust/Cargo.lock", id="below, alone"),
        pytest.param({"Cargo.toml": "[workspace]"}, "rust/Cargo.toml", "Cargo.lock", id="a workspace above"),
        pytest.param({"Cargo.toml": "[package]"}, "rust/Cargo.toml", "rust/Cargo.lock", id="a package above"),
        pytest.param(
            {"rust/Cargo.toml": "[package]\nworkspace = '../ws'"}, "rust/Cargo.toml", "ws/Cargo.lock", id="a named one"
        ),
        pytest.param(
            {"rust/Cargo.toml": "[package]\nworkspace = '../..'"}, "rust/Cargo.toml", "rust/Cargo.lock", id="outside"
        ),
        pytest.param(
            {"rust/Cargo.toml": "[package]\nworkspace = '..'"}, "rust/Cargo.toml", "Cargo.lock", id="a named root"
        ),
    ],
)
def test_the_lock_lies_at_the_workspaces_root(files: dict[str, str], manifest: str, expected: str) -> None:
    assert cut(files, manifest).lock_paths == (expected,)


def test_the_command_fetches_for_every_target_from_the_folders_own_root() -> None:
    folder = cut({}, "rust/Cargo.toml")

    assert folder.commands(locked=True) == (("cargo", "fetch", "--locked", "--manifest-path", "rust/Cargo.toml"),)
    assert folder.commands(locked=False) == (("cargo", "fetch", "--manifest-path", "rust/Cargo.toml"),)


def test_crates_that_share_no_workspace_are_fetched_one_after_the_other() -> None:
    files = {"one/Cargo.toml": "", "two/Cargo.toml": "", "one/Cargo.lock": LOCK, "two/Cargo.lock": FROM_GIT}

    folder = fetch_folder(Files(files), "one/Cargo.toml", "two/Cargo.toml")

    assert [command[-1] for command in folder.commands(locked=True)] == ["one/Cargo.toml", "two/Cargo.toml"]
    assert folder.lock_paths == ("one/Cargo.lock", "two/Cargo.lock")
    assert folder.needs_network


def test_what_cargo_cannot_see_does_not_change_the_digest() -> None:
    one = cut({"Cargo.lock": LOCK, "src/lib.rs": "one"})
    other = cut({"Cargo.lock": LOCK, "src/lib.rs": "other", "README.md": "x"})
    third = cut({"Cargo.lock": FROM_GIT, "src/lib.rs": "one"})

    assert one.digest == other.digest
    assert one.digest != third.digest
