"""What a build's scripts download is found by reading, with the variables that may tell them not to."""

from collections.abc import Mapping

import pytest

from factory.project.downloads import downloads
from tests.makers.sources import Files

URL = "https://files.example/lib-1.0.tar.gz"


@pytest.mark.parametrize(
    ("files", "script", "line", "url"),
    [
        pytest.param({"setup.py": f"import x\nurlretrieve('{URL}', 'lib')\n"}, "setup.py", 2, URL, id="urlretrieve"),
        pytest.param({"setup.py": f"U = ('{URL[:9]}'\n'{URL[9:]}')\nurlopen(U)\n"}, "setup.py", 3, URL, id="by name"),
        pytest.param({"setup.py": f"r = requests.get('{URL}')\n"}, "setup.py", 1, URL, id="requests"),
        pytest.param({"setup.py": "run(['curl', '-O', url])\n"}, "setup.py", 1, "", id="curl"),
        pytest.param({"setup.py": "run('git clone {}'.format(repo), shell=True)\n"}, "setup.py", 1, "", id="git"),
        pytest.param({"setup.py": "os.system(f'wget {url}')\n"}, "setup.py", 1, "", id="wget"),
        pytest.param(
            {"setup.py": "from helper import get\n", "helper.py": f"def get():\n    urlopen('{URL}')\n"},
            "helper.py",
            2,
            URL,
            id="in a module beside setup.py",
        ),
        pytest.param({"hatch_build.py": f"urlopen('{URL}')\n"}, "hatch_build.py", 1, URL, id="in a hook of hatchling"),
    ],
)  # fmt: skip
def test_a_download_is_found_where_it_is(files: Mapping[str, str], script: str, line: int, url: str) -> None:
    (download,) = downloads(Files(files), "setuptools")

    assert (download.script, download.line, download.url) == (script, line, url)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"setup.py": f"setup(url='{URL}', download_url='{URL}')\n"}, id="a link for people"),
        pytest.param({"setup.py": "setup()\n", "tools/release.py": f"urlopen('{URL}')\n"}, id="not of the build"),
        pytest.param({"setup.py": "check_call(['git', 'describe'])\n"}, id="git that fetches nothing"),
        pytest.param({"setup.py": "urlopen(\n"}, id="no Python"),
    ],
)
def test_nothing_else_is_a_download(files: Mapping[str, str]) -> None:
    assert downloads(Files(files), "setuptools") == ()


READS = """\
if "LIB_DIR" in os.environ or os.environ.get("LIB_BUNDLED") or getenv("USE_SYSTEM"):
    pass
flags = os.environ["CFLAGS"] + os.environ["LIB_DIR"]
urlopen(URL)
"""


def test_the_variables_that_the_build_reads_are_named_but_for_everybodys() -> None:
    (download,) = downloads(Files({"setup.py": READS}), "setuptools")

    assert download.variables == ("LIB_BUNDLED", "LIB_DIR", "USE_SYSTEM")
    assert download.way == (
        "build: {system: …} installs the library, if the build looks for one first, or {env: …} names one by a "
        "variable that the build reads (LIB_BUNDLED, LIB_DIR, USE_SYSTEM); {before-all: …} downloads a file into the "
        "image"
    )


def test_a_script_that_no_variable_reaches_is_to_be_patched() -> None:
    (download,) = downloads(Files({"setup.py": "urlopen(URL)\n"}), "setuptools")

    assert download.place == "line 1 of setup.py downloads something"
    assert download.way.endswith("downloads a file into the image, or patch the call out (patches)")


def test_a_project_in_a_folder_of_the_source_is_read_there() -> None:
    (download,) = downloads(Files({"py/setup.py": f"urlopen('{URL}')\n", "setup.py": ""}), "setuptools", "py/")

    assert download.script == "py/setup.py"
