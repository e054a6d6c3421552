"""Removal of what runs left on an engine."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from factory.engine import posture
from factory.engine.run import EngineRun

_AT_ONCE: Final = 8
_CONTAINERS: Final = frozenset({"container", "keeper", "guard", "watcher"})


def sweep(run: EngineRun, is_doomed: Callable[[str], bool]) -> int:
    """Remove the containers, volumes and networks of this owner whose run id is doomed; return how many containers."""
    mine = posture.label_filter(owner=run.owner)
    containers = _doomed(run.client.containers(mine), _CONTAINERS, is_doomed)
    volumes = _doomed(run.client.volumes(mine), {"workspace"}, is_doomed)
    networks = _doomed(run.client.networks(mine), {"network"}, is_doomed)
    # Containers go first, because the engine removes no volume or network that a container uses.
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # one after the other, a run's end would take seconds
        list(pool.map(run.remove_container, containers))
        list(pool.map(run.remove_volume, volumes))
        list(pool.map(run.remove_network, networks))
    return len(containers)


def _doomed(
    labelled: Mapping[str, Mapping[str, str]], kinds: set[str] | frozenset[str], is_doomed: Callable[[str], bool]
) -> list[str]:
    """Pick by kind and run. A user's own container of an image of ours inherits the image's owner, not these."""
    return [
        name
        for name, labels in labelled.items()
        if posture.label_of(labels, "kind") in kinds and is_doomed(posture.label_of(labels, "run"))
    ]
