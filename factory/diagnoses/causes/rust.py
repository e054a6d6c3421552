"""What cargo, rustc, PyO3 and maturin refuse."""

from typing import Final

from factory.diagnoses.causes.cause import UPWARD, cause

_RUST: Final = "ask for a newer Rust, build: {toolchain: {rust: stable}}, or use a release that works with this one"

CAUSES: Final = (
    cause(
        r"^error: rustc (?P<has>[\d.]{1,20}) is not supported by the following package[^\n]{0,9}\n"
        r"[ \t]{0,9}(?P<wanted>[^\n]{1,100}? requires rustc [\d.]{1,20})",
        says="$wanted; the image has rustc $has",
        hint=_RUST,
    ),
    cause(
        r"^[ \t]{0,9}(?P<said>this version of Cargo is older than the `\d{4}` edition)",
        says="$said",
        hint=_RUST,
    ),
    cause(
        r"^error: current package believes it's in a workspace when it's not:\ncurrent:[^\n]{1,300}\n"
        r"workspace:[ \t]{1,9}(?P<wanted>[^\n]{1,300})",
        says="cargo: current package believes it's in a workspace when it's not: $wanted does not list it",
        hint="let that Cargo.toml list it under members or exclude (patches)",
    ),
    cause(
        r"^[ \t]{0,9}(?P<said>failed to find a workspace root)",
        says="cargo: $said: the crate takes settings from a workspace that the source does not hold",
        hint=UPWARD,
    ),
    cause(
        r"^error: failed to get `(?P<wanted>[^`\n]{1,100})` as a dependency[\s\S]{0,600}?failed to read "
        r"`(?P<file>[^`\n]{1,300})`\s{1,20}Caused by:\s{1,20}No such file",
        says="cargo: the crate $wanted should be at $file, which the source does not hold",
        hint=UPWARD,
    ),
    cause(
        r"^error: (?P<said>the configured Python interpreter version \([\d.]{1,9}\) is newer than PyO3's maximum "
        r"supported version \([\d.]{1,9}\))",
        r"^[ \t]{1,9}error: (?P<said>the configured Python interpreter version \([\d.]{1,9}\) is newer than PyO3's "
        r"maximum supported version \([\d.]{1,9}\))",
        says="PyO3: $said",
        hint="use a release with a newer PyO3, or leave the interpreter out of `interpreters`",
    ),
    cause(
        r"error\[E0463\]: (?P<said>can't find crate for `std`)[\s\S]{0,300}?the `(?P<wanted>[\w-]{1,60})` target",
        says="Rust: $said of $wanted",
        hint="the image's Rust compiles for its own platform alone: do not name another target in build: {env: …}",
    ),
    cause(
        r"error\[E0554\]: (?P<said>`#!\[feature\]` may not be used on the stable release channel)",
        hint='build: {env: {RUSTC_BOOTSTRAP: "1"}} allows it, or use a release without it',
    ),
    cause(
        r"💥 maturin failed\n[ \t]{1,9}Caused by: (?P<said>manifest path `[^`\n]{1,200}` does not exist or is invalid)",
        hint="is the source the right folder? source: {subdir: …} names another",
    ),
)
