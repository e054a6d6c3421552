"""The index of a suite's files: read from a mirror, checked by its digest, fetched once, asked about failed builds."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from threading import Event

import pytest

from factory.catalogue import PackageManager
from factory.diagnoses.missing import Kind, Missing
from factory.diagnoses.owners import Answer, Holder
from factory.errors import SourceError
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.contents import Contents, contents_of
from factory.images.known import declared
from factory.images.owners import Owners
from factory.memory import Memory
from factory.store import Store
from tests.makers.network import LOOPBACK, serving

LINES = """\
usr/bin/arm-linux-gnueabihf-gcc             devel/gcc-10-cross
usr/bin/curl-config                         libdevel/libcurl4-gnutls-dev,libdevel/libcurl4-openssl-dev
usr/include/mariadb/server/mariadb_com.h    libdevel/libmariadbd-dev
usr/include/mariadb/mariadb_com.h           libdevel/libmariadb-dev
usr/include/mariadb/mysql.h                 libdevel/libmariadb-dev
usr/include/x86_64-linux-gnu/ffi.h          libdevel/libffi-dev
usr/lib/x86_64-linux-gnu/libzip.so          libdevel/libzip-dev
usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc  libdevel/zlib1g-dev
usr/share/a name with spaces                misc/spaces
"""
FOR_ALL = """\
usr/share/doc/default-libmysqlclient-dev/copyright libdevel/default-libmysqlclient-dev
usr/share/eigen3/cmake/Eigen3Config.cmake   libdevel/libeigen3-dev
usr/share/perl/5.32.1/IPC/Cmd.pm            libs/perl-modules-5.32
usr/share/locale/de/LC_MESSAGES/thing.mo    misc/thing
"""
RELEASE = """\
Origin: Debian
SHA256:
 {digest} 1 main/Contents-amd64.gz
 {for_all} 1 main/Contents-all.gz
"""


class Counting(SimpleHTTPRequestHandler):
    """Serves a folder, and counts what is asked for."""

    asked: list[str] = []  # noqa: RUF012 -- the server makes an object of the class for each request

    def log_message(self, *_: object) -> None:
        """Count instead of printing."""
        self.asked.append(self.path)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror/dists/bullseye"
    (folder / "main").mkdir(parents=True)
    offer(folder, gzip.compress(LINES.encode()))
    return folder


def offer(folder: Path, content: bytes) -> None:
    """Put an index of the architecture beside that of all, and both into the release file."""
    for_all = gzip.compress(FOR_ALL.encode(), mtime=0)
    (folder / "main/Contents-amd64.gz").write_bytes(content)
    (folder / "main/Contents-all.gz").write_bytes(for_all)
    digests = {"digest": hashlib.sha256(content).hexdigest(), "for_all": hashlib.sha256(for_all).hexdigest()}
    (folder / "InRelease").write_text(RELEASE.format(**digests))


def make_memory(store: Store) -> Memory:
    return Memory(store=store, cancelled=Event())


@pytest.fixture
def contents(tmp_path: Path, suite: Path, host: Host) -> Iterator[Contents]:
    Counting.asked.clear()
    served = partial(Counting, directory=str(suite.parents[1]))
    with serving(served, address=LOOPBACK) as port, Store.open(tmp_path / "store") as store:  # type: ignore[arg-type] # it is called like one
        here = replace(host, apt_mirror=f"http://{LOOPBACK}:{port}", proxies={})
        yield Contents(suite="bullseye", held=frozenset(), arch="x86_64", host=here, memory=make_memory(store))


def test_paths_and_names_are_found_and_the_index_is_fetched_once(contents: Contents) -> None:
    paths = [
        "usr/include/x86_64-linux-gnu/ffi.h",
        "usr/bin/curl-config",
        "usr/include/*/mysql.h",
        "usr/include/absent.h",
    ]

    names = ["libffi-dev", "default-libmysqlclient-dev", "absent"]

    first = contents.find(paths, names)
    again = contents.find(paths, names)

    assert (
        first
        == again
        == {
            "usr/include/x86_64-linux-gnu/ffi.h": (Holder("libffi-dev", "usr/include/x86_64-linux-gnu/ffi.h"),),
            "usr/bin/curl-config": (
                Holder("libcurl4-gnutls-dev", "usr/bin/curl-config"),
                Holder("libcurl4-openssl-dev", "usr/bin/curl-config"),
            ),
            "usr/include/*/mysql.h": (Holder("libmariadb-dev", "usr/include/mariadb/mysql.h"),),
            "libffi-dev": (Holder("libffi-dev"),),
            "default-libmysqlclient-dev": (Holder("default-libmysqlclient-dev"),),
        }
    )
    assert sum("Contents" in path for path in Counting.asked) == 2  # of this architecture, and of all


def test_an_index_that_the_release_file_does_not_list_is_refused(contents: Contents, suite: Path) -> None:
    (suite / "main/Contents-amd64.gz").write_bytes(gzip.compress(b"usr/include/ffi.h  libdevel/evil\n"))

    with pytest.raises(SourceError, match="are not those that its release file lists"):
        contents.find(["usr/include/ffi.h"], [])


def test_an_index_that_is_no_gzip_is_told(contents: Contents, suite: Path) -> None:
    offer(suite, b"plain")

    with pytest.raises(SourceError, match="are not valid gzip"):
        contents.find(["usr/include/ffi.h"], [])


def test_a_mirror_without_the_index_is_told(contents: Contents, suite: Path) -> None:
    (suite / "InRelease").write_text("Origin: Debian\n")

    with pytest.raises(SourceError, match="lists no main/Contents-amd64"):
        contents.find(["usr/include/ffi.h"], [])


LOOKALIKE = next(image for image in declared() if image.name == "lookalike-manylinux_2_31_x86_64")


@pytest.fixture
def owners(contents: Contents) -> Owners:
    return Owners(host=contents.host, memory=contents.memory)


def of_index(*packages: str, folder: str = "", is_installed: bool = False) -> Answer:
    return Answer(manager="apt", packages=packages, suite="bullseye", folder=folder, is_installed=is_installed)


@pytest.mark.parametrize(
    ("kind", "name", "answer"),
    [
        pytest.param("header", "ffi.h", of_index("libffi-dev"), id="header"),
        pytest.param("header", "mysql.h", of_index("libmariadb-dev", folder="/usr/include/mariadb"), id="in a folder"),
        pytest.param("library", "zip", of_index("libzip-dev"), id="library"),
        pytest.param("pkg-config", "zlib", of_index("zlib1g-dev", is_installed=True), id="of the image itself"),
        pytest.param("cmake", "ZLIB", of_index("zlib1g-dev", is_installed=True), id="CMake's module"),
        pytest.param("program", "curl-config", of_index("libcurl4-openssl-dev", "libcurl4-gnutls-dev"), id="program"),
        pytest.param("cmake", "Eigen3", of_index("libeigen3-dev"), id="for all architectures"),
        pytest.param("perl", "IPC/Cmd", of_index("perl-modules-5.32"), id="Perl's module"),
        pytest.param(
            "header",
            "mariadb_com.h",
            of_index("libmariadb-dev", "libmariadbd-dev", folder="/usr/include/mariadb"),
            id="in the fewest folders",
        ),
        pytest.param("header", "nobody_has_this.h", of_index(), id="of no package"),
        pytest.param("program", "arm-linux-gnueabihf-gcc", of_index(), id="of a cross compiler alone"),
    ],
)
def test_the_image_s_own_index_says_which_package_has_what_a_build_lacks(
    owners: Owners, kind: Kind, name: str, answer: Answer
) -> None:
    assert owners.ask(Missing(kind, name), LOOKALIKE, ()) == answer


def test_a_package_that_the_recipe_installs_is_known_to_be_there(owners: Owners) -> None:
    answer = owners.ask(Missing("header", "mysql.h"), LOOKALIKE, ["libmariadb-dev"])

    assert answer == of_index("libmariadb-dev", folder="/usr/include/mariadb", is_installed=True)


def test_cells_that_lack_the_same_ask_the_mirror_once(owners: Owners) -> None:
    for _ in range(3):
        owners.ask(Missing("header", "ffi.h"), LOOKALIKE, ())

    assert len(Counting.asked) == 3  # the release file and two indices


def test_where_the_index_cannot_be_read_the_lists_answer_and_say_so(owners: Owners, suite: Path) -> None:
    (suite / "InRelease").unlink()

    answer = owners.ask(Missing("header", "ffi.h"), LOOKALIKE, ())

    assert answer.packages == ("libffi-dev",)
    assert answer.suite == ""
    assert answer.doubt.startswith("the index of bullseye was not read: cannot get the index of bullseye: ")


def test_an_image_of_an_unknown_release_is_answered_by_the_lists(owners: Owners) -> None:
    answer = owners.ask(Missing("header", "ffi.h"), replace(LOOKALIKE, name="example.org/image"), ())

    assert (answer.packages, answer.suite) == (("libffi-dev",), "")
    assert "example.org/image" in answer.doubt
    assert Counting.asked == []


@pytest.mark.parametrize(
    ("manager", "listed_under", "package"), [("yum", "dnf", "libffi-devel"), ("apk", "apk", "libffi-dev")]
)
def test_another_distribution_s_name_is_that_of_the_list(
    owners: Owners, manager: PackageManager, listed_under: str, package: str
) -> None:
    answer = owners.ask(Missing("header", "ffi.h"), replace(LOOKALIKE, packages=manager), ())

    assert (answer.manager, answer.packages, answer.debian) == (listed_under, (package,), "libffi-dev")


@pytest.mark.parametrize(
    "image", [image for image in declared() if image.packages == "apt"], ids=lambda image: image.name
)
def test_each_image_of_debian_packages_has_the_index_of_its_own_suite(
    image: ImageFacts, host: Host, tmp_path: Path
) -> None:
    with Store.open(tmp_path / "store") as store:
        contents = contents_of(image, host, make_memory(store))

    assert contents is not None
    assert contents.arch == image.platform.arch
    assert contents.suite == {31: "bullseye", 36: "bookworm", 41: "trixie", 43: "forky"}[image.platform.minor]
