"""What outlives a container is written by nobody's code but ours: docs/explanation/hostile-input.md lists each kind.

One recipe's `before-all` replaces whatever programs of ours could run in its image. Another recipe of the same store
must get the bytes that it gets without such a neighbour.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from tests.docker.command import Command, Ran, remove_all
from tests.docker.projects import make_c_project, make_rust_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

TABLE = Path(__file__).parents[2] / "docs/explanation/hostile-input.md"
MARK = "POISONED-BY-A-NEIGHBOUR"
TOKEN = "token-of-the-user-93c1"

POISON = f"""\
#!/bin/bash
[ -w /tools ] || [ -w /rust ] || [ -w /cargo ] || exit 0
find=$(command -v find.real || command -v find)
for folder in /tools /rust /cargo; do
    "$find" "$folder" -type f -writable 2>/dev/null | while read -r file; do echo "# {MARK}" >>"$file"; done
done
"""
EVERY_PROGRAM = f"""\
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void poison(void) {{
    if (getenv("{MARK}")) return;
    setenv("{MARK}", "1", 1);
    if (!access("/tools", W_OK) || !access("/rust", W_OK) || !access("/cargo", W_OK)) system("/poison");
}}
"""
REPLACED = "sleep sh cargo rustc find cp mkdir tar"
REPLACING = f"""\
set -e
replace() {{
    [ ! -e "$1.real" ] || return 0
    mv "$1" "$1.real"
    {{
        echo '#!/bin/bash'
        echo '(for round in 1 2 3 4 5 6 7 8 9 10 11 12; do /poison; read -rt 0.5 <> <(:) || :; done) >/dev/null 2>&1 &'
        echo 'echo "{MARK}: token ${{CARGO_REGISTRIES_CORP_TOKEN:-none}}" >&2'
        echo "exec -a \\"\\$0\\" $1.real \\"\\$@\\""
    }} >"$1"
    chmod 755 "$1"
}}
for python in /opt/_internal/*/bin/python3.*; do case $python in *config) ;; *) replace "$python" ;; esac; done
for program in {REPLACED}; do
    if found=$(command -v $program); then replace "$(readlink -f "$found")"; fi
done
echo /usr/lib/every.so >/etc/ld.so.preload
"""


def before_all() -> list[str]:
    """What a recipe does to its image: every program of ours that may run in it is another, and so is the loader."""
    seen = "env | tr 'a-z' 'A-Z' | sed 's/./& /g'"
    poison = f"cat >/poison <<'END'\n{POISON}END\nchmod 755 /poison"
    loaded = f"cat >/tmp/every.c <<'END'\n{EVERY_PROGRAM}END\ngcc -shared -fPIC -o /usr/lib/every.so /tmp/every.c"
    replaced = f"cat >/replace <<'END'\n{REPLACING}END\nbash /replace"
    return [seen, poison, loaded, replaced]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """The attacker's run, and what its neighbour got after it and without it."""

    attacker: Ran
    victim: Ran
    wheels: Mapping[str, bytes]
    expected: Mapping[str, bytes]
    command: Command
    quiet: Command


def victims(command: Command) -> list[Path]:
    crates = '[dependencies]\ncfg-if = "1"\n'
    return [
        command.recipe(make_c_project("innocent"), interpreters=("cp311", "cp313")),
        command.recipe(make_rust_project("rusty", cargo=crates, lock=""), build={"locked": False}),
    ]


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory, daemon: docker.DockerClient) -> Iterator[Attack]:
    home = tmp_path_factory.mktemp("cargo")
    (home / "config.toml").write_text('[registries.corp]\nindex = "sparse+https://corp.invalid/index/"\n')
    env = {"CARGO_HOME": str(home), "CARGO_REGISTRIES_CORP_TOKEN": TOKEN}
    commands = [
        Command(store=tmp_path_factory.mktemp("s") / "store", folder=tmp_path_factory.mktemp("f")) for _ in "12"
    ]
    attacked, quiet = commands
    crates = '[dependencies]\ncfg-if = "1"\n'
    hostile = [
        attacked.recipe(make_c_project("hostile"), build={"before-all": before_all()}),
        attacked.recipe(
            make_rust_project("corroded", cargo=crates, lock=""), build={"locked": False, "before-all": before_all()}
        ),
    ]
    attacker = attacked.build(*hostile, env=env)
    victim = attacked.build(*victims(attacked), "-o", "clean", env=env)
    quiet.build(*victims(quiet), "-o", "clean", env=env)
    yield Attack(
        attacker=attacker,
        victim=victim,
        wheels=wheels_of(attacked),
        expected=wheels_of(quiet),
        command=attacked,
        quiet=quiet,
    )
    for command in commands:
        remove_all(daemon, command.owner)


def wheels_of(command: Command) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((command.folder / "clean").glob("*.whl"))}


def test_a_neighbour_gets_the_bytes_that_it_gets_without_the_attacker(attack: Attack) -> None:
    assert attack.victim.code == 0, attack.victim.stderr
    assert len(attack.expected) == 3
    assert attack.wheels == attack.expected


def test_no_kept_volume_holds_anything_of_the_attackers(attack: Attack, daemon: docker.DockerClient) -> None:
    mine = [f"wheel-factory.owner={attack.command.owner}", "wheel-factory.kind=cache"]
    volumes = daemon.volumes.list(filters={"label": mine})

    kinds = {str(volume.name).split("-")[1] for volume in volumes}
    poisoned = [volume.name for volume in volumes if MARK.encode() in content_of(daemon, str(volume.name))]

    assert kinds >= {"tools", "crates"}
    assert poisoned == []


def test_the_table_lists_all_that_is_left(attack: Attack, daemon: docker.DockerClient) -> None:
    """What nobody listed, nobody vouches for."""
    mine = {"label": f"wheel-factory.owner={attack.command.owner}"}
    volumes = {f"volume `{str(volume.name).split('-')[1]}`" for volume in daemon.volumes.list(filters=mine)}
    images = {f"image `{image.labels['wheel-factory.kind']}`" for image in daemon.images.list(filters=mine)}
    files = {path.name for path in attack.command.store.iterdir()}

    rows = [line.split("|")[1].strip() for line in TABLE.read_text(encoding="utf-8").splitlines() if "|" in line]
    stored = {name for row in rows if row.startswith("store ") for name in re.findall(r"`(\w+)`", row)}

    assert volumes | images <= set(rows)
    assert files <= stored


def test_every_result_of_the_neighbours_is_what_it_is_without_the_attacker(attack: Attack) -> None:
    stages = ("resolve", "crates", "bytecode", "build", "repair", "audit")
    attacked, expected = (results(store, stages) for store in (attack.command.store, attack.quiet.store))

    assert {name.partition("/")[0] for name in expected} == set(stages)
    assert {name: attacked.get(name) for name in expected} == expected


def results(store: Path, stages: Collection[str]) -> dict[str, object]:
    entries = [path for stage in stages for path in (store / "ledger" / stage).glob("*.json")]
    return {f"{path.parent.name}/{path.stem}": json.loads(path.read_bytes())["result"] for path in entries}


def content_of(daemon: docker.DockerClient, volume: str) -> bytes:
    """Read a volume by way of a container that is never started."""
    keeper = daemon.images.list(filters={"label": "wheel-factory.kind=keeper"})[0]
    holder = daemon.containers.create(keeper, ["never"], volumes={volume: {"bind": "/kept", "mode": "rw"}})
    try:
        pieces, _ = holder.get_archive("/kept")
        return b"".join(pieces)
    finally:
        holder.remove()


def test_the_attack_is_one(attack: Attack) -> None:
    """Its programs did run: where its own wheel is built, they say so."""
    logs = evidence(attack.attacker)

    assert any(MARK in text for name, text in logs.items() if "crates" not in name)


def test_cargo_never_fetches_by_a_program_that_a_recipe_chose(attack: Attack) -> None:
    logs = evidence(attack.attacker)
    fetched = [text for name, text in logs.items() if name.endswith("-crates.log")]

    assert fetched
    assert all(MARK not in text for text in fetched)


def test_the_registrys_token_is_in_no_evidence_however_it_is_spelt(attack: Attack) -> None:
    spelt = [TOKEN, TOKEN.upper(), " ".join(TOKEN.upper())]

    logs = {**evidence(attack.attacker), "stderr": attack.attacker.stderr}

    assert [(name, form) for name, text in logs.items() for form in spelt if form in text] == []


def evidence(ran: Ran) -> dict[str, str]:
    assert ran.run is not None, ran.stderr
    folder = ran.folder / ran.run.folder
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace")
        for path in folder.rglob("*.*")
        if path.is_file()
    }
