"""A distribution of Rust on loopback: components laid out as the project's own, and manifests that name them."""

import gzip
import hashlib
import io
import lzma
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Literal

from factory.process import run
from tests.makers.network import LOOPBACK, serving

HOST = "x86_64-unknown-linux-gnu"
ARM = "aarch64-unknown-linux-gnu"
DAY = "2026-04-16"
_ELSEWHERE = "https://rust.example/dist"
"""Where manifests say that components are: never where they are asked for."""

Packing = Literal["xz", "gz"]
_OTHERS = ("bin/cargo", "manifest", f"lib/rustlib/{HOST}/")
TINY: Mapping[tuple[str, str], Mapping[str, bytes]] = {
    ("rustc", HOST): {"bin/rustc": b"#!/bin/sh\necho rustc\n", "lib/librustc_driver.so": b"a library"},
    ("cargo", HOST): {"bin/cargo": b"#!/bin/sh\necho cargo\n", "share/doc/cargo/README.md": b"left out"},
    ("rust-std", HOST): {f"lib/rustlib/{HOST}/lib/libstd.rlib": b"std"},
    ("rust-std", ARM): {f"lib/rustlib/{ARM}/lib/libstd.rlib": b"std for arm"},
}
"""What a release holds that compiles nothing."""


def add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add a file to an archive."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))


def make_component(
    package: str,
    target: str,
    files: Mapping[str, bytes],
    *,
    version: str,
    listed: Iterable[str] = (),
    extra: Sequence[tarfile.TarInfo] = (),
    installer: str = "3",
) -> bytes:
    """Make the archive of a component; `listed` are lines of its manifest beside those of its files."""
    folder = f"rust-std-{target}" if package == "rust-std" else package
    top = f"{package}-{version}-{target}"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in files.items():
            add_file(tar, f"{top}/{folder}/{path}", content, 0o755 if path.startswith("bin/") else 0o644)
        lines = [*(f"file:{path}" for path in files), *listed]
        add_file(tar, f"{top}/{folder}/manifest.in", "".join(f"{line}\n" for line in lines).encode())
        add_file(tar, f"{top}/components", f"{folder}\n".encode())
        add_file(tar, f"{top}/rust-installer-version", f"{installer}\n".encode())
        for member in extra:
            member.name = f"{top}/{member.name}"
            tar.addfile(member)
    return packed.getvalue()


@dataclass
class Distribution:
    """What a server has, by paths below its root; `asked` are the paths that were asked for, `cut` those that it breaks
    off in the middle, `failing` those that it answers with 500.
    """

    files: dict[str, bytes | Path] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    url: str = ""

    def add_release(
        self,
        version: str,
        components: Mapping[tuple[str, str], bytes | Path],
        *,
        packing: Packing = "xz",
        channels: Sequence[str] = (),
        absent: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Have a release: its components are tars, or packed files; it is also found under the names of `channels`."""
        lines = ['manifest-version = "2"', f'date = "{DAY}"', f'[pkg.rustc]\nversion = "{version} (59807616e {DAY})"']
        for (package, target), content in components.items():
            name = f"{package}-{version}-{target}.tar.{packing}"
            packed = content if isinstance(content, Path) else pack(content, packing)
            self.files[f"dist/{DAY}/{name}"] = packed
            digest = hashlib.sha256(packed if isinstance(packed, bytes) else packed.read_bytes()).hexdigest()
            prefix = "xz_" if packing == "xz" else ""
            lines += [f"[pkg.{package}.target.{target}]", "available = true"]
            lines += [f'{prefix}url = "{_ELSEWHERE}/{DAY}/{name}"', f'{prefix}hash = "{digest}"']
        lines += [f"[pkg.{package}.target.{target}]\navailable = false" for package, target in absent]
        for channel in (version, *channels):
            self.add_manifest(channel, "\n".join(lines))

    def add_manifest(self, channel: str, text: str) -> None:
        """Have a manifest, with its sum beside it."""
        name = f"channel-rust-{channel}.toml"
        self.files[f"dist/{name}"] = text.encode()
        self.files[f"dist/{name}.sha256"] = f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n".encode()


def add_tiny(distribution: Distribution, version: str, **options: Sequence[str]) -> None:
    """Have a release that compiles nothing."""
    made = {
        (package, target): make_component(package, target, files, version=version)
        for (package, target), files in TINY.items()
    }
    distribution.add_release(version, made, **options)  # type: ignore[arg-type] # channels alone


def pack(tar: bytes, packing: Packing) -> bytes:
    """Compress an archive."""
    return lzma.compress(tar) if packing == "xz" else gzip.compress(tar, compresslevel=1)


class _Handler(BaseHTTPRequestHandler):
    distribution: Distribution

    def do_GET(self) -> None:
        has, path = self.distribution, self.path.lstrip("/")
        has.asked.append(path)
        held = has.files.get(path)
        if held is None or path in has.failing:
            self.send_error(500 if path in has.failing else 404)
            return
        content = held if isinstance(held, bytes) else held.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if path in has.cut else content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def serve_rust(distribution: Distribution | None = None) -> Iterator[Distribution]:
    """Serve a distribution on loopback; its `url` is what RUSTUP_DIST_SERVER would be."""
    served = distribution or Distribution()
    handler = type("Handler", (_Handler,), {"distribution": served})
    with serving(handler, address=LOOPBACK) as port:
        served.url = f"http://{LOOPBACK}:{port}"
        yield served


def sysroot() -> Path | None:
    """Return the folder of this machine's Rust, where it was installed from components; None where it was not."""
    rustc = shutil.which("rustc")
    if rustc is None:
        return None
    asked = run(
        [rustc, "--print", "sysroot"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home())},
        cwd=Path("/"),
        timeout_s=60,
    )
    folder = Path(asked.stdout.decode().strip())
    return folder if asked.returncode == 0 and list(folder.glob("lib/rustlib/manifest-rustc-*")) else None


def add_real(distribution: Distribution, root: Path, folder: Path) -> str:
    """Have the release that this machine's Rust is, packed into a folder; return its version."""
    (manifest,) = root.glob("lib/rustlib/manifest-rustc-*")
    host = manifest.name.removeprefix("manifest-rustc-")
    done = run([str(root / "bin/rustc"), "--version"], env={}, cwd=root, timeout_s=60)
    version = done.stdout.decode().split()[1]
    made: dict[tuple[str, str], bytes | Path] = {}
    for package in ("rustc", "cargo", "rust-std"):
        made[package, host] = _packed(root, package, host, version, folder)
    distribution.add_release(version, made, packing="gz", channels=[version.rpartition(".")[0], "stable"])
    return version


def repacked(bundle: Path, folder: Path, package: str, target: str, version: str, *, below: str = "") -> Path:
    """Pack files of a tar as a component: those below a folder, or all but those that another component has."""
    inner = f"rust-std-{target}" if package == "rust-std" else package
    top, path = f"{package}-{version}-{target}", folder / f"{package}-{target}.tar.gz"
    with tarfile.open(bundle) as given, tarfile.open(path, "w:gz", compresslevel=1) as tar:
        names = []
        for member in given:
            name = member.name.removeprefix("./")
            if not member.isreg() or not (name.startswith(below) if below else not name.startswith(_OTHERS)):
                continue
            names.append(name)
            member.name = f"{top}/{inner}/{name}"
            tar.addfile(member, given.extractfile(member))
        add_file(tar, f"{top}/{inner}/manifest.in", "".join(f"file:{name}\n" for name in names).encode())
        add_file(tar, f"{top}/components", f"{inner}\n".encode())
        add_file(tar, f"{top}/rust-installer-version", b"3\n")
    return path


def _packed(root: Path, package: str, host: str, version: str, folder: Path) -> Path:
    """Pack an installed component as it was before."""
    inner = f"rust-std-{host}" if package == "rust-std" else package
    top, path = f"{package}-{version}-{host}", folder / f"{package}.tar.gz"
    listed = (root / f"lib/rustlib/manifest-{package}-{host}").read_text(encoding="utf-8")
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for line in listed.splitlines():
            name = line.removeprefix("file:")
            tar.add(root / name, f"{top}/{inner}/{name}", recursive=False)
        add_file(tar, f"{top}/{inner}/manifest.in", listed.encode())
        add_file(tar, f"{top}/components", f"{inner}\n".encode())
        add_file(tar, f"{top}/rust-installer-version", b"3")
    return path
