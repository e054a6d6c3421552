"""Which older wheel one is compared with."""

import pytest

from factory.comparison.counterpart import counterpart

LINUX, MUSL, ARM = "manylinux_2_17_x86_64", "musllinux_1_2_x86_64", "manylinux_2_17_aarch64"


@pytest.mark.parametrize(
    ("new", "olds", "chosen"),
    [
        (f"cp313-cp313-{LINUX}", [f"cp312-cp312-{LINUX}", f"cp313-cp313-{LINUX}", f"cp313-cp313t-{LINUX}"], 1),
        (f"cp313-cp313t-{LINUX}", [f"cp313-cp313-{LINUX}", f"cp314-cp314t-{LINUX}"], 1),
        (f"cp315-cp315-{LINUX}", [f"cp313-cp313-{LINUX}", f"cp314-cp314-{LINUX}"], 1),
        (f"cp313-cp313-{LINUX}", [f"cp39-abi3-{LINUX}", f"cp314-cp314-{LINUX}"], 0),
        (f"cp39-abi3-{LINUX}", [f"cp313-cp313-{LINUX}", f"cp39-cp39-{LINUX}"], 1),
        (f"cp313-cp313-{MUSL}", [f"cp313-cp313-{LINUX}", f"cp312-cp312-{MUSL}"], 1),
        ("cp313-cp313-manylinux_2_28_x86_64", [f"cp313-cp313-{ARM}", f"cp313-cp313-{LINUX}"], 1),
        ("cp313-cp313-linux_x86_64", [f"cp313-cp313-{LINUX}"], 0),
        ("py3-none-any", [f"cp313-cp313-{LINUX}", "py3-none-any"], 1),
        ("py3-none-any", [f"cp313-cp313-{LINUX}"], 0),
        (f"cp313-cp313-{LINUX}", [f"cp313-cp313-{ARM}", "cp313-cp313-win_amd64"], None),
        (f"cp313-cp313-{LINUX}", [], None),
    ],
)
def test_the_nearest_wheel_by_platform_and_then_by_interpreter_is_chosen(
    new: str, olds: list[str], chosen: int | None
) -> None:
    names = [f"demo-1.0-{tag}.whl" for tag in olds]

    assert counterpart(f"demo-1.1-{new}.whl", [*names, "demo-x.whl"]) == (None if chosen is None else names[chosen])
