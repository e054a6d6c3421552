"""Requirements become files of the store, by the real uv against a real index on this machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from factory.digest import Digest
from factory.errors import EngineError
from factory.resolve import (
    MOST_SDISTS,
    Found,
    Offered,
    Question,
    Resolution,
    Unresolved,
    download,
    resolve_requirements,
)
from factory.resolve.model import ResolvedFile
from factory.resolve.sdists import choose_sdists
from factory.store import Store
from factory.tags import Interpreter, PlatformTag
from factory.tool_bundle import ensure_tools, read_pins
from tests.makers.index import PASSWORD, USER, Index, serve_index

CP313 = Interpreter(13)
BULLSEYE = PlatformTag.parse("manylinux_2_31_x86_64")


@pytest.fixture
def index() -> Iterator[Index]:
    with serve_index() as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def resolve(
    index: Index,
    store: Store,
    *requirements: str,
    constraints: Sequence[str] = (),
    interpreter: Interpreter = CP313,
    platform: PlatformTag = BULLSEYE,
) -> Found | Unresolved:
    question = Question(
        requirements=[Requirement(text) for text in requirements],
        constraints=[Requirement(text) for text in constraints],
        interpreter=interpreter,
        platform=platform,
    )
    with store.temp_folder() as folder:
        return resolve_requirements(question, host=index.host(folder), folder=folder)


def sdists(
    index: Index, store: Store, *requirements: str, built: Sequence[Offered] = (), interpreter: Interpreter = CP313
) -> list[str] | Unresolved:
    """Return the releases whose sdists are chosen to be built, where these wheels are built already."""
    wanted = [Requirement(text) for text in requirements]
    question = Question(requirements=wanted, interpreter=interpreter, platform=BULLSEYE, offered=tuple(built))
    with store.temp_folder() as folder:
        host = index.host(folder)
        found = resolve_requirements(question, host=host, folder=folder)
        chosen = choose_sdists(question, reason(found).lacking, host=host, folder=folder)
        return chosen if isinstance(chosen, Unresolved) else [str(release) for release in chosen]


def make_offered(store: Store, name: str, version: str, *requires: str, tag: str = "py3-none-any") -> Offered:
    """Make a wheel that was built here."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    file = store.put_bytes(f"a wheel of {name} {version}".encode(), f"{name}-{version}-{tag}.whl")
    return Offered(file=file, metadata="\n".join([*lines, ""]).encode())


def names(answer: Found | Unresolved) -> list[str]:
    assert isinstance(answer, Found), answer
    return [file.filename for file in answer.files]


def get(index: Index, store: Store, answer: Found | Unresolved) -> Resolution | Unresolved:
    assert isinstance(answer, Found), answer
    return download(answer, index.host(store.path), store, sleep=lambda _: None)


def reason(answer: object) -> Unresolved:
    assert isinstance(answer, Unresolved), answer
    return answer


def test_requirements_bring_what_they_require(index: Index, store: Store) -> None:
    index.add("first", "1.0", requires=["second>=2", "windows; sys_platform == 'win32'"])
    index.add("second", "1.0")
    index.add("second", "2.1")

    assert names(resolve(index, store, "first")) == ["first-1.0-py3-none-any.whl", "second-2.1-py3-none-any.whl"]


def test_a_constraint_bounds_what_nobody_asked_for_by_name(index: Index, store: Store) -> None:
    index.add("first", "1.0", requires=["second"])
    index.add("second", "1.0")
    index.add("second", "2.0")

    found = resolve(index, store, "first", constraints=["second<2", "third==1"])

    assert names(found) == ["first-1.0-py3-none-any.whl", "second-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("interpreter", "platform", "expected"),
    [
        pytest.param("cp313", "manylinux_2_31_x86_64", "cp313-cp313-manylinux_2_28_x86_64", id="the newest that fits"),
        pytest.param("cp313", "manylinux_2_17_x86_64", "cp313-cp313-manylinux2014_x86_64", id="an older libc"),
        pytest.param("cp314", "manylinux_2_31_x86_64", "cp39-abi3-manylinux2014_x86_64", id="the stable ABI"),
        pytest.param("cp314t", "manylinux_2_31_x86_64", "cp314-cp314t-manylinux_2_17_x86_64", id="free-threaded"),
        pytest.param("pp311", "manylinux_2_31_x86_64", "pp311-pypy311_pp73-manylinux_2_17_x86_64", id="PyPy"),
        pytest.param("cp313", "musllinux_1_2_x86_64", "cp313-cp313-musllinux_1_1_x86_64", id="musl"),
        pytest.param("cp313", "manylinux_2_31_armv7l", "py3-none-any", id="an architecture uv has no name for"),
    ],
)
def test_the_wheel_fits_interpreter_and_platform(
    index: Index, store: Store, interpreter: str, platform: str, expected: str
) -> None:
    for tag in (
        "cp313-cp313-manylinux_2_34_x86_64",
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp313-cp313-manylinux2014_x86_64",
        "cp313-cp313-musllinux_1_1_x86_64",
        "cp39-abi3-manylinux2014_x86_64",
        "cp314-cp314t-manylinux_2_17_x86_64",
        "pp311-pypy311_pp73-manylinux_2_17_x86_64",
        "cp313-cp313-win_amd64",
        "py3-none-any",
    ):
        index.add("native", "1.0", tag)

    found = resolve(
        index, store, "native", interpreter=Interpreter.parse(interpreter), platform=PlatformTag.parse(platform)
    )

    assert names(found) == [f"native-1.0-{expected}.whl"]


def test_markers_are_read_for_the_target_not_for_this_machine(index: Index, store: Store) -> None:
    for name in ("old", "new", "arm"):
        index.add(name, "1.0")

    asked = ("old; python_version < '3.9'", "new; python_version >= '3.14'", "arm; platform_machine == 'aarch64'")

    assert names(resolve(index, store, *asked, interpreter=Interpreter(8))) == ["old-1.0-py3-none-any.whl"]
    assert names(resolve(index, store, *asked, interpreter=Interpreter(14, free_threaded=True))) == [
        "new-1.0-py3-none-any.whl"
    ]


def test_a_release_with_source_only_is_refused_by_name(index: Index, store: Store) -> None:
    index.files["sourceonly-1.0.tar.gz"] = b"never opened"

    answer = reason(resolve(index, store, "sourceonly"))

    assert answer.kind == "no-wheel"
    assert answer.sentence == "sourceonly has no wheel for cp313 on manylinux_2_31_x86_64, only source"
    assert answer.lacking == ("sourceonly",)
    assert "sourceonly-1.0.tar.gz" not in index.asked


def test_a_release_without_a_wheel_for_a_free_threaded_interpreter_is_refused_by_name(
    index: Index, store: Store
) -> None:
    index.add("native", "1.0", "cp314-cp314-manylinux_2_17_x86_64")

    answer = reason(resolve(index, store, "native", interpreter=Interpreter(14, free_threaded=True)))

    assert (answer.kind, answer.sentence) == ("no-wheel", "native has no wheel for cp314t on manylinux_2_31_x86_64")


def test_the_sdist_of_what_has_no_wheel_is_chosen_and_not_downloaded(index: Index, store: Store) -> None:
    index.add_sdist("sourceonly", "1.0")
    index.add_sdist("sourceonly", "2.0")

    assert sdists(index, store, "sourceonly") == ["sourceonly 2.0"]
    assert "sourceonly-2.0.tar.gz" not in index.asked


def test_an_sdist_is_chosen_by_what_other_requirements_allow(index: Index, store: Store) -> None:
    index.add("first", "1.0", requires=["second<2"])
    for version in ("1.0", "1.5", "1.6rc1", "2.0"):
        index.add_sdist("second", version)

    assert sdists(index, store, "first") == ["second 1.5"]


def test_an_sdist_for_another_python_is_not_chosen(index: Index, store: Store) -> None:
    index.add_sdist("sourceonly", "1.0")
    index.requires_python[index.add_sdist("sourceonly", "2.0")] = ">=3.14"
    index.requires_python[index.add_sdist("sourceonly", "1.5")] = "nonsense"

    assert sdists(index, store, "sourceonly") == ["sourceonly 1.5"]


def test_a_yanked_sdist_is_not_chosen(index: Index, store: Store) -> None:
    index.add_sdist("sourceonly", "1.0")
    index.yanked.add(index.add_sdist("sourceonly", "2.0"))

    assert sdists(index, store, "sourceonly") == ["sourceonly 1.0"]


@pytest.mark.parametrize(
    ("interpreter", "tag"),
    [
        pytest.param("cp313", "cp313-cp313-win_amd64", id="another system"),
        pytest.param("cp313", "cp312-cp312-manylinux_2_17_x86_64", id="another Python"),
        pytest.param("cp314t", "cp314-cp314-manylinux_2_17_x86_64", id="a Python with the GIL"),
        pytest.param("cp313", "cp313-cp313-manylinux_2_39_x86_64", id="a newer libc"),
    ],
)
def test_an_sdist_stands_in_for_a_wheel_that_does_not_fit(
    index: Index, store: Store, interpreter: str, tag: str
) -> None:
    index.add("native", "1.0", tag)
    index.add_sdist("native", "1.0")

    assert sdists(index, store, "native", interpreter=Interpreter.parse(interpreter)) == ["native 1.0"]


def test_an_older_wheel_that_a_requirement_rules_out_does_not_keep_the_sdist_from_being_chosen(
    index: Index, store: Store
) -> None:
    index.add("native", "1.0")
    index.add_sdist("native", "2.0")

    assert names(resolve(index, store, "native")) == ["native-1.0-py3-none-any.whl"]
    assert sdists(index, store, "native>=2") == ["native 2.0"]


def test_several_sdists_are_chosen_at_once(index: Index, store: Store) -> None:
    index.add("first", "1.0", requires=["second"])
    index.add_sdist("second", "1.0")
    index.add_sdist("third", "1.0")

    assert sdists(index, store, "first", "third") == ["second 1.0", "third 1.0"]


@pytest.mark.parametrize("interpreter", ["cp313", "cp314t"])
def test_a_wheel_that_was_built_takes_part_with_what_it_requires(index: Index, store: Store, interpreter: str) -> None:
    index.add_sdist("sourceonly", "1.0")
    index.add("second", "1.0")
    built = make_offered(store, "sourceonly", "1.0", "second", tag=f"{interpreter[:5]}-{interpreter}-linux_x86_64")
    question = Question(
        requirements=[Requirement("sourceonly")],
        interpreter=Interpreter.parse(interpreter),
        platform=BULLSEYE,
        offered=(built,),
    )
    with store.temp_folder() as folder:
        found = resolve_requirements(question, host=index.host(folder), folder=folder)

    assert names(found) == ["second-1.0-py3-none-any.whl", built.file.filename]
    answer = get(index, store, found)
    assert isinstance(answer, Resolution)
    assert answer.files[1] == built.file


def test_what_a_built_wheel_requires_may_have_only_an_sdist_as_well(index: Index, store: Store) -> None:
    index.add_sdist("sourceonly", "1.0")
    index.add_sdist("second", "1.0")
    built = make_offered(store, "sourceonly", "1.0", "second")

    assert sdists(index, store, "sourceonly", built=[built]) == ["second 1.0"]


def test_a_release_that_was_built_is_not_chosen_again(index: Index, store: Store) -> None:
    """Its requirements contradict another one; an older release may do."""
    index.add("second", "1.0")
    index.add("second", "2.0")
    index.add_sdist("sourceonly", "1.0")
    index.add_sdist("sourceonly", "2.0")
    built = make_offered(store, "sourceonly", "2.0", "second<2")

    assert sdists(index, store, "sourceonly", "second>=2", built=[built]) == ["sourceonly 1.0"]


def test_what_has_neither_wheel_nor_sdist_is_named(index: Index, store: Store) -> None:
    index.add("native", "1.0", "cp314-cp314-manylinux_2_17_x86_64")

    answer = reason(sdists(index, store, "native", interpreter=Interpreter(14, free_threaded=True)))

    sentence = "native has no wheel for cp314t on manylinux_2_31_x86_64, and no sdist"
    assert (answer.kind, answer.sentence) == ("no-wheel", sentence)


def test_more_sdists_than_are_built_are_refused(index: Index, store: Store) -> None:
    many = [f"p{number}" for number in range(MOST_SDISTS + 1)]
    for name in many:
        index.add_sdist(name, "1.0")

    answer = reason(sdists(index, store, *many))

    assert answer.sentence.endswith("at most 10 are built from source")


@pytest.mark.parametrize(
    "requirement",
    ["first @ https://example.invalid/first-1.0-py3-none-any.whl", "first @ file:///etc", "first @ git+ssh://x/y"],
)
def test_a_direct_reference_is_refused_before_uv_sees_it(index: Index, store: Store, requirement: str) -> None:
    answer = reason(resolve(index, store, requirement))

    assert (answer.kind, answer.sentence) == (
        "refused",
        "first is required by URL; only names on the package index are accepted",
    )
    assert index.asked == []


def test_a_line_break_in_a_marker_cannot_become_an_option(index: Index, store: Store) -> None:
    answer = reason(resolve(index, store, r"first; os_name == 'x\n--index-url=http://example.invalid'"))

    assert (answer.kind, index.asked) == ("refused", [])


def test_a_direct_reference_deeper_down_is_not_followed(index: Index, store: Store) -> None:
    index.add("first", "1.0", requires=[f"second @ {index.url}/files/second-1.0-py3-none-any.whl"])
    index.add("second", "1.0")

    answer = reason(resolve(index, store, "first"))

    assert answer.kind == "unsatisfiable"
    assert "second" in answer.sentence


@pytest.mark.parametrize(
    ("requirements", "sentence"),
    [
        pytest.param(["nosuch"], "no configured index has nosuch", id="unknown name"),
        pytest.param(
            ["first==9"], "no configured index has first==9 for cp313 on manylinux_2_31_x86_64", id="no version"
        ),
        pytest.param(
            ["first<2", "second"],
            "the requirements cannot be met for cp313 on manylinux_2_31_x86_64: ",
            id="contradiction",
        ),
    ],
)
def test_what_cannot_be_met_is_reported_in_one_clause(
    index: Index, store: Store, requirements: list[str], sentence: str
) -> None:
    index.add("first", "1.0")
    index.add("first", "2.0")
    index.add("second", "1.0", requires=["first>=2"])

    answer = reason(resolve(index, store, *requirements))

    assert answer.kind == "unsatisfiable"
    assert answer.sentence.startswith(sentence)
    assert "\n" not in answer.sentence
    assert answer.hint


def test_an_index_that_cannot_be_reached_is_the_network(store: Store) -> None:
    answer = reason(resolve(Index(url="http://127.0.0.1:9"), store, "first"))

    assert answer.kind == "network"
    assert answer.sentence.startswith("the package index cannot be queried: ")


def test_an_index_that_fails_now_and_then_is_asked_again(index: Index, store: Store) -> None:
    index.add("first", "1.0")
    index.faults["first"] = ["500"]

    assert names(resolve(index, store, "first")) == ["first-1.0-py3-none-any.whl"]


def test_every_file_comes_into_the_store(index: Index, store: Store) -> None:
    filename = index.add("first", "1.0")

    answer = get(index, store, resolve(index, store, "first"))

    assert isinstance(answer, Resolution)
    assert [(file.filename, store.read(file.digest)) for file in answer.files] == [(filename, index.files[filename])]


def test_what_the_store_has_is_not_downloaded_again(index: Index, store: Store) -> None:
    content = b"x" * 100
    store.put_bytes(content, "first.whl")
    file = ResolvedFile(filename="first.whl", digest=Digest.of(content), url="http://127.0.0.1:9/", size_bytes=100)

    answer = get(index, store, Found(files=(file,)))

    assert isinstance(answer, Resolution)
    assert answer.files[0].filename == "first.whl"


@pytest.mark.parametrize("fault", ["500", "truncated"])
def test_a_download_that_fails_once_is_tried_again(index: Index, store: Store, fault: str) -> None:
    filename = index.add("first", "1.0")
    found = resolve(index, store, "first")
    index.faults[filename] = ["500" if fault == "500" else "truncated"]

    answer = get(index, store, found)

    assert isinstance(answer, Resolution)
    assert store.read(answer.files[0].digest) == index.files[filename]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        pytest.param("500", "answers 500 Internal Server Error", id="500"),
        pytest.param("404", "answers 404 Not Found", id="404"),
        pytest.param("truncated", "first-1.0-py3-none-any.whl", id="truncated"),
    ],
)
def test_a_download_that_keeps_failing_is_the_network(index: Index, store: Store, fault: str, sentence: str) -> None:
    filename = index.add("first", "1.0")
    found = resolve(index, store, "first")
    index.faults[filename] = ["500" if fault == "500" else "404" if fault == "404" else "truncated"] * 10

    answer = reason(get(index, store, found))

    assert answer.kind == "network"
    assert sentence in answer.sentence


def test_bytes_that_are_not_what_the_index_says_are_refused(index: Index, store: Store) -> None:
    filename = index.add("first", "1.0")
    index.listed_sha256[filename] = "0" * 64

    answer = reason(get(index, store, resolve(index, store, "first")))

    assert answer.kind == "refused"
    assert answer.sentence == (f"{filename} has {Digest.of(index.files[filename])}; the index says {Digest('0' * 64)}")
    assert not store.has(Digest.of(index.files[filename]))


def test_a_file_without_a_listed_hash_has_that_of_its_bytes(index: Index, store: Store) -> None:
    filename = index.add("first", "1.0")
    index.listed_sha256[filename] = None

    found = resolve(index, store, "first")

    assert isinstance(found, Found)
    assert [file.digest for file in found.files] == [Digest.of(index.files[filename])]


def test_credentials_open_the_index_and_are_printed_nowhere(store: Store) -> None:
    with serve_index(with_password=True) as index:
        index.add("first", "1.0")
        found = resolve(index, store, "first")
        answer = get(index, store, found)
        unknown = resolve(index, store, "nosuch")
        index.faults["first"] = ["500"] * 20
        failed = resolve(index, store, "first")

    assert isinstance(answer, Resolution)
    assert reason(failed).kind == "network"
    for outcome in (found, answer, unknown, failed):
        assert PASSWORD not in repr(outcome)
        assert USER not in repr(outcome)


def test_tools_that_are_not_what_the_lock_says_are_refused(index: Index, store: Store) -> None:
    for pin in read_pins():
        name, version, tag = pin.filename.removesuffix(".whl").split("-", 2)
        index.add(name, version, tag)

    with pytest.raises(
        EngineError, match=r"the tool bundle needs auditwheel-\S+ with sha256:\w+; the index offers sha256:"
    ):
        ensure_tools(index.host(store.path), store)


def test_wrong_credentials_are_reported(store: Store) -> None:
    with serve_index(with_password=True) as index:
        index.add("first", "1.0")
        open_index = Index(url=index.url)

        answer = reason(resolve(open_index, store, "first"))

    assert (answer.kind, answer.sentence) == ("network", "the package index refused access")
