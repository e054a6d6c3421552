"""Programs whose bytes are in keys: an edit makes every user's store build, load or try all wheels again.

A digest here changes together with the number of the stage or of the bundle's layout, and with a line in CHANGELOG.
"""

from typing import cast

from factory.digest import Digest
from factory.steps import trial_python
from factory.store import Store
from factory.tags import Interpreter
from factory.tool_bundle import ToolBundle
from factory.trials.load import load_steps

OURS = ToolBundle(files=(), store=cast("Store", None))
"""What the tool bundle holds of our own; its wheels are named by tools.lock."""


def test_our_programs_in_the_tool_bundle_have_the_names_and_bytes_that_keys_know() -> None:
    assert {str(entry.path): (Digest.of(entry.content).hex, entry.mode) for entry in OURS.entries()} == {
        "ccache.sh": ("688e66e1bcf147301401d891b74afd400deb5bbdbb1882cdc5a403fa460c87e2", 0o755),
        "environment.sh": ("ff3bee20198f0037efee3ab1487d0ef36afeed4f76b515d5aa126b4275cafdf7", 0o644),
        "frontend.py": ("b23d02c0e4e46a28ecc87c3282e89f5e3f72cac8c18c48ed2a24d3120ef045e3", 0o644),
        "preprocessor.sh": ("be2f1995ae4994fa29a0d6c1b45d66d987ab953846e70f9950b538f0e30af35a", 0o644),
        "trying.py": ("3fda6ce2fe3a693f1ffc14e08f1eef6e2760037b8060aa4936f32d262c4b7ffe", 0o644),
    }


def test_the_tool_bundles_digest_is_the_one_that_keys_know() -> None:
    assert OURS.digest.hex == "f03ae652f5bbcadff8770db63ce5d276113f6618dacfdf3feb3a207e39be02c9"


def test_the_program_that_asks_a_loader_is_the_one_that_keys_know() -> None:
    _, load = load_steps("demo-1.0-cp313-cp313-linux_x86_64.whl", [], trial_python(Interpreter(13)))

    assert load.argv[:4] == ("/usr/bin/python3.13", "-I", "-c", load.argv[3])
    assert Digest.of(load.argv[3].encode()).hex == "95fb162f3cd0300c1c10c6581f63daaeb53ca25adcb35033509abdf4d282463b"
