"""The network of a container that may use one: nobody else is in it, and some ranges cannot be reached from it.

A container of ours, the guard, makes the ranges unreachable before the other one is created in its network namespace.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Final

from factory.engine import posture
from factory.engine.client import Client
from factory.engine.output import CappedOutput, payloads
from factory.errors import EngineError
from factory.origins import BLOCKED

# Port 53 stays open: some hosts' only name server lies there. Private ranges stay: mirrors and proxies lie there.
_PYTHON: Final = 'for python in /usr/bin/python3*; do exec "$python" -I -c "$@"; done'
_CLOSING_S: Final = 30.0


def bridge(marks: Mapping[str, str]) -> posture.Json:
    """Describe a network of one container, its guard beside it: without IPv6, and without other containers."""
    return {
        "Driver": "bridge",
        "EnableIPv6": False,
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
        "Labels": dict(marks),
    }


def close_ranges(client: Client, guard: str) -> None:
    """Have the guard make the closed ranges unreachable in its network namespace.

    Raises:
        EngineError: it cannot; nothing may then run there.
    """
    program = Path(__file__).with_name("barrier.py").read_text(encoding="utf-8")
    argv = ["sh", "-c", _PYTHON, "guard", program, *BLOCKED]
    output = CappedOutput()
    deadline = monotonic() + _CLOSING_S
    with closing(client.execute(guard, argv, env=[], cwd="/", user=posture.ROOT)) as stream:
        for piece in payloads(lambda: stream.receive(1.0)):
            output.add(piece)
            if monotonic() > deadline:
                break
        state = client.exec_state(stream.exec_id)
    if state["Running"] or state["ExitCode"] != 0:
        said = output.text().strip()[-500:] or "its guard did not end in time"
        raise EngineError(
            f"cannot block link-local addresses for a container with network: {said}",
            hint="let the engine run containers with CAP_NET_ADMIN in a network namespace of their own",
        )
