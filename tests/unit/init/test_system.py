"""Packages that the first build would miss are guessed by the index of the images' distribution."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from factory.diagnoses.owners import Holder
from factory.errors import SourceError
from factory.init import Settled, recipe_of
from tests.makers.sources import PYPROJECT, Files
from tests.unit.init.test_recipe_of import CIBW, IMAGES, MESON, ORIGIN, TODAY, reasons

LIB = "usr/lib/x86_64-linux-gnu"
FILES = {
    "usr/include/x86_64-linux-gnu/ffi.h": ("libffi-dev",),
    f"{LIB}/pkgconfig/libffi.pc": ("libffi-dev",),
    f"{LIB}/libldap.so": ("libldap2-dev",),
    f"{LIB}/libodbc.so": ("unixodbc-dev",),
    f"{LIB}/libgnutls.so": ("libgnutls28-dev",),
    "usr/bin/curl-config": ("libcurl4-gnutls-dev", "libcurl4-openssl-dev"),
    "usr/bin/clang": ("clang",),
    "usr/include/sys/types.h": ("libc6-dev-i386",),
    "usr/include/x86_64-linux-gnu/sys/types.h": ("libc6-dev",),
    "usr/include/openssl/ssl.h": ("libssl-dev",),
    "usr/include/*/openssl/ssl.h": ("android-libboringssl-dev", "libssl-dev"),
    "usr/include/openssl/err.h": ("libssl-dev",),
    "usr/include/*/openssl/err.h": ("android-libboringssl-dev", "libssl-dev"),
    "usr/include/*/compile.h": ("libmruby-dev", "libpython3.9-dev"),
    "usr/include/compile.h": ("libmruby-dev",),
    "usr/include/config.h": ("libdlib-dev",),
    "usr/include/errmsg.h": ("libowfat-dev",),
    "usr/include/stdio.h": ("libc6-dev",),
    "usr/include/zlib.h": ("zlib1g-dev",),
    "usr/include/*/stdio.h": ("libc6-dev", "libbsd-dev"),
    "usr/include/*/mysql.h": ("libmariadb-dev",),
    "usr/include/*/errmsg.h": ("libmariadb-dev", "libowfat-dev"),
    f"{LIB}/pkgconfig/cairo.pc": ("libcairo2-dev",),
    f"{LIB}/pkgconfig/openssl.pc": ("libssl-dev",),
    f"{LIB}/cmake/HDF5/HDF5Config.cmake": ("libhdf5-dev",),
    "libxml2-dev": ("libxml2-dev",),
}


@dataclass
class Index:
    """An index in memory that remembers what it was asked; `fault` is why it cannot be read."""

    suite: str = "bullseye"
    arch: str = "x86_64"
    held: frozenset[str] = frozenset({"zlib1g-dev"})
    asked: list[str] = field(default_factory=list)
    fault: str = ""

    def find(self, paths: Collection[str], names: Collection[str]) -> Mapping[str, tuple[Holder, ...]]:
        if self.fault:
            raise SourceError(self.fault)
        self.asked += [*paths, *names]
        return {key: tuple(map(Holder, FILES[key])) for key in (*paths, *names) if key in FILES}


def guessed(files: Mapping[str, str], index: Index | None = None) -> Settled:
    tree = Files({"pyproject.toml": PYPROJECT, **files})
    asked = index or Index()
    settled = recipe_of(
        ORIGIN,
        tree,
        IMAGES,
        families=["lookalike"],
        file=Path("recipe.yaml"),
        today=TODAY,
        index_of=lambda image: asked if image.packages == "apt" else None,
    )
    assert settled.refused == ""
    return settled


def script(sources: str = "", rest: str = "", keywords: str = "") -> str:
    return f"{rest}\nsetup(ext_modules=[Extension('demo._a', [{sources}]{keywords})])\n"


SCIKIT = '[build-system]\nrequires = []\nbuild-backend = "scikit_build_core.build"\n[project]\nname = "demo"\n'


@pytest.mark.parametrize(
    ("files", "packages"),
    [
        pytest.param({"setup.py": script("'a.c'"), "a.c": "#include <ffi.h>\n"}, ["libffi-dev"], id="header"),
        pytest.param(
            {
                "setup.py": script("'a.c'"),
                "a.c": '#include "a.h"\n',
                "a.h": "/* A */\n#ifndef A\n#define A\n#include <ffi.h>\n#endif\n",
            },
            ["libffi-dev"],
            id="header of a header of the tree, in its guard",
        ),
        pytest.param(
            {
                "setup.py": "setup(ext_modules=make(['v/{}.c'.format(n) for n in ('a', 'b')]))",
                "v/a.c": "#include <ffi.h>",
            },
            ["libffi-dev"],
            id="among the names that are filled in",
        ),
        pytest.param(
            {"setup.py": "setup(ext_modules=make(glob('*.c')))", "a.c": "#include <ffi.h>\n"},
            ["libffi-dev"],
            id="sources by a pattern",
        ),
        pytest.param(
            {"setup.py": script("'a.pyx'"), "a.pyx": "cdef extern from 'ffi.h':\n    pass\n"},
            ["libffi-dev"],
            id="Cython",
        ),
        pytest.param({"setup.py": script(keywords=", libraries=['ldap', 'm']")}, ["libldap2-dev"], id="library"),
        pytest.param(
            {"setup.py": script(rest="if sys.platform != 'win32':\n    settings['libraries'].append('odbc')")},
            ["unixodbc-dev"],
            id="library by system",
        ),
        pytest.param(
            {"setup.py": script(rest="run(['curl-config', '--libs'])")}, ["libcurl4-openssl-dev"], id="config"
        ),
        pytest.param(
            {"setup.py": script(rest="run(['pkg-config', '--libs', 'libffi'])")}, ["libffi-dev"], id="pkg-config"
        ),
        pytest.param({"setup.py": script(rest="pkgconfig.parse('libffi >= 3')")}, ["libffi-dev"], id="pkgconfig"),
        pytest.param(
            {"setup.py": "import helper\n" + script(), "helper.py": "run(['pkg-config', 'libffi'])"},
            ["libffi-dev"],
            id="in a module beside setup.py",
        ),
        pytest.param(
            {"setup.py": "setup(cffi_modules=['b.py:ffi'])", "b.py": "ffi.set_source('_a', '#include <ffi.h>')"},
            ["libffi-dev"],
            id="cffi",
        ),
        pytest.param(
            {"setup.py": script("'a.c'"), "a.c": '#include "mysql.h"\n#include "errmsg.h"\n'},
            ["libmariadb-dev"],
            id="headers that only one package has together",
        ),
        pytest.param(
            {"setup.py": script("'a.c'"), "a.c": "#include <openssl/err.h>\n#include <openssl/ssl.h>\n"},
            ["libssl-dev"],
            id="of packages with the same headers the one where the compiler looks",
        ),
        pytest.param(
            {"pyproject.toml": MESON["pyproject.toml"], "meson.build": "cairo = dependency('cairo', version: '>=1')\n"},
            ["libcairo2-dev"],
            id="meson",
        ),
        pytest.param(
            {"pyproject.toml": SCIKIT, "CMakeLists.txt": "find_package(HDF5 REQUIRED)\n"}, ["libhdf5-dev"], id="cmake"
        ),
        pytest.param(
            {"pyproject.toml": SCIKIT, "CMakeLists.txt": "pkg_check_modules(C REQUIRED IMPORTED_TARGET cairo>=1)\n"},
            ["libcairo2-dev"],
            id="cmake by pkg-config",
        ),
        pytest.param(
            {"a.c": "", "pyproject.toml": f'{PYPROJECT}{CIBW}environment = {{CC = "clang"}}\n'},
            ["clang"],
            id="compiler",
        ),
    ],
)
def test_what_the_build_asks_for_is_guessed(files: Mapping[str, str], packages: list[str]) -> None:
    settled = guessed(files)

    assert list(settled.recipe.build.system.get("apt", ())) == packages
    assert f"a guess by the index of bullseye: {packages[0]} for " in settled.text


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"setup.py": script("'a.c'"), "a.c": "#include <zlib.h>\n"}, id="the image has it"),
        pytest.param({"setup.py": script("'a.c'"), "a.c": "#include <stdio.h>\n#include <math.h>\n"}, id="libc's"),
        pytest.param(
            {"setup.py": script("'a.c'"), "a.c": "#ifdef X\n#include <ffi.h>\n#endif\n"}, id="under a condition"
        ),
        pytest.param({"setup.py": script("'a.c'"), "a.c": '#include "ffi.h"\n', "lib/ffi.h": ""}, id="in the tree"),
        pytest.param({"setup.py": script("'a.c'"), "a.c": '#include "mysql.h"\n'}, id="one header in some folder"),
        pytest.param({"setup.py": script("'a.c'"), "a.c": "#include <config.h>\n"}, id="made by a configure"),
        pytest.param({"setup.py": script(), "tests/a.c": "#include <ffi.h>\n"}, id="of the tests"),
        pytest.param(
            {"setup.py": script(), "v/configure": "", "v/a.c": "#include <ffi.h>\n"}, id="of a vendored library"
        ),
        pytest.param(
            {
                "setup.py": "setup(ext_modules=make(['v/%s.c' % n for n in ('net', 'sds')]))",
                "v/a.c": "#include <ffi.h>\n",
            },
            id="not among the names that are filled in",
        ),
        pytest.param({"setup.py": script(rest="if not EMBED:\n    libraries.append('gnutls')")}, id="an option"),
        pytest.param(
            {"setup.py": script(rest="if pkgconfig.exists('libffi'):\n    pkgconfig.parse('libffi')")},
            id="may be absent",
        ),
        pytest.param(
            {"pyproject.toml": MESON["pyproject.toml"], "meson.build": "dependency('cairo', required: false)\n"},
            id="meson may do without",
        ),
        pytest.param(
            {
                "pyproject.toml": MESON["pyproject.toml"],
                "meson.build": "dependency('cairo')\n",
                "subprojects/cairo.wrap": "",
            },
            id="meson brings it",
        ),
        pytest.param(
            {"pyproject.toml": SCIKIT, "CMakeLists.txt": "if(WITH_X)\n  find_package(HDF5 REQUIRED)\nendif()\n"},
            id="cmake's option",
        ),
    ],
)
def test_what_the_image_has_or_the_build_can_do_without_is_not(files: Mapping[str, str]) -> None:
    assert guessed({"b.c": "", **files}).recipe.build.system == {}


def test_packages_of_another_distribution_get_their_names_here() -> None:
    options = 'before-all = "yum install -y openssl-devel libxml2-devel surely-nothing"\n'

    settled = guessed({"a.c": "", "pyproject.toml": PYPROJECT + CIBW + options})

    assert set(settled.recipe.build.system["apt"]) == {"libssl-dev", "libxml2-dev"}
    assert reasons(settled, "surely-nothing") == ["no package of bullseye is known to have it"]


def test_an_index_that_cannot_be_read_is_told() -> None:
    settled = guessed(
        {"setup.py": script("'a.c'"), "a.c": "#include <ffi.h>\n"}, Index(fault="cannot get it: no route")
    )

    assert settled.recipe.build.system == {}
    assert reasons(settled, "build.system") == ["packages could not be looked up: cannot get it: no route"]


def test_a_source_that_asks_for_nothing_reads_no_index() -> None:
    index = Index()

    guessed({"demo/__init__.py": ""}, index)

    assert index.asked == []
