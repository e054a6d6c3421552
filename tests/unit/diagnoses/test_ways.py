"""The recipe's line for what a build lacks."""

import pytest

from factory.diagnoses import ways
from factory.diagnoses.missing import Kind, Missing
from factory.diagnoses.owners import Answer, debian_names, listed
from factory.recipe import texts


def lacking(kind: Kind, name: str, answer: Answer | None = None) -> str:
    return ways.lacking(Missing(kind, name), listed if answer is None else lambda _: answer)


@pytest.mark.parametrize(
    ("kind", "name", "package"),
    [
        pytest.param("header", "ffi.h", "libffi-dev", id="header"),
        pytest.param("pkg-config", "geos", "libgeos-dev", id="pkg-config"),
        pytest.param("cmake", "GEOS", "libgeos-dev", id="CMake's module"),
        pytest.param("program", "pg_config", "libpq-dev", id="a library's program"),
        pytest.param("program", "nasm", "nasm", id="program"),
        pytest.param("perl", "Text/Template", "libtext-template-perl", id="a module of Perl"),
    ],
)
def test_a_system_package_is_named_by_the_list_of_debian_s(kind: Kind, name: str, package: str) -> None:
    line = lacking(kind, name)

    assert line == f"build: {{system: {{apt: [{package}]}}}} installs it, by a list of Debian bullseye's packages"


def test_what_no_package_or_several_have_is_left_to_the_reader() -> None:
    line = lacking("header", "nobody_has_this.h")

    assert line == (
        "build: {system: {apt: [NAME]}} with the package that has nobody_has_this.h; "
        "`apt-file search nobody_has_this.h` finds it"
    )


@pytest.mark.parametrize(
    ("kind", "answer", "line"),
    [
        pytest.param(
            "header",
            Answer(manager="apt", packages=("libx-dev",), suite="bookworm"),
            "build: {system: {apt: [libx-dev]}} installs it, by the index of bookworm",
            id="by the image's own index",
        ),
        pytest.param(
            "header",
            Answer(manager="apt", packages=("libx2-dev", "libx1-dev"), suite="bookworm"),
            "build: {system: {apt: [libx2-dev]}} installs it, by the index of bookworm (libx1-dev has it, too)",
            id="by several packages",
        ),
        pytest.param(
            "header",
            Answer(manager="apt", packages=("libx-dev",), suite="bookworm", folder="/usr/include/x"),
            "build: {system: {apt: [libx-dev]}} installs it, by the index of bookworm; compilers do not search "
            "its folder, so add build: {env: {CPATH: /usr/include/x}}",
            id="where compilers do not look",
        ),
        pytest.param(
            "header",
            Answer(manager="apt", packages=("libx-dev",), suite="bookworm", folder="/usr/include/x", is_installed=True),
            "libx-dev, which has it in /usr/include/x, is installed: build: {env: {CPATH: /usr/include/x}} lets the "
            "compiler look there",
            id="installed already",
        ),
        pytest.param(
            "library",
            Answer(manager="apt", packages=("libx-dev",), suite="bookworm", is_installed=True),
            "libx-dev, which has it, is installed: the build looks for it elsewhere, and the log shows where",
            id="a library that is installed already",
        ),
        pytest.param(
            "header",
            Answer(manager="apt", suite="bookworm"),
            "bookworm has no package with x.h: build: {before-all: …} can install it, or use a release that does "
            "not need it",
            id="by no package",
        ),
        pytest.param(
            "program",
            Answer(manager="apt", suite="bookworm"),
            "bookworm has no program x.h; if it is a file, does the source hold it?",
            id="no program",
        ),
        pytest.param(
            "header",
            Answer(manager="apt", packages=("libx-dev",), doubt="the index of bookworm was not read: no route"),
            "build: {system: {apt: [libx-dev]}} installs it, by a list of Debian bullseye's packages: the index of "
            "bookworm was not read: no route",
            id="by the list, and why",
        ),
        pytest.param(
            "header",
            Answer(manager="dnf", packages=("x-devel",), debian="libx-dev"),
            "build: {system: {dnf: [x-devel]}} installs it, by a list of what Debian's libx-dev is called elsewhere",
            id="dnf",
        ),
        pytest.param(
            "header",
            Answer(manager="dnf", debian="libx-dev"),
            "build: {system: {dnf: [NAME]}} with the package that has x.h: Debian's is libx-dev, dnf has another name "
            "for it; `dnf provides '*/x.h'` finds it",
            id="dnf's name is not known",
        ),
        pytest.param(
            "pkg-config",
            Answer(manager="apk"),
            "build: {system: {apk: [NAME]}} with the package that has x.h.pc; `apk search pc:x.h` finds it",
            id="apk",
        ),
    ],
)
def test_an_answer_is_told_with_whose_word_it_is(kind: Kind, answer: Answer, line: str) -> None:
    assert lacking(kind, "x.h", answer) == line


COMMON = {
    "ffi.h": ("libffi-devel", "libffi-dev"),
    "zlib.h": ("zlib-devel", "zlib-dev"),
    "sqlite3.h": ("sqlite-devel", "sqlite-dev"),
    "jpeglib.h": ("libjpeg-turbo-devel", "libjpeg-turbo-dev"),
    "ldap.h": ("openldap-devel", "openldap-dev"),
    "yaml.h": ("libyaml-devel", "yaml-dev"),
    "gmp.h": ("gmp-devel", "gmp-dev"),
    "lzma.h": ("xz-devel", "xz-dev"),
}


@pytest.mark.parametrize("header", COMMON)
def test_common_packages_have_their_names_in_other_distributions(header: str) -> None:
    packages = tuple(listed(Missing("header", header), manager).packages for manager in ("dnf", "apk"))

    assert packages == tuple((name,) for name in COMMON[header])


def test_the_list_of_names_leads_back_to_debian_s() -> None:
    assert debian_names("openssl-devel", "dnf") == ("libssl-dev",)
    assert debian_names("libffi-dev", "apk") == ("libffi-dev",)
    assert debian_names("surely-nothing", "dnf") == ()


@pytest.mark.parametrize("kind", ["header", "program", "perl"])
@pytest.mark.parametrize("manager", ["apt", "dnf", "apk"])
def test_every_package_that_is_named_may_be_written_in_a_recipe(kind: Kind, manager: str) -> None:
    name = {"header": "ffi.h", "program": "protoc", "perl": "IPC/Cmd"}[kind]

    (package,) = listed(Missing(kind, name), manager).packages

    assert texts.package(package) == package


def test_what_a_wheel_brings_is_required() -> None:
    assert lacking("program", "swig") == "build: {requires: [swig]} brings swig"
    assert lacking("header", "numpy/arrayobject.h").startswith("build: {requires: [numpy]} ")


def test_a_module_may_have_a_distribution_of_another_name() -> None:
    assert ways.distribution("yaml.nodes") == "pyyaml"
    assert ways.distribution("flit_scm") == "flit-scm"
