"""The wheels that the gate's speed is measured on: each is large in one way, and some are popular."""

import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.makers.wheels import ABI3_NAME, make_wheel
from tests.real_wheels import GROUPS, NoIndexError, download

_MEBIBYTE = 1 << 20
_OFFICIAL = {
    "x86_64 3.13": ("markupsafe", "nh3", "cryptography", "numpy"),
    "x86_64 3.12": ("pycryptodome", "scikit-learn", "shiboken6"),
}


def _object(folder: Path, name: str, *, symbols: int = 0, blob: bytes = b"") -> bytes:
    """Assemble an extension module as a real linker makes it: the peers read sections."""
    (folder / "blob").write_bytes(blob)
    lines = [".text", f".globl PyInit_{name}", f"PyInit_{name}:", "call PyModuleDef_Init@PLT", "call puts@PLT", "ret"]
    for index in range(symbols):
        symbol = f"_ZN4demo9some_name{index}Ev"
        lines += [f".globl {symbol}", f".type {symbol}, @function", f"{symbol}: ret"]
    lines += [".section .rodata", f'.incbin "{folder}/blob"', '.section .note.GNU-stack,"",@progbits', ""]
    argv = ["gcc", "-shared", "-x", "assembler", "-Wl,-z,now", "-o", str(folder / "object.so"), "-"]
    subprocess.run(argv, input="\n".join(lines), text=True, check=True)
    return (folder / "object.so").read_bytes()


def _noise(mebibytes: int) -> bytes:
    return Random(1).randbytes(mebibytes * _MEBIBYTE)


def _files(mebibytes: int) -> bytes:
    """Take the bytes of Python's own files: noise cannot be packed, and unpacks faster than anything real."""
    content = bytearray()
    while len(content) < mebibytes * _MEBIBYTE:
        for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.*")):
            if path.is_file() and len(content) < mebibytes * _MEBIBYTE:
                content += path.read_bytes()
    return bytes(content[: mebibytes * _MEBIBYTE])


def _wheel(folder: Path, files: dict[str, bytes]) -> Path:
    return make_wheel(folder, files, filename=ABI3_NAME)


def _small(folder: Path) -> Path:
    return _wheel(folder, {"demo/core.abi3.so": _object(folder, "core", symbols=200, blob=_noise(1))})


def _many_files(folder: Path) -> Path:
    files = {f"demo/m{index}.abi3.so": _object(folder, f"m{index}", symbols=100) for index in range(100)}
    return _wheel(folder, files | {f"demo/f{index}.py": b"x = 1\n" * 40 for index in range(3000)})


def _many_symbols(folder: Path) -> Path:
    return _wheel(folder, {"demo/core.abi3.so": _object(folder, "core", symbols=200_000)})


def _large_noise(folder: Path) -> Path:
    return _wheel(folder, {"demo/core.abi3.so": _object(folder, "core", blob=_noise(200))})


def _large_files(folder: Path) -> Path:
    return _wheel(folder, {"demo/core.abi3.so": _object(folder, "core", blob=_files(200))})


MADE: tuple[tuple[str, str, Callable[[Path], Path]], ...] = (
    ("1 MiB", "≥ 3", _small),
    ("100 objects and 3000 files", "≥ 10", _many_files),
    ("200,000 symbols", "≥ 10", _many_symbols),
    ("one object of 200 MiB, noise", "≥ 1", _large_noise),
    ("one object of 200 MiB, files", "≥ 1", _large_files),
)


def made(name: str, folder: Path) -> Path:
    """Make one of them."""
    return next(make for title, _, make in MADE if title == name)(folder)


def official(folder: Path) -> Iterator[Path]:
    """Download some popular wheels; none where no index answers."""
    for number, (group, names) in enumerate(_OFFICIAL.items()):
        place = folder / f"official-{number}"
        place.mkdir()
        try:
            yield from download(GROUPS[group], place, names)
        except NoIndexError as error:
            print(f"no package index answers: {error}")
