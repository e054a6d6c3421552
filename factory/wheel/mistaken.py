"""Files that hold something other than what their names promise."""

from typing import Literal

from factory.untrusted import UntrustedTextError, parse_script

Mistake = Literal["lfs-pointer", "html-page", "conflict-marks"]

_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = 1 << 10  # the Git LFS specification: a pointer is smaller
_LOOKED_AT_BYTES = 1 << 20
_PAGES = (b"<!doctype html", b"<html")
_BLANKS = b" \t\r\n\xef\xbb\xbf"
_CODE = frozenset(
    {
        *("py", "pyi", "pyx", "pxd", "pxi", "c", "h", "cc", "cpp", "cxx", "hpp", "hxx", "cu", "cuh", "rs", "f90", "js"),
        *("mjs", "ts", "css", "sql", "proto", "sh", "json", "toml", "yaml", "yml", "cfg", "ini", "csv", "tsv"),
    }
)
_DATA = frozenset(
    {
        *("so", "bin", "dat", "db", "sqlite", "npy", "npz", "pkl", "h5", "hdf5", "nc", "parquet", "feather", "arrow"),
        *("onnx", "pt", "pth", "pb", "tflite", "model", "safetensors", "gguf", "gz", "zip", "xz", "bz2", "zst", "tar"),
        *("whl", "png", "jpg", "jpeg", "gif", "webp", "ico", "tif", "tiff", "ttf", "otf", "woff", "woff2", "wasm"),
        *("wav", "mp3", "mp4", "pdf", "mo", "pem", "crt", "jar", "a", "exe", "dll"),
    }
)


def is_suspect(name: str, head: bytes, size_bytes: int) -> bool:
    """Whether a file, by its first four bytes, may hold something else; of large ones nothing is said."""
    if size_bytes > _LOOKED_AT_BYTES:
        return False
    suffix = _suffix(name)
    begins_a_page = suffix in _DATA and head.lstrip(_BLANKS)[:1] in (b"", b"<")
    return suffix in _CODE or begins_a_page or (head == _POINTER[:4] and size_bytes <= _POINTER_BYTES)


def mistake_in(name: str, content: bytes) -> Mistake | None:
    """Say what a suspect file holds in place of what its name promises."""
    if content.startswith(_POINTER) and len(content) <= _POINTER_BYTES:
        return "lfs-pointer"
    suffix = _suffix(name)
    if suffix in _CODE | _DATA and content[:_POINTER_BYTES].lstrip(_BLANKS).lower().startswith(_PAGES):
        return "html-page"
    if suffix in _CODE and _has_marks(content) and not (suffix in ("py", "pyi") and _is_python(content)):
        return "conflict-marks"
    return None


def _suffix(name: str) -> str:
    base = name.rpartition("/")[2].lower()
    return "so" if ".so." in base else base.rpartition(".")[2] if "." in base else ""


def _has_marks(content: bytes) -> bool:
    """Look for the three marks that git writes, each at a line's beginning, in their order."""
    text = b"\n" + content.replace(b"\r\n", b"\n")
    ours = text.find(b"\n<<<<<<< ")
    middle = text.find(b"\n=======\n", ours + 1) if ours >= 0 else -1
    return middle >= 0 and text.find(b"\n>>>>>>> ", middle + 1) >= 0


def _is_python(content: bytes) -> bool:
    """Whether it is valid Python all the same: the marks stand in a string, as in tests of a merge."""
    try:
        parse_script(content.decode(errors="replace"))
    except UntrustedTextError:
        return False
    return True
