"""The key documents of every stage, as recorded in tests/data/keys.

`python -m tests.doubles.keys` records them anew. A document that changed makes every user's results of its stage anew:
read the diff, and raise the stage's version if that is meant.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from types import MappingProxyType

from factory.codec import JSON
from factory.digest import Artifact, Digest
from factory.images.contents import Contents
from factory.images.interpreters import Packed
from factory.images.spec import declared_specs
from factory.keys import canonical, key
from factory.stages.rust import with_rust
from factory.stages.userland import with_userland
from factory.store.entry import LedgerEntry
from factory.tool_bundle import ToolBundle
from tests.doubles.projects import (
    EMBEDS,
    HASHES,
    LOCAL,
    NEEDY,
    PINNED,
    PLAIN,
    STABLE,
    TARGETS,
    WORDS,
    compiles,
    instead,
)
from tests.doubles.run import World, make_world
from tests.makers.index import serve_index
from tests.makers.network import LOOPBACK, serving
from tests.makers.rust_dist import add_tiny, serve_rust

DATA = Path(__file__).parents[1] / "data/keys"
BUNDLE = DATA / "tool-bundle"
ENGINE = DATA / "in-the-engine.json"
_RELEASES = ("rust-release", "rust-component")
_OLDER = "older-wheel"
HERE = ("interpreter", "interpreter-moved", "interpreter-source", "sought-files", _OLDER, *_RELEASES)
"""Stages whose work starts a program or a server on this machine."""

CHANGED = (
    "the key document of {stage} changed: every user's results of it are made again; raise its version if that is "
    "meant, and record it by `python -m tests.doubles.keys`"
)

_RELEASED = HASHES.replace("locked: false", "locked: false, toolchain: {rust: '1.89.0'}")
_AGAINST = f"{PLAIN}audit: {{against: {{}}}}\n"
_INDEX = bytes.fromhex(
    "1f8b08000000000002032b2d2ed2cfcc4bce294d49d52fcf2f4a29d6cb50c8c94c4a492d4bcdd10732c062ba402e17006182e3ef2a000000"
)
"""One line, `usr/include/words.h libdevel/libwords-dev`, as gzip packed it once: every zlib packs otherwise."""

_OURS: Mapping[str, Mapping[str, JSON]] = MappingProxyType(
    {
        "audit": {"gate": "the identity of the gate's code"},
        _OLDER: {"indexes": "where the indexes are"},
        "contents": {"code": "the identity of the code that reads wheels"},
        "manifests": {"code": "the identity of the code that reads manifests"},
        "project": {"code": "the identity of the code that reads projects"},
        "tree": {"code": "the identity of the code that reads sources", "sha256": "that of an sdist, packed by zlib"},
        "rust": {"made of": "the digest of the bundle's data files"},
        "rust-release": {"server": "where a server here answers"},
        "rust-component": {"sha256": "the digest of a component, which every xz packs otherwise"},
        "rust-std": {"made of": "the digest of the bundle's data files"},
        "rust-std-compiled": {"made of": "the digest of the library's data files"},
        "interpreter-moved": {"made of": "the digest of the helpers"},
        "userland": {"script": "the script that unpacks it", "made of": "the digest of the helpers"},
    }
)
"""What depends on the factory's own code or data files, and may change with them."""


class _Folder(SimpleHTTPRequestHandler):
    """Serves a folder, and prints nothing."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def made(work: Callable[[World], object], **more: str) -> Mapping[str, list[JSON]]:
    """Work in an empty world, and return what its store remembers then, as it is recorded.

    `more` are variables of the environment.
    """
    with make_world(None, **more) as world:
        work(world)
        remembered = world.remembered()
    ordered = {
        stage: sorted(entries, key=lambda entry: canonical(entry.document)) for stage, entries in remembered.items()
    }
    return {stage: [_written(stage, entry) for entry in entries] for stage, entries in ordered.items()}


def carry_out_all(world: World) -> None:
    """Carry out recipes that together reach every stage of a run, and have images that are asked what they hold."""
    world.engine.commands = instead("build", compiles("core.c"), of="plain")
    world.run(WORDS, HASHES, PLAIN, STABLE, EMBEDS, TARGETS)
    world.planned(LOCAL)
    world.planned(PINNED)
    world.install_emulator()
    world.run(STABLE)
    pin = world.serve()
    world.pulled(pin)
    world.pinned(pin)
    world.sdists["docopt"] = ()
    world.run(NEEDY)
    fit_for_other_targets(world)


def fit_for_other_targets(world: World) -> None:
    """Bring to images what cells for aarch64 and for Windows, and trials on aarch64, need; Windows has amd64."""
    world.install_emulator("aarch64")
    suite = next(spec.facts for spec in declared_specs() if spec.facts.name == "trial-bullseye")
    world.images = (*world.images, suite)
    made = world.store.put_bytes(bytes(10_240), "made.tar")
    world.answers[Packed] = Packed(tar=made, manifest=made)
    with world.recorder() as recorder:
        services = world.services(recorder)
        builder = world.image(world.images[0].name)
        for machine in ("aarch64", "amd64"):
            with_rust(services, builder, machine)
        with_userland(services, world.image(suite.name), "aarch64", f"image:{suite.name}+aarch64")


def ask_a_mirror(world: World) -> None:
    """Ask which packages hold a file, of a mirror that a server here plays."""
    folder = world.folder / "mirror/dists/bullseye"
    (folder / "main").mkdir(parents=True)
    (folder / "main/Contents-amd64.gz").write_bytes(_INDEX)
    (folder / "InRelease").write_text(f"SHA256:\n {Digest.of(_INDEX).hex} 1 main/Contents-amd64.gz\n")
    with serving(partial(_Folder, directory=str(folder.parents[1])), address=LOOPBACK) as port:  # type: ignore[arg-type] # it is called like one
        here = replace(world.host, apt_mirror=f"http://{LOOPBACK}:{port}", proxies={})
        contents = Contents(suite="bullseye", held=frozenset(), arch="x86_64", host=here, memory=world.memory())
        contents.find(["usr/include/words.h"], [])


def compile_one(world: World) -> None:
    """Compile an interpreter, and move another out of its suite; starts `sh` on this machine."""
    world.compile()
    world.compile("cp315")


def compare_with_older(world: World) -> None:
    """Compare a wheel with that of an older release, which the host's index has."""
    world.asks_index = True
    world.run(_AGAINST)


def made_here() -> Mapping[str, list[JSON]]:
    """Have the programs and servers of this machine make all that only they make."""
    with serve_rust() as rust:
        add_tiny(rust, "1.89.0")
        asked = made(lambda world: world.run(_RELEASED), RUSTUP_DIST_SERVER=rust.url)
    releases = {stage: asked[stage] for stage in _RELEASES}
    with serve_index() as index:
        index.add("plain", "0.9")
        older = made(compare_with_older, UV_DEFAULT_INDEX=f"{index.url}/simple/")
    return {**made(compile_one), **made(ask_a_mirror), **releases, _OLDER: older[_OLDER]}


def bundle(world: World) -> str:
    """Name the tool bundle's layout and programs, with a wheel that changes with no release."""
    wheel = Artifact(filename="tool-1.0-py3-none-any.whl", digest=Digest.of(b"a tool"), size_bytes=6)
    return str(ToolBundle(files=(wheel,), store=world.store).digest)


def in_the_engine(world: World) -> JSON:
    """Carry the recipes out, and name what a next run looks for in the engine: volumes, and prepared images."""
    carry_out_all(world)
    prepared = world.engine.images({"wheel-factory.kind": "prepared"}).values()
    return {
        "volumes": sorted(_unowned(name, world) for name in world.engine.volumes),
        "prepared images": [{name: _unowned(value, world) for name, value in labels.items()} for labels in prepared],
    }


def _unowned(text: str, world: World) -> str:
    owner = world.store.owner
    return text.replace(owner, "OWNER").replace(owner[:8], "OWNER")


def recorded(name: str) -> JSON:
    """Read what is recorded of a stage, or of the engine."""
    entries: JSON = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return entries


def recorded_inputs(stage: str) -> list[set[str]]:
    """Read the names of the inputs in each recorded document of a stage; none where nothing is recorded."""
    path = DATA / f"{stage}.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [set(entry["document"]["inputs"]) for entry in entries]


def _written(stage: str, entry: LedgerEntry) -> JSON:
    """Write a document with a fixed word for what is ours and changes, its digest, and the result's fields."""
    inputs = entry.document["inputs"]
    if not isinstance(inputs, dict):
        raise TypeError(f"the inputs of {stage} are not a table: {inputs!r}")
    document: dict[str, JSON] = {**entry.document, "inputs": {**inputs, **_OURS.get(stage, {})}}
    return {"digest": str(key(document)), "document": document, "result": _shape(entry.result)}


def _shape(value: JSON) -> JSON:
    """Return the names of a result's fields: one that has others is not read again, and made anew."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value[:1]]
    return "value"


def _rendered(value: JSON) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Record everything anew."""
    DATA.mkdir(exist_ok=True)
    entries = {**made(carry_out_all), **made_here()}
    for stage, documents in entries.items():
        (DATA / f"{stage}.json").write_text(_rendered(documents), encoding="utf-8")
    with make_world() as world:
        BUNDLE.write_text(f"{bundle(world)}\n", encoding="utf-8")
        ENGINE.write_text(_rendered(in_the_engine(world)), encoding="utf-8")


if __name__ == "__main__":
    main()
