"""What Rust calls the machines that wheels are made for."""

import pytest

from factory.machines import rust_target


@pytest.mark.parametrize(
    ("machine", "triple"),
    [
        pytest.param("x86_64", "x86_64-unknown-linux-gnu", id="a machine with glibc"),
        pytest.param("armv7l", "armv7-unknown-linux-gnueabihf", id="of 32 bits"),
        pytest.param("amd64", "x86_64-pc-windows-gnu", id="Windows"),
        pytest.param("aarch64-unknown-linux-musl", "aarch64-unknown-linux-musl", id="musl, by its triple"),
    ],
)
def test_what_is_compiled_for_has_a_triple(machine: str, triple: str) -> None:
    assert rust_target(machine) == triple
