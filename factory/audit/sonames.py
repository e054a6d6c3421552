"""What the names of shared libraries give away."""

import re

# libpython3.so is the stable-ABI stub; t, d and m are builds; a trailing part is auditwheel's hash on a graft.
_LIBPYTHON = re.compile(
    r"libpython[23](\.[0-9]+)?[a-z]*(-[0-9a-f]{8,})?\.so(\..*)?|libpypy[0-9.]*(-c)?(-[0-9a-f]{8,})?\.so(\..*)?"
)
_LOADER = re.compile(r"ld(64|-linux[a-z0-9-]*|-musl-[a-z0-9_-]+)?\.so\.[0-9]+|linux-(vdso|gate)\.so\.1")
_MUSL = re.compile(r"(libc\.musl-|ld-musl-)[a-z0-9_-]+\.so\.1|libc\.so")
_GLIBC = re.compile(r"(libc\.so\.6(\.1)?|lib(m|pthread|dl|rt|util|nsl|anl|resolv|crypt)\.so\.[0-9])")


def is_libpython(name: str) -> bool:
    """Whether a needed name or soname is an interpreter's library, in any build, grafted or not."""
    return _LIBPYTHON.fullmatch(name.rpartition("/")[2]) is not None


def is_loader(name: str) -> bool:
    """Whether it is the dynamic loader itself, which every policy has."""
    return _LOADER.fullmatch(name) is not None


def is_musl(name: str) -> bool:
    """Whether only musl has a library or loader of this name."""
    return _MUSL.fullmatch(name.rpartition("/")[2]) is not None


def is_glibc(name: str) -> bool:
    """Whether only glibc has a library or loader of this name; musl's libm and the like are inside its libc."""
    base = name.rpartition("/")[2]
    return _GLIBC.fullmatch(base) is not None or (
        is_loader(base) and not is_musl(base) and not base.startswith("linux-")
    )
