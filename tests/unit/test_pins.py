"""An image named by digest."""

import pytest

from factory import codec
from factory.digest import Digest
from factory.pins import Pin

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "name", "tag"),
    [
        pytest.param(f"quay.io/pypa/manylinux_2_28_x86_64@sha256:{HEX}", "quay.io/pypa/manylinux_2_28_x86_64", ""),
        pytest.param(f"quay.io/pypa/image:2026.10.26-1@sha256:{HEX}", "quay.io/pypa/image", "2026.10.26-1"),
        pytest.param(f"127.0.0.1:5000/image@sha256:{HEX}", "127.0.0.1:5000/image", ""),
        pytest.param(f"localhost:5000/a/b/c:1@sha256:{HEX}", "localhost:5000/a/b/c", "1"),
        pytest.param(f"registry:5000/image@sha256:{HEX}", "registry:5000/image", ""),
        pytest.param(f"debian@sha256:{HEX}", "debian", ""),
    ],
)
def test_a_pin_is_its_text_and_is_asked_for_without_its_tag(text: str, name: str, tag: str) -> None:
    pin = Pin.parse(text)

    assert pin == Pin(name, Digest(HEX), tag)
    assert str(pin) == text
    assert pin.reference == f"{name}@sha256:{HEX}"
    assert codec.load(codec.dump(pin), Pin) == pin


@pytest.mark.parametrize(
    "text",
    [
        "quay.io/pypa/image",
        "quay.io/pypa/image:latest",
        f"quay.io/pypa/image@sha256:{HEX[1:]}",
        f"quay.io/pypa/image@sha256:{HEX.upper()}",
        f"quay.io/pypa/image@sha512:{HEX}",
        f"quay.io/pypa/Image@sha256:{HEX}",
        f"https://quay.io/pypa/image@sha256:{HEX}",
        f"quay.io/pypa/image@sha256:{HEX}\n",
        f"quay.io//image@sha256:{HEX}",
        f"@sha256:{HEX}",
        "",
    ],
)
def test_what_names_no_digest_is_no_pin(text: str) -> None:
    with pytest.raises(ValueError, match="not an image with its digest"):
        Pin.parse(text)
