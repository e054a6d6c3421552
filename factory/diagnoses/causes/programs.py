"""Programs that the image lacks."""

from typing import Final

from factory.diagnoses.causes.cause import SUBMODULE, cause

CAUSES: Final = (
    cause(
        r"^(?:/bin/)?(?:ba)?sh: (?:line )?(?:\d{1,9}: )?(?P<wanted>[\w+-]{1,60}): (?:command )?not found$",
        r"^error: command '(?P<wanted>[\w+-]{1,60})' failed: No such file or directory",
        r"\[Errno 2\] No such file or directory: '(?P<wanted>[\w+-]{1,60})'$",
        r"^make(?:\[\d{1,9}\])?: (?P<wanted>[\w+-]{1,60}): No such file or directory$",
        r"^[^\n]{0,200}?ERROR: Program '(?P<wanted>[\w+-]{1,60})' not found or not executable",
        r"^[ \t]{0,20}is `(?P<wanted>[\w+-]{1,60})` not installed\?",
        r"Could not find `(?P<wanted>protoc)`",
        lacks="program",
    ),
    cause(
        r"\[Errno 2\] No such file or directory: '(?P<wanted>[^'\n]{1,200})'$",
        hint=SUBMODULE,
    ),
    cause(
        r"^Can't locate (?P<wanted>[\w/]{1,100})\.pm in @INC",
        says="Can't locate $wanted.pm in @INC",
        lacks="perl",
    ),
)
