"""Strangers' Python as a syntax tree: read, never run."""

import ast
import re
import warnings

from factory.untrusted.limits import refuse_bulk, refuse_longer, refusing

_CHARACTERS = 1 << 20
_ELEMENTS = 100_000  # a node of the tree takes half a kilobyte
_DEEPEST = 64

_TOKEN = re.compile(
    r'''
    """(?:[^"\\]++|\\.|"(?!""))*+(?:""")?
  | \'\'\'(?:[^'\\]++|\\.|'(?!''))*+(?:\'\'\')?
  | "(?:[^"\\\n]++|\\.)*+"?
  | '(?:[^'\\\n]++|\\.)*+'?
  | \#[^\n]*+
  | \w++
  | [^\s\w]
    ''',
    re.VERBOSE | re.DOTALL,
)


def parse_script(text: str) -> ast.Module:
    """Parse Python.

    Raises:
        UntrustedTextError: it is not valid (Python 2, a null byte), larger than 1 MiB, or nested too deep.
    """
    refuse_longer(text, _CHARACTERS)
    refuse_bulk(text, _TOKEN, most_elements=_ELEMENTS, most_depth=_DEEPEST)
    with refusing("is not valid Python"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about escapes such as "\d", which are the package's own problem
        return ast.parse(text)


def literal(node: ast.expr) -> object:
    """Return the value of an expression of literals.

    Raises:
        UntrustedTextError: it is computed.
    """
    with refusing("is computed"):
        value: object = ast.literal_eval(node)
        return value
