"""Runs `bazel build` for one target, and leaves one wheel: the target's own, or one packed of its shared object.

Argument: one JSON object. Which files a target has made is read from Bazel's own account of the build (its build event
protocol), so that nothing is guessed. Bazel writes below `root` and `cache` alone. Runs on the image's interpreters,
from 3.9 on; never imported by the factory itself.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

OURS = (".whl", ".so")
LEFT_OUT = {"BUILD", "BUILD.bazel"}
EARLIEST_ZIP = 315_532_800  # 1980-01-01, before which a zip archive has no dates
STABLE = {"abi3": ".abi3.so", "abi3.abi3t": ".abi3t.so"}

Order = Mapping[str, Any]


def main() -> None:
    """Build, and leave the wheel in the output folder."""
    order = json.loads(sys.argv[1])
    made = chosen(outputs(order), order["target"])
    folder = Path(order["output"])
    folder.mkdir(parents=True, exist_ok=True)
    if made.suffix == ".whl":
        shutil.copyfile(made, folder / made.name)
    elif order["module"] is None:
        sys.exit(f"error: {order['target']} makes the shared object {made.name}, and the recipe names no module for it")
    else:
        pack(made, order, folder)


def outputs(order: Order) -> "list[Path]":
    """Run Bazel, and return the files that the target makes by default."""
    root = Path(order["root"])
    for folder in (root, Path(order["cache"])):
        folder.mkdir(parents=True, exist_ok=True)
    events = root / "events.json"
    if shutil.which("bazel") is None:
        sys.exit("sh: bazel: not found")
    command = [
        *("bazel", "--batch", f"--output_user_root={root / 'user'}", "build"),
        *("--symlink_prefix=/", "--color=no", "--curses=no", "--noshow_progress", "--compilation_mode=opt"),
        f"--build_event_json_file={events}",
        f"--disk_cache={order['cache']}",
        # The environment is the recipe's and the factory's; Bazel gives actions nothing of it by itself but PATH.
        *(f"--action_env={name}" for name in sorted(os.environ)),
        # The source's own time would have every action done again for each commit.
        f"--action_env=SOURCE_DATE_EPOCH={EARLIEST_ZIP}",
        *(*order["options"], "--", order["target"]),
    ]
    print("$", *command, flush=True)
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(code)
    with events.open(encoding="utf-8") as lines:
        return list(made_by(json.loads(line) for line in lines))


def made_by(events: "Iterator[Mapping[str, Any]]") -> Iterator[Path]:
    """Yield the files of the default output group, as the events name them."""
    sets: dict[str, Any] = {}
    todo: list[str] = []
    for event in events:
        if "namedSetOfFiles" in event:
            sets[event["id"]["namedSet"]["id"]] = event["namedSetOfFiles"]
        for group in event.get("completed", {}).get("outputGroup", ()):
            if group["name"] == "default":
                todo += [file_set["id"] for file_set in group.get("fileSets", ())]
    seen = set()
    while todo:
        name = todo.pop(0)
        if name not in seen:
            seen.add(name)
            todo += [file_set["id"] for file_set in sets[name].get("fileSets", ())]
            yield from (Path(unquote(urlsplit(file["uri"]).path)) for file in sets[name].get("files", ()))


def chosen(files: "list[Path]", target: str) -> Path:
    """Return the one wheel or shared object among a target's files."""
    ours = [file for file in files if file.suffix in OURS]
    names = ", ".join(sorted(file.name for file in files)) or "no file"
    if not ours:
        sys.exit(f"error: {target} makes neither a wheel nor a shared object: {names}")
    if len(ours) > 1:
        sys.exit(f"error: {target} makes {len(ours)} wheels and shared objects, and one is needed: {names}")
    if len(files) > 1:
        print(f"note: of the files that {target} makes, only {ours[0].name} is taken: {names}", flush=True)
    return ours[0]


def pack(library: Path, order: Order, folder: Path) -> None:
    """Write the wheel (PyPA's binary distribution format), alike for the same files."""
    name = re.sub(r"[-_.]+", "_", order["name"])
    stem = f"{name}-{order['version']}"
    tag = f"{order['python_tag']}-{order['abi_tag']}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    place = order["module"].replace(".", "/") + suffix(order["abi_tag"])
    members = {**package_files(order["packages"]), place: (library.read_bytes(), 0o755)}
    info = f"{stem}.dist-info"
    members[f"{info}/METADATA"] = (metadata(order).encode(), 0o644)
    members[f"{info}/WHEEL"] = (wheel(tag).encode(), 0o644)
    path = folder / f"{stem}-{tag}.whl"
    seconds = max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), EARLIEST_ZIP)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, (content, mode) in (*members.items(), (f"{info}/RECORD", (record(members, info), 0o644))):
            entry = zipfile.ZipInfo(member, time.gmtime(seconds)[:6])
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    print(f"packed {path.name}: {place}", flush=True)


def suffix(abi_tag: str) -> str:
    """Return what the name of an extension module ends with: the interpreter's own, or that of a stable ABI."""
    if abi_tag == "none":
        return ".so"
    return STABLE.get(abi_tag) or str(sysconfig.get_config_var("EXT_SUFFIX"))


def package_files(packages: "list[str]") -> "dict[str, tuple[bytes, int]]":
    """Read the files of packages; each package is below its own last name."""
    members = {}
    for package in packages:
        folder = Path(package)
        if not folder.is_dir():
            sys.exit(f"error: packages names {package}, which is not a folder of the project")
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in LEFT_OUT and "__pycache__" not in path.parts:
                mode = 0o755 if os.access(path, os.X_OK) else 0o644
                members[f"{folder.name}/{path.relative_to(folder).as_posix()}"] = (path.read_bytes(), mode)
    return members


def metadata(order: Order) -> str:
    """Return the core metadata that the recipe states."""
    lines = ["Metadata-Version: 2.1", f"Name: {order['name']}", f"Version: {order['version']}"]
    if order["description"]:
        lines.append(f"Summary: {order['description']}")
    if order["requires_python"]:
        lines.append(f"Requires-Python: {order['requires_python']}")
    lines += [f"Requires-Dist: {requirement}" for requirement in order["dependencies"]]
    return "\n".join([*lines, ""])


def wheel(tag: str) -> str:
    """Return the WHEEL file, with each single tag of a compressed one."""
    pythons, abis, platform = tag.split("-")
    tags = [f"Tag: {python}-{abi}-{platform}" for python in pythons.split(".") for abi in abis.split(".")]
    head = ["Wheel-Version: 1.0", "Generator: wheel-factory", "Root-Is-Purelib: false"]
    return "\n".join([*head, *tags, ""])


def record(members: "Mapping[str, tuple[bytes, int]]", info: str) -> bytes:
    """Return the RECORD: every file with its hash and size, and itself without."""
    lines = [f"{quoted(member)},{digest(content)},{len(content)}" for member, (content, _) in members.items()]
    return "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()


def quoted(member: str) -> str:
    """Quote a name that holds what separates the fields of a CSV file."""
    return '"' + member.replace('"', '""') + '"' if re.search(r'[",]', member) else member


def digest(content: bytes) -> str:
    """Return a file's hash as a RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
