import grimp
import pytest

from factory.audit.identity import ROOMS, gate_identity, sources_of
from factory.errors import InternalError

JUDGE_NOTHING = {
    "codec": "writes keys, and decides nothing",
    "digest": "counts SHA-256 and decides nothing; the wheel's own digest is in the key",
    "errors": "stops a run, in which nothing is judged",
}


def test_the_gates_identity_names_all_that_the_gate_imports() -> None:
    imports = grimp.build_graph("factory", cache_dir=None)
    modules = {"factory.audit", "factory.wheel"}

    for room in ("factory.audit", "factory.wheel"):
        modules |= imports.find_upstream_modules(room, as_package=True)

    rooms = {module.split(".")[1] for module in modules}
    assert rooms == {*ROOMS, *JUDGE_NOTHING}


def test_a_missing_room_is_an_error() -> None:
    with pytest.raises(InternalError, match="the gate's identity names renamed, which is not in the factory"):
        list(sources_of(["audit", "renamed"]))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_code(room: str) -> None:
    assert any(sources_of([room]))


def test_the_identity_is_the_same_when_it_is_asked_again() -> None:
    first = gate_identity()

    gate_identity.cache_clear()

    assert gate_identity() == first
