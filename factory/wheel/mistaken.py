"""Files that hold something other than what their names promise."""

import re
from typing import Literal

from factory import lfs
from factory.untrusted import UntrustedTextError, parse_script

Mistake = Literal["lfs-pointer", "html-page", "conflict-marks"]

_PAGE_BEGINS_BYTES = 1 << 10
_LOOKED_AT_BYTES = 1 << 20
_PYTHON = frozenset({"py", "pyi"})
_SCRIPTS = 8  # parsing takes longer than all else; few honest wheels hold one text with marks, none so many
_BLANKS = b" \t\r\n\xef\xbb\xbf"
# Comments and an XML declaration may precede a page's doctype.
_PAGE = re.compile(
    rb"(?:[\s\xef\xbb\xbf]++|<!--.*?-->|<\?xml\b.*?\?>)*+<(?:!doctype\s+html|html)\b", re.DOTALL | re.IGNORECASE
)
_CODE = frozenset(
    {
        *("py", "pyi", "pyx", "pxd", "pxi", "c", "h", "cc", "cpp", "cxx", "hpp", "hxx", "cu", "cuh", "rs", "f90", "js"),
        *("mjs", "ts", "css", "sql", "proto", "sh", "json", "toml", "yaml", "yml", "cfg", "ini", "csv", "tsv"),
        "ipynb",
    }
)
_DATA = frozenset(
    {
        *("so", "bin", "dat", "db", "sqlite", "npy", "npz", "pkl", "h5", "hdf5", "nc", "parquet", "feather", "arrow"),
        *("onnx", "pt", "pth", "pb", "tflite", "model", "safetensors", "gguf", "gz", "zip", "xz", "bz2", "zst", "tar"),
        *("whl", "png", "jpg", "jpeg", "gif", "webp", "ico", "tif", "tiff", "ttf", "otf", "woff", "woff2", "wasm"),
        *("wav", "mp3", "mp4", "pdf", "mo", "pem", "crt", "jar", "a", "exe", "dll", "pyd"),
    }
)


def is_suspect(name: str, head: bytes, size_bytes: int) -> bool:
    """Whether a file, by its first four bytes, may hold something else; of large ones nothing is said."""
    if size_bytes > _LOOKED_AT_BYTES:
        return False
    suffix = _suffix(name)
    begins_a_page = suffix in _DATA and head.lstrip(_BLANKS)[:1] in (b"", b"<")
    return suffix in _CODE or begins_a_page or (head == lfs.MARK[:4] and size_bytes in lfs.SIZES)


class Suspects:
    """What the suspect files of one wheel hold in place of what their names promise, by their names."""

    def __init__(self) -> None:
        self.mistakes: dict[str, Mistake] = {}
        self._scripts = 0

    def take(self, name: str, content: bytes) -> None:
        """Look at one file."""
        mistake = self._mistake_in(_suffix(name), content)
        if mistake is not None:
            self.mistakes[name] = mistake

    def _mistake_in(self, suffix: str, content: bytes) -> Mistake | None:
        if lfs.is_pointer(content):
            return "lfs-pointer"
        if suffix in _CODE | _DATA and _PAGE.match(content[:_PAGE_BEGINS_BYTES]):
            return "html-page"
        if suffix in _CODE and _has_marks(content) and not (suffix in _PYTHON and self._is_python(content)):
            return "conflict-marks"
        return None

    def _is_python(self, content: bytes) -> bool:
        """Whether it is valid Python all the same: the marks stand in a string, as in tests of a merge."""
        self._scripts += 1
        try:
            return self._scripts <= _SCRIPTS and bool(parse_script(content.decode(errors="replace")))
        except UntrustedTextError:
            return False


def _suffix(name: str) -> str:
    base = name.rpartition("/")[2].lower()
    return "so" if ".so." in base else base.rpartition(".")[2] if "." in base else ""


def _has_marks(content: bytes) -> bool:
    """Look for the three marks that git writes, each at a line's beginning, in their order."""
    text = b"\n" + content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    ours = text.find(b"\n<<<<<<< ")
    middle = text.find(b"\n=======\n", ours + 1) if ours >= 0 else -1
    return middle >= 0 and text.find(b"\n>>>>>>> ", middle + 1) >= 0
