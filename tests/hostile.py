"""Every reader of strangers' texts, found by introspection, and the texts that are thrown at them."""

import gc
import importlib
import inspect
import math
import pkgutil
import re
import signal
import time
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType, ModuleType, UnionType

from factory.errors import FactoryError
from factory.form.kinds import RefusalError
from factory.project.files import Files, Reading
from factory.untrusted import UntrustedTextError

TEXT_TYPES = (str, bytes, bytearray)
TREE_TYPES = (Files, Reading)
MOST_SECONDS = 15.0
"""Of one reading of one text of 4 MiB: ten times what the slowest takes on the machine that this was written on."""
_STEEPEST = 10.0  # of a text four times as long; a quadratic reader takes sixteen times as long
_NOISE_SECONDS = 0.05
_REPR_TIMES, _REPR_SPARE = 20, 1 << 20
_MESSAGE_CHARACTERS = 2000


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class HarmError(Exception):
    """A reader took too long, kept too much, or raised what nobody expects of it."""


class _OutOfTimeError(BaseException):
    """No `Exception`, so that no reader takes it for an error of its own."""


class _Refused(Exception):  # noqa: N818 -- a text was refused, as it should be
    """The text was refused with an error that is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One function as a reader of text; what it documents in "Raises:" is expected of it."""

    name: str
    read: Callable[[str], object]
    raises: tuple[str, ...] = ()
    reads_trees: bool = False


class OneFile(dict[str, bytes]):
    """A tree of few files."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(sorted(self))

    def read(self, path: str) -> bytes | None:
        """Read one file; None where there is no such file."""
        return self.get(path)

    def size(self, path: str) -> int | None:
        """Return how many bytes a file has; None where there is no such file."""
        return len(self[path]) if path in self else None


FILES: Mapping[str, tuple[str, ...]] = {
    "pyproject.toml": (
        "{}",
        "[project]\nname = 'd'\ndependencies = ['''a; {}''']",
        "[project]\nname = 'd'\nversion = '''{}'''",
        "[project]\nname = 'd'\nrequires-python = '''{}'''",
        "[build-system]\nrequires = ['''{}''']\n[project]\nname = 'd'",
        "[tool.cibuildwheel]\nbefore-all = '''{}'''\ntest-command = '''{}'''\nbefore-build = '''{}'''",
        "[tool.cibuildwheel]\nenvironment = '''{}'''\ntest-requires = '''{}'''\ntest-sources = '''{}'''",
        "[tool.cibuildwheel]\nbuild = '''{}'''\nskip = '''{}'''\ntest-skip = '''{}'''\nrepair-wheel-command = '''{}'''",
        "[tool.cibuildwheel]\nconfig-settings = '''{}'''\nmanylinux-x86_64-image = '''{}'''\narchs = '''{}'''",
    ),
    "setup.cfg": ("{}", "[metadata]\nname = d\nversion = {}\n", "[options]\ninstall_requires =\n  {}\n"),
    "setup.py": ("{}", "setup(name='''{}''', version='1')", "setup(name='d', install_requires=['''{}'''])"),
    "PKG-INFO": ("{}", "Metadata-Version: 2.2\nName: d\nRequires-Dist: a; {}\n", "Name: d\n\n{}"),
    "Cargo.toml": ("{}", "[package]\nname = '''{}'''\n", "[dependencies]\npyo3 = {{version = '1', path = '''{}'''}}"),
    "Cargo.lock": ("{}", "[[package]]\nname = 'pyo3'\nversion = '''{}'''\nsource = '''{}'''"),
    ".cargo/config.toml": ("{}", "[source.crates-io]\nreplace-with = '''{}'''"),
    "cibuildwheel.toml": ("{}",),
    "meson.build": ("{}", "py.extension_module('a', {}"),
    "CMakeLists.txt": ("{}", "install(TARGETS {}", "add_subdirectory({}"),
}
_BESIDE = {  # what has to be there for a file to be read at all
    "pyproject.toml": b"[project]\nname = 'd'\n",
    "maturin.toml": b"[build-system]\nrequires = ['maturin']\nbuild-backend = 'maturin'\n[project]\nname = 'd'\n",
    "meson.toml": b"[build-system]\nrequires = []\nbuild-backend = 'mesonpy'\n[project]\nname = 'd'\n",
    "cmake.toml": b"[build-system]\nrequires = []\nbuild-backend = 'scikit_build_core.build'\n[project]\nname = 'd'\n",
}
_PYPROJECT = {"Cargo.toml": "maturin.toml", "Cargo.lock": "maturin.toml", "meson.build": "meson.toml"}


def trees(text: str) -> Iterator[tuple[str, OneFile]]:
    """Yield trees of one file of each well-known name, or of one with what makes readers look at it."""
    content = text.encode(errors="surrogateescape")
    for name, forms in FILES.items():
        for form in forms:
            begin, *rest = form.replace("{{", "\0").replace("}}", "\1").split("{}")
            parts = [part.replace("\0", "{").replace("\1", "}").encode() for part in (begin, *rest)]
            beside = _BESIDE[_PYPROJECT.get(name, "cmake.toml" if name == "CMakeLists.txt" else "pyproject.toml")]
            tree = {} if name in ("setup.py", "setup.cfg", "PKG-INFO") else {"pyproject.toml": beside}
            tree |= {"Cargo.toml": b"[dependencies]\npyo3 = '1'\n"} if name == "Cargo.lock" else {}
            yield (
                name,
                OneFile({**tree, **({"setup.py": b""} if name == "PKG-INFO" else {}), name: content.join(parts)}),
            )


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Yield every module of a package, but for programs of containers: to import one is to run it."""
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not info.name.startswith("factory.guests."):
            yield importlib.import_module(info.name)


def readers(module: ModuleType, left_out: Mapping[str, str]) -> Iterator[Reader]:
    """Yield the public functions and constructors of a module that need one text, or a tree and nothing but texts."""
    for name, function in _functions(module):
        whole = f"{module.__name__}.{name}"
        kinds = () if whole in left_out else _required(function)
        reads_trees = bool(kinds) and kinds[0] in TREE_TYPES and all(kind is str for kind in kinds[1:])
        if reads_trees or (len(kinds) == 1 and _is_text(kinds[0])):
            read = partial(_read_trees if reads_trees else _read_text, function, kinds)
            yield Reader(name=whole, read=read, raises=_documented(function), reads_trees=reads_trees)


def _functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., object]]]:
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value):
            for inner, method in vars(value).items():
                if isinstance(method, classmethod | staticmethod) and not inner.startswith("_"):
                    yield f"{name}.{inner}", getattr(value, inner)


def _required(function: Callable[..., object]) -> tuple[object, ...]:
    """Return the types of what a function cannot do without."""
    try:
        hints = typing.get_type_hints(function)
    except NameError:  # of a type that is imported for checkers alone: no text is one
        return ()
    return tuple(
        hints.get(parameter.name)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in _VARIADIC
    )


def _is_text(kind: object) -> bool:
    is_union = typing.get_origin(kind) in (typing.Union, UnionType)
    return kind in TEXT_TYPES or (is_union and any(member in TEXT_TYPES for member in typing.get_args(kind)))


def _read_text(function: Callable[..., object], kinds: tuple[object, ...], text: str) -> object:
    takes_text = kinds[0] is str or str in typing.get_args(kinds[0])
    return function(text if takes_text else text.encode(errors="surrogateescape"))


def _read_trees(function: Callable[..., object], kinds: tuple[object, ...], text: str) -> None:
    """Let a function read every tree; further texts that it wants are the file's name, or the folder: the root."""
    further = len(kinds) - 1
    for name, files in trees(text):
        for other in (name, "") if further else ("",):
            with suppress(_Refused), _expecting():
                shown = repr(function(Reading.of(files) if kinds[0] is Reading else files, *[other] * further))
                _check_size(function.__name__, shown, text)


def _documented(function: Callable[..., object]) -> tuple[str, ...]:
    section = (inspect.getdoc(function) or "").partition("Raises:")[2]
    return tuple(re.findall(r"(?m)^ +([A-Z]\w+): ", section))


def damage(reader: Reader, make: Callable[[int], str], sizes: tuple[int, ...]) -> float:
    """Read ever longer texts of a kind; return the seconds of the longest.

    Raises:
        HarmError: time grows much faster than the text, or the result, or an error is nobody's.
    """
    before = math.inf  # of nothing: what the shortest text takes is what the reader takes of any
    for size in sizes:
        text = make(size)
        most = _STEEPEST * max(before, _NOISE_SECONDS)
        seconds = _seconds(reader, text)
        if seconds > most and (seconds := min(seconds, _seconds(reader, text))) > most:  # a machine may be busy once
            raise HarmError(f"{reader.name} takes {before:.2f} s, and {seconds:.2f} s of four times {text[:40]!r}")
        before = seconds
    return before


def _seconds(reader: Reader, text: str) -> float:
    gc.disable()  # a collection walks the objects of every test so far, not this reader's alone
    begin = time.process_time()
    try:
        with suppress(_Refused), _limited(MOST_SECONDS), _expecting():
            value = reader.read(text)
            _check_size(reader.name, repr(list(value) if isinstance(value, Iterator) else value), text)
    except _OutOfTimeError:
        raise HarmError(f"{reader.name} takes more than {MOST_SECONDS} s of {text[:40]!r}, {len(text)} long") from None
    except HarmError:
        raise
    except Exception as error:
        if not any(kind.__name__ in reader.raises for kind in type(error).__mro__):
            raise HarmError(f"{reader.name} raises {type(error).__name__} of {text[:40]!r}: {error!s:.200}") from error
    finally:
        seconds = time.process_time() - begin
        gc.enable()
    return seconds


@contextmanager
def _expecting() -> Iterator[None]:
    """Expect the errors that are everybody's, with a message of a person's size."""
    try:
        yield
    except (FactoryError, RefusalError, UntrustedTextError) as error:
        if len(str(error)) > _MESSAGE_CHARACTERS:
            raise HarmError(f"a message has {len(str(error))} characters: {error!s:.200}") from error
        raise _Refused from error


def _check_size(name: str, shown: str, text: str) -> None:
    if len(shown) > _REPR_TIMES * len(text) + _REPR_SPARE:
        raise HarmError(f"{name} makes {len(shown)} characters of {len(text)}: {text[:40]!r}")


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def repeated(unit: str) -> Callable[[int], str]:
    """Return a maker of texts: one unit again and again, numbered where it holds a `%`."""
    if "%" in unit:
        return lambda size: "".join(unit.replace("%", f"{n:x}") for n in range(size // (len(unit) + 3) + 1))
    return lambda size: unit * (size // len(unit) + 1)


def between(begin: str, unit: str, end: str) -> Callable[[int], str]:
    """Return a maker of texts with something before and behind what is repeated."""
    return lambda size: f"{begin}{repeated(unit)(size)}{end}"


UNITS = (
    *(
        "\n",
        " ",
        "\t",
        "\r",
        "\r\n",
        "\0",
        "\udcff",
        "\u202e",
        "é",
        "x",
        "9",
        "1.",
        "a.",
        "a-",
        "a_",
        "a,",
        ".",
        "-",
        "!",
    ),
    *(
        "[",
        "]",
        "[]",
        "(",
        "()",
        "{",
        "{}",
        "{a,b}",
        "<",
        "<>",
        '"',
        "'",
        "\\",
        '"\\',
        "\\\n",
        '""" ',
        "`",
        "``",
        "*",
        "?",
    ),
    *(
        "=",
        ":",
        "::",
        ";",
        "#",
        "#\n",
        "a\n",
        " a\n",
        "a: b\n",
        "a=1\n",
        "a b ",
        "&&",
        "||",
        "$(",
        "%",
        "@",
        "/",
        "a/",
        "../",
    ),
    *(
        "[[a]]\n",
        "[a%]\n",
        "a% = 1\n",
        "a%: b\n",
        "a.b%.c = 1\n",
        "Requires-Dist: a\n",
        "Tag: a.a-b.b-c.c\n",
        "a; (",
        "a[b,",
    ),
    *(
        "Connect",
        "ConnectXError ",
        "failed to get a\n",
        'Connection"',
        "error: ",
        "Temporary failure\n",
        "x = (",
        "lambda:",
    ),
    *(
        "-r a.txt\n",
        "if a:\n ",
        "not ",
        "1+",
        "a and ",
        "os_name=='a' or ",
        ">=1,",
        "- a\n",
        ".. a::\n",
        "|a|_ ",
        "a_ ",
    ),
    *(
        "subdir('a')\n",
        ".extension_module('a', ",
        "install(TARGETS a ",
        "add_subdirectory(a)\n",
        "\n ",
        "=>",
        "ﷺ",
        "🙂",
    ),
)
FORMS = (
    ("a", " ", "b"),
    ("a = ", "[", ""),
    ("[a]\nb", " ", "c"),
    ("a; ", "(", ""),
    ('a = "', "\\", ""),
    ("Name: ", "x", "\n\n"),
)
TEXTS: Mapping[str, Callable[[int], str]] = {
    **{repr(unit): repeated(unit) for unit in UNITS},
    **{repr(form): between(*form) for form in FORMS},
}
TREE_UNITS = (
    *(
        "\n",
        " ",
        "x",
        "\0",
        "\udcff",
        "9",
        "a.",
        "[",
        "(",
        "{a,b}",
        "'",
        "\\",
        "#\n",
        "a\n",
        "a=1\n",
        "a: b\n",
        "[a%]\n",
    ),
    *("a.b%.c = 1\n", "Requires-Dist: a\n", "../", "a; (", "-r a.txt\n", "not ", "lambda:", "&&", "subdir('a')\n"),
    *(".extension_module('a', ", "install(TARGETS a ", "add_subdirectory(a)\n"),
)
TREE_TEXTS = {name: TEXTS[name] for name in map(repr, (*TREE_UNITS, *FORMS))}
"""Texts for every file of a tree: all of them would take too long."""
BIG = {name: TEXTS[name] for name in map(repr, ("\n", "x", "[", "a=1\n", "Connect"))}
"""Texts of four megabytes: all of them would take too long."""
