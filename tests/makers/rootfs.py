"""Root filesystems of one program, for images that nobody starts."""

import io
import tarfile

ARM64, X86_64, UNKNOWN = 183, 62, 4711


def make_rootfs(machine: int, *, name: str = "./usr/bin/sleep") -> list[bytes]:
    """A root filesystem whose one program is the first bytes of an ELF header."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + machine.to_bytes(2, "little") + bytes(44)
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(header), 0o755
        tar.addfile(member, io.BytesIO(header))
    whole = spool.getvalue()
    return [whole[start : start + 1000] for start in range(0, len(whole), 1000)]
