"""A C and C++ compiler and linker that makes code for an older glibc or another machine than the image's: zig's.

Arguments: `cc`, `c++`, `ar` or `ranlib`, then what builds say to such a tool. Environment: ZIG, the program, and
ZIG_TARGET, which is always passed on: without a target zig compiles for the processor that it runs on; ZIG_HEADERS,
where another machine has Python's headers of its own. Builds speak to gcc; what zig does not know of that is changed or
left out here, with a line on stderr for all that is left out.
Runs on the image's interpreters, from 3.9 on; never imported by the factory itself.
"""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

HEADERS = re.compile(r"/usr(/local)?/include(/[a-z0-9_]+-linux-[a-z]+)?/?")
LIBRARIES = re.compile(r"(/usr(/local)?)?/lib(64)?(/.*)?")
INTERPRETERS = re.compile(r"/opt/(python|_internal)(/.*)?")
PYTHON_HEADERS = re.compile(r"(-I)?/opt/(?:python|_internal)/.*/include/(?:python|pypy)3[^/]*/?")
SITE_HEADERS = re.compile(r"(?:-I)?(?P<site>/.*/site-packages)/(?P<package>[^/]+)/.*")
LEVEL = re.compile(r"-march=x86-64(-v[234])?")
FOLDER = re.compile(r"(-I|-L|-isystem|-idirafter)(.*)")
NOT_LINKING = {"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-v", "--version", "-dumpversion", "-dumpmachine"}

# Options of GNU ld that zig's linker driver refuses, and that may be left out: they tune, report or hide.
REFUSED = {
    "-Bsymbolic-functions",
    "--cref",
    "--demangle",
    "--fix-cortex-a53-843419",
    "--no-copy-dt-needed-entries",
    "--no-omagic",
    "--no-relax",
    "--no-warn-execstack",
    "--no-warn-mismatch",
    "--pop-state",
    "--push-state",
    "--relax",
    "--trace",
    "--warn-common",
}
REFUSED_WITH_VALUE = {
    "--dependency-file",
    "--dynamic-list",
    "--exclude-libs",
    "--icf",
    "--Map",
    "--pack-dyn-relocs",
    "--thinlto-jobs",
    "-Map",
}
REFUSED_KEYWORDS = {"noseparate-code", "nostart-stop-gc", "pack-relative-relocs", "separate-code", "text"}  # of -z
SEARCH = {"-rpath", "--rpath", "-R"}
INCLUDED = str(Path(__file__).parent / "include")  # headers that zig's glibc lacks, such as crypt.h
NARROW = ("arm-",)  # targets of 32 bits
PROCESSORS = {"arm": "generic+v7a+vfp3d16"}  # Debian's and PEP 600's armv7l promises no NEON

LeaveOut = Callable[[str], None]


class UnusableError(Exception):
    """An option without which something else would be built, and that zig does not have."""


def translated(arguments: Iterable[str], target: str, leave_out: LeaveOut) -> "list[str]":
    """Return zig's arguments for gcc's; `leave_out` is called with each option that is left out.

    Raises:
        UnusableError: an option cannot be left out.
    """
    kept: list[str] = []
    tokens = _tokens(_expanded(arguments))
    for is_linkers, text in tokens:
        kept += (_linker if is_linkers else _driver)(text, tokens, leave_out)
    return ["-target", target, *_added(kept, target), *kept]


def _expanded(arguments: Iterable[str]) -> Iterator[str]:
    """Read response files, so that every option is seen."""
    for argument in arguments:
        if argument.startswith("@"):
            yield from _expanded(shlex.split(Path(argument[1:]).read_text(encoding="utf-8")))
        else:
            yield argument


def _tokens(arguments: Iterator[str]) -> "Iterator[tuple[bool, str]]":
    """Yield each argument and whether it is the linker's; those of one `-Wl,` come one by one."""
    for argument in arguments:
        if argument.startswith("-Wl,"):
            yield from ((True, item) for item in argument[len("-Wl,") :].split(","))
        elif argument == "-Xlinker":
            yield True, next(arguments, "")
        elif argument == "-z":
            yield from ((True, "-z"), (True, next(arguments, "")))
        else:
            yield False, argument


def _linker(text: str, rest: "Iterator[tuple[bool, str]]", leave_out: LeaveOut) -> "list[str]":
    """Return what zig is given for an option of the linker, whose value may be the next one."""
    name, has_value, value = text.partition("=")
    if text in REFUSED:
        leave_out(f"-Wl,{text}")
        return []
    if name in REFUSED_WITH_VALUE | SEARCH or text == "-z":
        value = value if has_value else next(rest, (True, ""))[1]
        if name in REFUSED_WITH_VALUE or value in REFUSED_KEYWORDS or INTERPRETERS.fullmatch(value):
            leave_out(f"-Wl,{name},{value}")
            return []
        return [f"-Wl,{name},{value}"]
    return _driver(text, rest, leave_out) if text.startswith("-L") else [f"-Wl,{text}"]


def _driver(text: str, rest: "Iterator[tuple[bool, str]]", leave_out: LeaveOut) -> "list[str]":
    """Return what zig is given for an option of the compiler."""
    if text == "-fopenmp":
        raise UnusableError("zig has no OpenMP: leave -fopenmp out, or compile with the image's compiler")
    if text.startswith("--target=") or text == "-target":
        _ = next(rest) if text == "-target" else None
        return []
    if LEVEL.fullmatch(text):
        return [text.replace("-march=x86-64", "-march=x86_64").replace("-v", "_v")]
    if text.startswith("-mtune="):
        leave_out(text)
        return []
    if text == "-lgcc_s":
        return ["-lunwind"]
    if text.startswith("-Wp,-D"):
        return [text.replace("-Wp,-D", "-D", 1)]
    folder = FOLDER.fullmatch(text)
    return [text] if folder is None else _folder(folder[1], folder[2] or next(rest, (False, ""))[1], leave_out)


def _folder(option: str, path: str, leave_out: LeaveOut) -> "list[str]":
    """Leave out where the image's own headers and libraries lie, which need the image's libc."""
    if (LIBRARIES if option == "-L" else HEADERS).fullmatch(path):
        leave_out(option + path)
        return []
    return [option, path] if len(option) > len("-I") else [option + path]


def _added(kept: "list[str]", target: str) -> "Iterator[str]":
    machine = target.partition("-")[0]
    if machine in PROCESSORS and not any(option.startswith(("-mcpu=", "-march=")) for option in kept):
        yield f"-mcpu={PROCESSORS[machine]}"
    levels = [option for option in kept if option.startswith("-O")]
    if not any(option.startswith("-fsanitize") for option in kept) and levels[-1:] in ([], ["-O0"], ["-Og"]):
        yield "-fno-sanitize=undefined"  # zig adds it to what is not optimised, and such code ends by SIGILL
    is_linked = NOT_LINKING.isdisjoint(kept)
    if is_linked and machine == "s390x":
        yield "-Wl,--hash-style=gnu"  # its other hash table has words of 64 bits, and zig's linker writes 32
    if is_linked and not any(re.fullmatch(r"-g(?!0).*", option) for option in kept):
        yield "-s"  # else the debug information of zig's own parts is in every object


def for_machine(arguments: Iterable[str], headers: str) -> Iterator[str]:
    """Yield arguments with the folder of a machine's headers of Python in place of the image's."""
    for argument in arguments:
        found = PYTHON_HEADERS.fullmatch(argument)
        yield argument if found is None else (found[1] or "") + headers


def refuse_headers(arguments: Iterable[str]) -> None:
    """Refuse headers of wheels that are for one machine, such as numpy's: they hold the sizes of its types.

    Raises:
        UnusableError: a folder of headers is such.
    """
    for argument in arguments:
        found = SITE_HEADERS.fullmatch(argument)
        if found is not None and (name := _machines_own(Path(found["site"]), found["package"])):
            raise UnusableError(
                f"the headers of {name} were made for another machine, of 64 bits, and this one has 32: remove the "
                "platform from the recipe"
            )


def _machines_own(site: Path, package: str) -> str:
    """Return the installed distribution that a package is of, if its wheel was made for one machine."""
    for record in site.glob("*.dist-info/RECORD"):
        files = record.read_text(encoding="utf-8").splitlines()
        kind = record.with_name("WHEEL").read_text(encoding="utf-8")
        if any(file.startswith(f"{package}/") for file in files) and "Root-Is-Purelib: true" not in kind:
            return record.parent.name.partition("-")[0]
    return ""


def main() -> None:
    """Become zig."""
    tool, *arguments = sys.argv[1:]
    zig, left_out = os.environ["ZIG"], list[str]()
    if tool in ("cc", "c++"):
        try:
            target = os.environ["ZIG_TARGET"]
            arguments = [*translated(arguments, target, left_out.append), "-idirafter", INCLUDED]
            if target.startswith(NARROW):
                refuse_headers(arguments)
        except UnusableError as error:
            sys.exit(f"error: {error}")
    if headers := os.environ.get("ZIG_HEADERS"):
        arguments = list(for_machine(arguments, headers))
    if left_out:
        print(f"note: left out for zig: {' '.join(left_out)}", file=sys.stderr, flush=True)
    os.execv(zig, [zig, tool, *arguments])  # noqa: S606 -- the file is the tool bundle's, the arguments a compiler's


if __name__ == "__main__":
    main()
