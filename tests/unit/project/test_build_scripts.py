"""What build scripts ask of the machine that they run on."""

import pytest

from factory.project.build_scripts import host_questions
from tests.makers.sources import Files


def asked(**scripts: str) -> tuple[str, ...]:
    return host_questions(Files({f"{folder}/build.rs": text for folder, text in scripts.items()}))


@pytest.mark.parametrize(
    "line",
    [
        'if cfg!(target_arch = "x86_64") {',
        '#[cfg(target_arch = "x86_64")]',
        '#[cfg(all(unix, any(target_arch = "x86", target_arch = "x86_64")))]',
        "match std::env::consts::ARCH {",
        'if is_x86_feature_detected!("avx2") {',
        'if cfg!(target_pointer_width = "64") {',
    ],
)
def test_a_script_that_asks_for_its_own_machine_is_named_with_its_line(line: str) -> None:
    assert asked(spam=f"fn main() {{\n{line}\n") == ("spam/build.rs:2",)


@pytest.mark.parametrize(
    "line",
    [
        'env::var("CARGO_CFG_TARGET_ARCH"); // cfg!(target_arch) is the host',
        'if cfg!(target_arch = "x86_64") && env::var("CARGO_CFG_TARGET_ARCH").is_ok() {',
        "// cfg!(target_arch) would be wrong here",
        'if cfg!(feature = "simd") {',
    ],
)
def test_a_script_that_asks_cargo_or_only_mentions_it_is_not(line: str) -> None:
    assert asked(spam=f"fn main() {{\n{line}\n") == ()


def test_each_script_of_the_source_is_read_and_no_other_file() -> None:
    files = Files(
        {"build.rs": "env::consts::ARCH", "a/build.rs": "env::consts::ARCH", "src/lib.rs": "env::consts::ARCH"}
    )

    assert host_questions(files) == ("a/build.rs:1", "build.rs:1")
