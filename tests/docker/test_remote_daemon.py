"""An engine that is reached by TCP, as one on another machine is: nothing that is asked of it names a place here."""

import re

import pytest

from factory.host import Host
from tests.contract.relay import relayed_by_tcp
from tests.docker.command import CP313, Command
from tests.docker.projects import make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.index]


def test_a_recipe_builds_on_an_engine_that_shares_no_file_with_this_machine(command: Command, host: Host) -> None:
    if not host.docker.get("DOCKER_HOST", "unix://").startswith("unix://"):
        pytest.skip("the relay stands before an engine on a Unix socket only")
    recipe = command.recipe(make_c_project("remote"), test={"run": "python -c 'import remote'"})

    with relayed_by_tcp(host) as (relay, address):
        ended = command.build(recipe, env={"DOCKER_HOST": address})

    assert ended.code == 0, ended.stderr
    assert ended.statuses == {CP313: "passed"}
    assert ended.containers > 0
    created = re.findall(rb"POST /v[0-9.]+/containers/create", relay.heard)
    assert len(created) > ended.containers
    for place in (command.folder, command.store, command.store.parent):
        assert str(place).encode() not in relay.heard
    assert b'"Binds"' not in relay.heard
    assert {*re.findall(rb'"Type": ?"([a-z]+)", ?"Source"', relay.heard)} == {b"volume"}
