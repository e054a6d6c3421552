"""The network of one container, from which some address ranges cannot be reached.

A container of ours, the firewall, blocks the ranges in its own network namespace; the other container is created in
that namespace afterwards.
"""

from collections.abc import Mapping
from contextlib import closing
from time import monotonic
from typing import Final

from factory.engine import posture
from factory.engine.api import ContainerSpec
from factory.engine.client import Client
from factory.engine.output import CappedOutput, payloads
from factory.engine.run import EngineRun
from factory.errors import EngineError
from factory.guests import program
from factory.origins import BLOCKED

# Port 53 stays open, since some hosts have no other name server; so do private ranges, for mirrors and proxies.
_PYTHON: Final = """\
for python in /usr/bin/python3* /usr/local/bin/python3* /opt/python/cp*/bin/python; do
    [ ! -x "$python" ] || exec "$python" -I -c "$@"
done
echo "its image has no Python"
exit 1
"""
_TIMEOUT_S: Final = 30.0


def open_network(run: EngineRun, spec: ContainerSpec, name: str, options: posture.ContainerOptions) -> str:
    """Make a network for the container of this name, and start its firewall; return the network mode that shares it.

    Raises:
        EngineError: the ranges cannot be blocked.
        Interrupted: the run was ended.
    """
    if spec.firewall is None:
        raise ValueError(f"{spec.label}: a container with network needs the image of its firewall")
    firewall = _firewall_of(name)
    run.client.create_network(bridge(run.labels(kind="network", label=spec.label)), name)
    marks = run.labels(kind="guard", label=spec.label)
    run.create_container(posture.firewall(spec.firewall, marks=marks, options=options, network=name), firewall)
    run.require_running()  # Whoever ended the run meanwhile may not have seen the firewall.
    run.client.start(firewall)
    _block_ranges(run.client, firewall)
    return f"container:{firewall}"


def close_network(run: EngineRun, name: str) -> None:
    """Remove a container's network with its firewall."""
    run.remove_container(_firewall_of(name))
    run.remove_network(name)


def bridge(marks: Mapping[str, str]) -> posture.Json:
    """Describe the network of one container and its firewall: without IPv6, and closed to other containers."""
    return {
        "Driver": "bridge",
        "EnableIPv6": False,
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
        "Labels": dict(marks),
    }


def _block_ranges(client: Client, firewall: str) -> None:
    """Have the firewall block the ranges in its network namespace.

    Raises:
        EngineError: they cannot be blocked; nothing may run there then.
    """
    argv = ["sh", "-c", _PYTHON, "guard", program("block_ranges.py"), *BLOCKED]
    output = CappedOutput()
    deadline = monotonic() + _TIMEOUT_S
    with closing(client.execute(firewall, argv, env=[], cwd="/", user=posture.ROOT)) as stream:
        for piece in payloads(lambda: stream.receive(1.0)):
            output.add(piece)
            if monotonic() > deadline:
                break
        state = client.exec_state(stream.exec_id)
    if state["Running"] or state["ExitCode"] != 0:
        reason = output.text().strip()[-500:] or "the rules were not in place in time"
        raise EngineError(
            f"cannot block link-local addresses for a container with network: {reason}",
            hint="let the engine run containers with CAP_NET_ADMIN in a network namespace of their own",
        )


def _firewall_of(container: str) -> str:
    return f"{container}-guard"
