"""The key documents of every stage, as recorded in tests/data/keys.

`python -m tests.doubles.keys` records them anew. A document that changed makes every user's results of its stage anew:
read the diff, and raise the stage's version if that is meant.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from factory.codec import JSON
from factory.digest import Artifact, Digest
from factory.keys import canonical, key
from factory.store.entry import LedgerEntry
from factory.tool_bundle import ToolBundle
from tests.doubles.projects import EMBEDS, HASHES, LOCAL, NEEDY, PINNED, PLAIN, STABLE, WORDS
from tests.doubles.run import World, make_world

DATA = Path(__file__).parents[1] / "data/keys"
BUNDLE = DATA / "tool-bundle"
ENGINE = DATA / "in-the-engine.json"
HERE = ("interpreter", "interpreter-moved", "interpreter-source")
"""Stages whose work starts a program on this machine."""

CHANGED = (
    "the key document of {stage} changed: every user's results of it are made again; raise its version if that is "
    "meant, and record it by `python -m tests.doubles.keys`"
)

_OURS: Mapping[str, Mapping[str, JSON]] = MappingProxyType(
    {
        "audit": {"gate": "the identity of the gate's code"},
        "rust": {"made of": "the digest of the bundle's data files"},
        "interpreter-moved": {"made of": "the digest of the helpers"},
    }
)
"""What depends on the factory's own code or data files, and may change with them."""


def made(work: Callable[[World], None]) -> Mapping[str, list[JSON]]:
    """Work in an empty world, and return what its store remembers then, as it is recorded."""
    with make_world() as world:
        work(world)
        remembered = world.remembered()
    ordered = {
        stage: sorted(entries, key=lambda entry: canonical(entry.document)) for stage, entries in remembered.items()
    }
    return {stage: [_written(stage, entry) for entry in entries] for stage, entries in ordered.items()}


def carry_out_all(world: World) -> None:
    """Carry out recipes that together reach every stage of a run, and have images that are asked what they hold."""
    world.run(WORDS, HASHES, PLAIN, STABLE, EMBEDS)
    world.planned(LOCAL)
    world.planned(PINNED)
    world.install_emulator()
    world.run(STABLE)
    pin = world.serve()
    world.pulled(pin)
    world.pinned(pin)
    world.sdists["docopt"] = ()
    world.run(NEEDY)


def compile_one(world: World) -> None:
    """Compile an interpreter, and move another out of its suite; starts `sh` on this machine."""
    world.compile()
    world.compile("cp315")


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
    entries = {**made(carry_out_all), **made(compile_one)}
    for stage, documents in entries.items():
        (DATA / f"{stage}.json").write_text(_rendered(documents), encoding="utf-8")
    with make_world() as world:
        BUNDLE.write_text(f"{bundle(world)}\n", encoding="utf-8")
        ENGINE.write_text(_rendered(in_the_engine(world)), encoding="utf-8")


if __name__ == "__main__":
    main()
