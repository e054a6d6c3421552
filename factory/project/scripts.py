"""The scripts that a build runs: setup.py, the modules beside it, cffi's, a hook or backend of the tree's own."""

import ast
from collections.abc import Iterator, Mapping

from factory.project.files import Files, text_of
from factory.project.setup_script import parsed, strings

_MOST = 60
_HOOKS = ("hatch_build.py", "build.py")
"""Where hatchling and poetry look for a script of the project's."""


def build_scripts(files: Files, backend: str, folder: str = "") -> Mapping[str, ast.AST]:
    """Return the scripts by their paths, setup.py first, even where there is none; none of them is run.

    `backend` is the module that pyproject.toml names, `folder` the project's, with a slash at its end.
    """
    main = parsed(text_of(files, f"{folder}setup.py"))
    own = [path for path in files.paths if path.rpartition("/")[2] == f"{backend}.py" and path.count("/") <= 1]
    hooks = [path for name in _HOOKS if files.size(path := f"{folder}{name}") is not None]
    imported = [path for name in _imported(main) if files.size(path := f"{folder}{name}.py") is not None]
    paths = [*dict.fromkeys([*imported, *_cffi_scripts(files, main, folder), *hooks, *own])][:_MOST]
    return {f"{folder}setup.py": main, **{path: parsed(text_of(files, path)) for path in paths}}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _cffi_scripts(files: Files, tree: ast.AST, folder: str) -> Iterator[str]:
    for text in strings(tree):
        path, colon, _ = text.partition(":")
        if colon and path.endswith(".py") and files.size(f"{folder}{path}") is not None:
            yield f"{folder}{path}"
