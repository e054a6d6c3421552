"""What a build's scripts download, where they do, and the variables that may tell them not to."""

import ast
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

from factory.excerpt import listed
from factory.project.files import Files
from factory.project.scripts import build_scripts
from factory.project.setup_script import called, constants

_FUNCTIONS: Final = frozenset({"urlretrieve", "urlopen"})
_MODULES: Final = frozenset({"requests.get", "httpx.get", "wget.download"})
_COMMAND: Final = re.compile(r"(?:\S{0,40}/)?(?:curl|wget|git (?:clone|submodule|fetch))\b")
_EVERYBODYS: Final = re.compile(
    r"(?:PATH|HOME|USER|CI|DEBUG|CC|CXX|AR|LD|NM|ARCHFLAGS|READTHEDOCS|VIRTUAL_ENV|TMPDIR|TEMP|MAKEFLAGS)"
    r"|(?:C|CPP|CXX|LD)FLAGS|(?:PKG_CONFIG|LD_LIBRARY|LIBRARY|PYTHON|MACOSX|GITHUB|CIBW|CONDA|MSVC|VS)_?\w{0,60}"
)
"""Variables that say nothing of a library."""
_MOST: Final = 6
_SYSTEM: Final = "build: {system: …} installs the library, if the build looks for one first"
_ELSE: Final = "{before-all: …} downloads a file into the image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A call that downloads something: the script and the line, the URL if it is written there.

    `variables` are those of the environment that the build's scripts read, but for those that everybody reads.
    """

    script: str
    line: int
    url: str
    variables: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where it is, and what it fetches."""
        return f"line {self.line} of {self.script} downloads {self.url or 'something'}"

    @property
    def way(self) -> str:
        """What to write, as far as reading tells."""
        if not self.variables:
            return f"{_SYSTEM}; {_ELSE}, or patch the call out (patches)"
        return (
            f"{_SYSTEM}, or {{env: …}} names one by a variable that the build reads ({listed(self.variables)}); {_ELSE}"
        )


def downloads(files: Files, backend: str, folder: str = "") -> tuple[Download, ...]:
    """Return the first download of each script, whatever condition it is under."""
    scripts = build_scripts(files, backend, folder)
    names = {name for script in scripts.values() for name in _variables(script) if not _EVERYBODYS.fullmatch(name)}
    variables = tuple(sorted(names))[:_MOST]
    return tuple(
        Download(script=path, line=call.lineno, url=_url(script, call), variables=variables)
        for path, script in scripts.items()
        for call in [next(_calls(script), None)]
        if call is not None
    )


def _calls(script: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(script):
        if isinstance(node, ast.Call) and _downloads(node):
            yield node


def _downloads(call: ast.Call) -> bool:
    name, target = called(call), ast.unparse(call.func)
    if name in _FUNCTIONS or target in _MODULES:
        return True
    # A command as one text, or as a list of words.
    words = [word for argument in call.args[:1] for word in constants(_elements(argument))]
    return _COMMAND.match(" ".join(words)) is not None


def _elements(argument: ast.expr) -> list[ast.expr]:
    match argument:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return elements
        case ast.Call(func=ast.Attribute(value=template, attr="format")):
            return [template]
        case ast.JoinedStr(values=values):
            return values
        case _:
            return [argument]


def _url(script: ast.AST, call: ast.Call) -> str:
    """Return the URL among a call's arguments, if it is written there or given a name; else nothing."""
    names = {argument.id for argument in call.args if isinstance(argument, ast.Name)}
    texts = (text for value in (*call.args, *_values(script, names)) for text in constants(_elements(value)))
    return next((text for text in texts if text.startswith(("http://", "https://", "ftp://"))), "")


def _values(script: ast.AST, names: Container[str]) -> Iterator[ast.expr]:
    for node in ast.walk(script):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                yield value


def _variables(script: ast.AST) -> Iterator[str]:
    """Yield the names in `environ["X"]`, `environ.get("X")`, `getenv("X")` and `"X" in environ`."""
    for node in ast.walk(script):
        match node:
            case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))) if _is_environment(owner):
                yield name
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(name)), *_]) if (
                _is_environment(owner)
            ):
                yield name
            case ast.Call(args=[ast.Constant(value=str(name)), *_]) if called(node) == "getenv":
                yield name
            case ast.Compare(left=ast.Constant(value=str(name)), comparators=[owner]) if _is_environment(owner):
                yield name


def _is_environment(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] == "environ"
