"""A recipe is written from what a source says: filled in where it is plain, and told where it is not."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePath

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.init import Origin, Settled, recipe_of
from factory.recipe.model import FloorWay, PathSource
from factory.tags import Abi3Floor, Interpreter, PlatformTag
from tests.makers.sources import PYPROJECT, Files

ORIGIN = Origin(name=canonicalize_name("demo"), version=Version("1.0"), sha256="0" * 64)
TODAY = date(2026, 11, 22)
HERE = tuple(Interpreter(minor) for minor in (9, 11, 13))
MATURIN = '[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"\n[project]\nname = "demo"\n'
CIBW = "[tool.cibuildwheel]\n"


def make_image(role: str, platform: str = "manylinux_2_31_x86_64", *interpreters: Interpreter) -> ImageFacts:
    return ImageFacts(
        name=f"{role}-{platform}",
        family="lookalike",
        role="build" if role == "build" else "trial",
        platform=PlatformTag.parse(platform),
        interpreters=interpreters or HERE,
        rust=Version("1.95") if role == "build" else None,
        packages="apt" if role == "build" else None,
    )


IMAGES = (make_image("build"), make_image("trial"))


def written(files: Mapping[str, str], *, images: tuple[ImageFacts, ...] = IMAGES, origin: Origin = ORIGIN) -> Settled:
    return recipe_of(origin, Files(files), images, families=["lookalike"], file=Path("recipe.yaml"), today=TODAY)


def with_options(options: str, **files: str) -> Settled:
    return written({"pyproject.toml": PYPROJECT + CIBW + options, **files})


def reasons(settled: Settled, what: str) -> list[str]:
    return [left.why for left in settled.left if what in left.what]


def test_a_small_source_gives_a_small_recipe() -> None:
    script = 'setup(ext_modules=[Extension("demo._speed", ["speed.c"])])'
    settled = written({"pyproject.toml": f'{PYPROJECT}requires-python = ">=3.10"\n', "setup.py": script})

    fields = [text for text in settled.text.splitlines() if text and not text.startswith("#")]
    assert fields == [
        "factory: 1",
        "name: demo",
        "source:",
        "  sdist: demo==1.0",
        f"  sha256: '{'0' * 64}'",
        "interpreters: [cp311, cp313]  # requires-python is >=3.10",
        "platforms: [manylinux_2_31_x86_64]",
        "audit:",
        "  guessed-modules: [demo._speed]  # a guess by setup.py: the build says which of them the wheel holds",
    ]
    assert reasons(settled, "cp310, cp312, cp314, cp315") == [
        "no image here builds for them and tries them: `factory image list`"
    ]
    assert settled.refused == ""


def test_a_folder_is_named_relative_to_the_recipe() -> None:
    settled = written(
        {"pyproject.toml": PYPROJECT}, origin=Origin(name=canonicalize_name("demo"), path=PurePath("../demo"))
    )

    assert settled.recipe.source == PathSource(path=Path("../demo"))


def test_the_file_of_an_sdist_is_named_beside_the_release_that_a_build_takes() -> None:
    origin = Origin(name=ORIGIN.name, version=ORIGIN.version, sha256=ORIGIN.sha256, file="in/demo-1.0.tar.gz")

    settled = written({"pyproject.toml": PYPROJECT}, origin=origin)

    assert "demo==1.0  # read from in/demo-1.0.tar.gz; a build takes this release from the index" in settled.text


CARGO = (
    '[package]\nname = "demo"\nversion = "1.0.0"\n[dependencies]\npyo3 = {version = "0.29", features = ["abi3-py39"]}\n'
)
LOCK = '[[package]]\nname = "pyo3"\nversion = "0.29.2"\n'


def test_a_crate_s_floor_and_module_are_filled_in() -> None:
    settled = written({"pyproject.toml": MATURIN, "Cargo.toml": CARGO, "Cargo.lock": LOCK})

    assert settled.recipe.abi3 == (Abi3Floor(9),)
    assert settled.recipe.build.floor == FloorWay()
    assert settled.recipe.audit.modules == ("demo.demo",)


def test_a_floor_that_setup_py_writes_down_is_the_project_s_own_and_the_lowest_is_taken() -> None:
    script = "if LINUX: options = {'bdist_wheel': {'py_limited_api': 'cp36'}}\nelse: o = {'py_limited_api': 'cp37'}"

    settled = written({"pyproject.toml": PYPROJECT, "setup.py": script})

    assert settled.recipe.abi3 == (Abi3Floor(6),)
    assert settled.recipe.build.floor == FloorWay(kind="project")


def test_a_floor_that_cibuildwheel_hands_over_as_an_option_is_the_recipe_s_way() -> None:
    settled = with_options('build = "cp39-*"\nconfig-settings = {"--build-option" = ["--py-limited-api=cp39"]}')

    assert settled.recipe.abi3 == (Abi3Floor(9),)
    assert settled.recipe.build.floor == FloorWay(kind="option", value="--py-limited-api={floor}")
    assert settled.recipe.build.config_settings == {}
    assert [str(wanted.interpreter) for wanted in settled.recipe.interpreters] == ["cp39", "cp311", "cp313"]


def test_an_option_of_setuptools_rust_is_listed_where_the_source_leaves_the_choice() -> None:
    table = '[[tool.setuptools-rust.ext-modules]]\ntarget = "demo._rust"\npy-limited-api = "auto"\n'

    settled = written({"pyproject.toml": PYPROJECT + table, "Cargo.toml": CARGO})

    assert settled.recipe.abi3 is None
    assert settled.recipe.audit.modules == ("demo._rust",)
    assert "abi3: cp39" in reasons(settled, "py-limited-api")[0]


CFFI = {
    "setup.py": 'setup(ext_package="demo", cffi_modules=["src/build.py:ffi"])',
    "src/build.py": 'ffi.set_source("_sodium", "", libraries=[])',
}
MESON = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "mesonpy"\n[project]\nname = "demo"\n',
    "meson.build": "project('demo')\nsubdir('src')\n",
    "src/meson.build": "py.extension_module('_core', files('a.c', 'b.c'), install: true, subdir: 'demo/inner')\n",
    "docs/meson.build": "py.extension_module('example', 'e.c', subdir: 'docs')\n",
}
CMAKE = {
    "pyproject.toml": '[build-system]\nrequires=[]\nbuild-backend = "scikit_build_core.build"\n[project]\nname="d"\n',
    "CMakeLists.txt": "pybind11_add_module(_core MODULE a.cpp)\ninstall(TARGETS _core LIBRARY DESTINATION demo)\n",
}


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        pytest.param(CFFI, ("demo._sodium",), id="cffi names it in the script that setup.py names"),
        pytest.param(MESON, ("demo.inner._core",), id="meson, as far as subdir leads"),
        pytest.param(CMAKE, ("demo._core",), id="cmake, by where it is installed"),
        pytest.param({"setup.py": 'if LINUX: e = Extension("demo._linux", [])'}, (), id="not under a condition"),
        pytest.param({"setup.py": "setup(ext_modules=cythonize('demo/*.pyx'))"}, (), id="not what is computed"),
    ],
)
def test_modules_that_a_program_names_are_guesses(files: Mapping[str, str], modules: tuple[str, ...]) -> None:
    settled = written({"pyproject.toml": PYPROJECT, **files})

    assert settled.recipe.audit.guessed_modules == modules
    assert settled.recipe.audit.modules == ()
    assert bool(reasons(settled, "audit.modules")) == (not modules)


def test_modules_of_a_table_that_the_backend_reads_are_owed() -> None:
    table = '[[tool.setuptools.ext-modules]]\nname = "demo._c"\nsources = ["c.c"]\n'

    settled = written({"pyproject.toml": PYPROJECT + table})

    assert settled.recipe.audit.modules == ("demo._c",)
    assert settled.recipe.audit.guessed_modules == ()


@pytest.mark.parametrize("path", ["Demo/__init__.py", "src/demo/__init__.py"])
def test_a_package_of_the_project_s_name_is_imported_by_trials(path: str) -> None:
    settled = written({"pyproject.toml": PYPROJECT, path: "", "tests/demo/__init__.py": ""})

    assert [name.lower() for name in settled.recipe.test.imports] == ["demo"]


def test_a_package_of_another_name_is_imported_where_setuptools_listed_it() -> None:
    settled = written({"pyproject.toml": PYPROJECT, "lib/Demo.egg-info/top_level.txt": "_yaml\nyaml\ntests\n"})

    assert settled.recipe.test.imports == ("yaml",)


def test_no_package_of_another_name_or_place_is_imported() -> None:
    settled = written({"pyproject.toml": PYPROJECT, "tests/demo/__init__.py": "", "other/__init__.py": ""})

    assert settled.recipe.test.imports == ()


def test_a_module_under_a_condition_is_listed() -> None:
    settled = written({"pyproject.toml": PYPROJECT, "setup.py": 'if LINUX: e = Extension("demo._linux", [])'})

    assert "add what Linux builds" in reasons(settled, "audit.modules: demo._linux")[0]


def test_each_option_of_cibuildwheel_becomes_its_field() -> None:
    settled = with_options(
        """
build = "cp311-* cp313-*"
environment = {LEVEL = "3", PIP_CONSTRAINT = "{project}/constraints.txt"}
before-build = "make -C {project} headers"
config-settings = {setup-args = ["-Da=b", "-Dc=d"]}
repair-wheel-command = "auditwheel repair --strip --exclude libcuda.so.1 -w {dest_dir} {wheel}"
test-requires = ["pytest>=8", "attrs"]
test-groups = ["dev"]
test-extras = ["fast"]
test-sources = ["tests/data"]
test-environment = {MODE = "a b"}
before-test = "pip install numpy"
test-command = ["python -c 'import demo'", "pytest {project}/tests"]
[dependency-groups]
dev = ["hypothesis"]
""",
        **{"constraints.txt": "setuptools<80  # old\n", "tests/data/a": "", "tests/test_a.py": ""},
    )

    recipe = settled.recipe
    assert [str(wanted.interpreter) for wanted in recipe.interpreters] == ["cp311", "cp313"]
    assert dict(recipe.build.env) == {"LEVEL": "3"}
    assert [str(requirement) for requirement in recipe.build.constraints] == ["setuptools<80"]
    assert recipe.build.before == ("make -C . headers",)
    assert recipe.build.config_settings == {"setup-args": ("-Da=b", "-Dc=d")}
    assert (recipe.repair.strip, recipe.repair.exclude) == (True, ("libcuda.so.1",))
    assert {str(requirement) for requirement in recipe.test.requires} == {"pytest>=8", "attrs", "hypothesis", "numpy"}
    assert recipe.test.extras == ("fast",)
    assert recipe.test.run == (
        "export MODE='a b'",
        "mkdir -p tests/ && cp -r {source}/tests/data tests/",
        "python -c 'import demo'",
        "pytest {source}/tests",
    )


@pytest.mark.parametrize(
    ("options", "what", "why"),
    [
        ('before-build = "pip install cython"', "pip install cython", "list what they need in build.requires"),
        ('environment = {A = "$HOME/x"}', "environment.A: $HOME/x", "it needs a shell"),
        ('environment = {PYO3_PYTHON = "python3"}', "build.env.PYO3_PYTHON", "cannot be set by a recipe"),
        ('before-all = "bash {project}/prepare.sh"', "prepare.sh", "runs without the source"),
        ('before-all = "yum install -y atomic; curl x | sh"', "curl x | sh", "images of Debian have no yum"),
        ('test-command = "make check"', "make check", "trials have no make"),
        ('test-requires = "--index-url=x"\ntest-command = "pytest"', "--index-url", "the index of this machine"),
        ('test-command = "pytest"\ntest-requires = ["not a requirement"]', "not a requirement", "PEP 508"),
        ('repair-wheel-command = "mine {wheel}"', "mine {wheel}", "its own auditwheel"),
        (
            'repair-wheel-command = ["auditwheel repair {wheel}", "sign {dest_dir}"]',
            "sign {dest_dir}",
            "own auditwheel",
        ),
        ('repair-wheel-command = "auditwheel repair --zip 9 {wheel}"', "--zip", "no field"),
        ('container-engine = "podman"', "container-engine", "DOCKER_HOST"),
        ('surprise = "x"', "surprise", "not a known option of cibuildwheel"),
        ('manylinux-x86_64-image = "manylinux2014"', "manylinux2014", "no image here is that old"),
        ('archs = ["x86_64", "aarch64"]', "manylinux_aarch64", "no image here builds"),
        ('enable = ["pypy"]', "pp311", "no image here builds"),
        ('config-settings = "a"', "config-settings", "cannot be read"),
        ('test-skip = "cp313-*"', "test-skip: cp313-manylinux_x86_64", "every listed interpreter is tried"),
        ('build = "{1..100000}"', "cibuildwheel: '{1..100000}'", "choose interpreters"),
        ('build-frontend = "build; args: --no-isolation"', "--no-isolation", "in isolation"),
        ('test-groups = ["absent"]\ntest-command = "pytest"', "test-groups: absent", "no such dependency group"),
    ],
)
def test_what_cannot_be_carried_over_is_listed_with_its_reason(options: str, what: str, why: str) -> None:
    settled = with_options(options)

    assert any(why in reason for reason in reasons(settled, what)), settled.text


@pytest.mark.parametrize("option", ["before-all", "before-build"])
def test_system_packages_are_the_images_whatever_step_installs_them(option: str) -> None:
    """What `before` runs has neither root nor network, so that it could install none."""
    settled = with_options(f'{option} = "apt-get install -y clang"')

    assert settled.recipe.build.system == {"apt": ("clang",)}
    assert settled.recipe.build.before == ()


@pytest.mark.parametrize("option", ["before-all", "before-build"])
def test_packages_of_managers_that_no_image_has_are_told_with_the_field_to_write(option: str) -> None:
    """A plan refuses a recipe that lists packages for other managers alone."""
    settled = with_options(f'{option} = "yum install -y clang"')

    assert settled.refused == ""
    assert settled.recipe.build.system == {}
    assert reasons(settled, "build.system.dnf: clang") == [
        "the images here have apt: write build: {system: {apt: […]}} with its names"
    ]


@pytest.mark.parametrize(
    "script",
    [
        "set -e\n# musl\nif command -v apk; then\n  apk add clang-dev\nfi\nif which apt; then\n  apt install clang\nfi",
        "if [ -f /etc/alpine-release ]; then apk add clang-dev; else apt-get update && apt-get install -y clang; fi",
        "apt-get update\napt-get install -y clang\n",
        "(which apk && apk add clang-dev) || (which apt-get >/dev/null && apt-get -y install clang)",
    ],
)
def test_a_script_that_only_chooses_a_manager_and_installs_is_a_list_of_packages(script: str) -> None:
    """Nobody answers `apt install` without -y in a container; the factory's own call needs no answer."""
    settled = with_options(f"before-all = {json.dumps(script)}")

    assert settled.recipe.build.system["apt"] == ("clang",)
    assert settled.recipe.build.before_all == ()


def test_a_script_that_does_more_than_install_stays_whole() -> None:
    script = "if command -v apt; then apt install -y clang; ldconfig; fi"

    assert with_options(f'before-all = "{script}"').recipe.build.before_all == (script,)


def test_a_command_that_knows_debian_too_stays_whole() -> None:
    command = "(yum install -y atomic || apt-get install -y libatomic1) && ldconfig"

    settled = with_options(f'before-all = "{command}"')

    assert settled.recipe.build.before_all == (command,)


def test_a_before_all_that_is_copied_says_above_itself_that_it_runs_as_root_with_network() -> None:
    settled = with_options('before-all = "ldconfig"')

    lines = settled.text.splitlines()
    (place,) = (number for number, text in enumerate(lines) if text.startswith("  before-all:"))
    above = " ".join(text.strip().removeprefix("# ") for text in lines[place - 2 : place])
    assert above in settled.cautions
    assert "runs it as root, with network, in a container of the build image, once for each image" in above


PREPARES = (
    "#!/bin/sh\n# pip install x\nif true; then\n  apt-get update && apt-get install -y \\\n    libffi-dev $MORE\nfi\n"
)


@pytest.mark.parametrize(
    ("options", "what", "why"),
    [
        (
            'before-build = "cd deps && pip install x; make"',
            "pip install x; make",
            "it calls pip: list what it installs under build.requires",
        ),
        ('before-build = "curl -O https://a/b"', "curl -O", "it calls curl: put the file into the source"),
        ('before-build = "wget https://a | tar xz"', "wget", "it calls wget"),
        ('before-build = "curl https://sh.rustup.rs | sh"', "rustup", "build: {toolchain: {rust: "),
        ('before-build = "python3 -m pip wheel ."', "pip wheel", "under build.requires"),
        ('before-build = "git submodule update --init"', "git submodule", "it calls git"),
        ('before-build = "make x || yum install -y x-devel"', "yum install", "under build.system"),
        ('before-all = "uname -a"', "uname -a", "it only prints"),
        ('before-all = "uname -a && ldd --version"', "ldd --version", "it only prints"),
        ('before-all = "curl https://sh.rustup.rs | sh -s -- -y"', "rustup", "build: {toolchain: {rust: "),
        ('before-all = "pip install cython"', "pip install cython", "under build.requires"),
        ('before-all = ["python ./a.py", "make -C /tmp/x"]', "make -C /tmp/x", "on which it may rest"),
        ('environment = {PYTEST_ADDOPTS = "-x"}', "PYTEST_ADDOPTS", "only tests read it"),
        ('environment = {PIP_NO_BINARY = "x"}', "PIP_NO_BINARY", "neither pip nor uv"),
        ('environment = {RUSTUP_TOOLCHAIN = "nightly"}', "RUSTUP_TOOLCHAIN", "toolchain"),
        ('environment-pass = ["TOKEN"]', "TOKEN", "--allow-env"),
        ('test-command = "pytest {project}/absent"', "pytest {project}/absent", "the source has no absent"),
        ('test-command = "pytest"\ntest-sources = ["absent"]', "absent", "no such file or folder"),
        ('test-command = "pytest -x"\ntest-sources = ["absent"]', "pytest -x", "the source has no absent: an sdist"),
        (
            'test-command = "pytest -x"\ntest-requires = ["-r", "absent.txt"]',
            "pytest -x",
            "the source has no absent.txt",
        ),
        ('test-command = "pytest -x"\ntest-requires = "-rabsent.txt"', "pytest -x", "the source has no absent.txt"),
        ('test-command = "curl https://x && true"', "curl https://x", "trials have no network"),
        ('test-command = "pytest"\nbefore-test = "pip install -c absent.txt x"', "-c absent.txt", "asks for none"),
        ('test-command = "pytest"\nbefore-test = "pip install {wheel}"', "{wheel}", "path or a wheel"),
        (
            'test-command = "pytest"\nbefore-test = "pip install -i https://x y"',
            "-i https://x",
            "from the index of this machine",
        ),
    ],
)
def test_what_cannot_work_is_left_out_with_the_line_to_write(options: str, what: str, why: str) -> None:
    settled = with_options(options, **{"a.py": ""})

    assert any(why in reason for reason in reasons(settled, what)), settled.text
    assert settled.refused == ""
    fields = "\n".join(text for text in settled.text.splitlines() if not text.startswith("#"))
    assert what not in fields


@pytest.mark.parametrize("call", ["bash {project}/ci/prepare.sh", "./ci/prepare.sh", "sh ci/prepare.sh"])
@pytest.mark.parametrize("option", ["before-all", "before-build"])
def test_a_script_of_the_source_is_read_for_the_packages_that_it_installs(option: str, call: str) -> None:
    settled = with_options(f'{option} = "{call}"', **{"ci/prepare.sh": PREPARES})

    assert settled.recipe.build.system == {"apt": ("libffi-dev",)}
    assert (settled.recipe.build.before, settled.recipe.build.before_all) == ((), ())


def test_a_script_that_installs_nothing_stays_a_line_of_before() -> None:
    settled = with_options('before-build = "sh ci/prepare.sh"', **{"ci/prepare.sh": "make -C deps\n# curl x\n"})

    assert settled.recipe.build.before == ("sh ci/prepare.sh",)


@pytest.mark.parametrize("command", ["make headers", "python -c 'print(1)' > a.h", "rm -rf build", "git apply a.patch"])
def test_a_line_of_before_that_works_offline_stays(command: str) -> None:
    settled = written({"pyproject.toml": PYPROJECT + CIBW + f'before-build = """{command}"""\n'})

    assert settled.recipe.build.before == (command,)


def test_a_constraints_file_is_no_requirement() -> None:
    options = 'before-build = "pip install -c pins.txt cython"\nbuild-frontend = "build; args: --no-isolation"\n'

    settled = with_options(options, **{"pins.txt": "cython==3.1\n"})

    assert [str(requirement) for requirement in settled.recipe.build.requires] == ["cython"]
    assert [str(requirement) for requirement in settled.recipe.build.constraints] == ["cython==3.1"]


def test_a_dependency_group_that_pip_is_to_install_is_read() -> None:
    options = 'test-command = "pytest"\nbefore-test = "pip install --group dev"\n[dependency-groups]\ndev = ["attrs"]\n'

    assert [str(requirement) for requirement in with_options(options).recipe.test.requires] == ["attrs"]


def test_an_interpreter_that_the_planner_refuses_is_not_in_the_recipe() -> None:
    """An abi3 floor that the project fixes leaves no wheel of their own to older interpreters."""
    scikit = (
        '[build-system]\nrequires = []\nbuild-backend = "scikit_build_core.build"\n[project]\nname = "demo"\n'
        '[tool.scikit-build.wheel]\npy-api = "cp312"\n'
    )

    settled = written({"pyproject.toml": scikit + CIBW + 'before-all = "yum install -y clang"\n'})

    assert settled.refused == ""
    assert [str(wanted.interpreter) for wanted in settled.recipe.interpreters] == ["cp313"]
    assert settled.recipe.abi3 == (Abi3Floor(12),)
    assert "its abi3 floor is cp312" in reasons(settled, "interpreters: cp311")[0]


CONDITIONAL = """
fast = Extension("demo._fast", ["fast.c"])
slow = Extension("demo._slow", ["slow.c"])
modules = [slow]
if sys.platform == "linux":
    modules.append(fast)
setup(ext_modules=modules)
"""


def test_a_module_that_is_added_under_a_condition_is_not_certain() -> None:
    settled = written({"pyproject.toml": PYPROJECT, "setup.py": CONDITIONAL})

    assert settled.recipe.audit.guessed_modules == ("demo._slow",)
    assert reasons(settled, "audit.modules: demo._fast")


def test_a_module_of_meson_under_a_condition_is_not_certain() -> None:
    build = "if host == 'darwin'\n  py.extension_module('_mac', 'a.m', subdir: 'demo')\nendif\n"
    build += "py.extension_module('_core', 'a.c', subdir: 'demo')\n"

    settled = written({"pyproject.toml": MESON["pyproject.toml"], "meson.build": build})

    assert settled.recipe.audit.guessed_modules == ("demo._core",)


FOR_CTYPES = """
class Wheel(bdist_wheel):
    def get_tag(self):
        return "py3", "none", super().get_tag()[2]
setup(ext_modules=[Extension("demo._c", ["c.c"])], cmdclass={"bdist_wheel": Wheel},
      options={"x": {"py_limited_api": "cp39"}})
"""


def test_a_library_for_ctypes_is_no_module_and_has_no_floor() -> None:
    settled = written({"pyproject.toml": PYPROJECT, "setup.py": FOR_CTYPES})

    assert settled.recipe.audit.modules == ()
    assert settled.recipe.abi3 is None
    assert reasons(settled, "audit.modules") == []


@pytest.mark.parametrize(
    "tables", ["", "[tool.hatch.build.hooks.vcs]\n", "[tool.hatch.build.targets.wheel.hooks.version]\n"]
)
def test_a_pure_python_project_is_told_to_need_no_factory(tables: str) -> None:
    settled = written({"pyproject.toml": PYPROJECT + tables, "setup.py": "setup()", "demo/__init__.py": ""})

    assert any("pure Python" in caution for caution in settled.cautions)
    assert reasons(settled, "audit.modules") == []


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "setup(ext_modules=make())"},
        {"pyproject.toml": PYPROJECT + "[tool.hatch.build.hooks.custom]\n"},
        {"pyproject.toml": PYPROJECT + "[tool.hatch.build.targets.wheel.hooks.mypyc]\n"},
        {"setup.py": "setup(cffi_modules=['a.py:ffi'])"},
        {"demo/a.pyx": ""},
        {"setup.py": "setup(distclass=BinaryDistribution)"},
        {"CMakeLists.txt": ""},
    ],
)
def test_a_project_that_compiles_something_is_not_called_pure(files: Mapping[str, str]) -> None:
    assert written({"pyproject.toml": PYPROJECT, **files}).cautions == ()


def test_a_download_of_a_build_is_listed_with_what_may_stand_in_for_it() -> None:
    script = "if not os.environ.get('USE_SYSTEM_LIB'):\n    urlretrieve('https://files.example/lib.tar.gz')\n"

    settled = written({"pyproject.toml": PYPROJECT, "setup.py": script, "a.c": ""})

    (why,) = reasons(settled, "line 2 of setup.py downloads https://files.example/lib.tar.gz")
    assert why.startswith("builds have no network: build: {system: …} installs the library")
    assert "by a variable that the build reads (USE_SYSTEM_LIB)" in why


@pytest.mark.parametrize("options", ["", 'before-all = "yum install -y clang"', 'before-build = "./configure"'])
def test_a_recipe_without_before_all_needs_no_caution(options: str) -> None:
    settled = with_options(options, **{"speed.c": ""})

    assert settled.cautions == ()
    assert "as root" not in settled.text


def test_what_only_tests_need_is_left_out_where_there_is_no_test() -> None:
    settled = with_options('test-requires = "pytest"')

    assert settled.recipe.test.requires == ()
    assert reasons(settled, "test.requires: pytest") == ["no test uses it"]


def test_a_requirements_file_is_followed_and_cannot_go_round() -> None:
    files = {"requirements/a.txt": "-r b.txt\npytest==8.1\n", "requirements/b.txt": "-r a.txt\nattrs\n"}

    settled = with_options('test-command = "pytest"\ntest-requires = "-r requirements/a.txt"', **files)

    assert {str(requirement) for requirement in settled.recipe.test.requires} == {"pytest==8.1", "attrs"}
    assert reasons(settled, "-r")


def test_a_file_is_taken_once_however_often_it_is_named() -> None:
    """A file that named itself twenty times, five deep, took a minute of processor time."""
    read: list[str] = []

    class Counting(Files):
        def read(self, path: str) -> bytes | None:
            read.append(path)
            return super().read(path)

    options = 'test-command = "pytest"\ntest-requires = "-r a0.txt"\n'
    chain = {f"a{depth}.txt": f"-r a{depth + 1}.txt\n" * 20 + "attrs\n" for depth in range(5)}
    tree = Counting({"pyproject.toml": PYPROJECT + CIBW + options, **chain, "a5.txt": "-r a0.txt\n"})

    settled = recipe_of(ORIGIN, tree, IMAGES, families=["lookalike"], file=Path("recipe.yaml"), today=TODAY)

    assert [str(requirement) for requirement in settled.recipe.test.requires] == ["attrs"]
    assert len(read) < 1000, "20 ** 5 before"


def test_a_file_that_leads_to_itself_is_listed() -> None:
    settled = with_options('test-command = "x"\ntest-requires = "-r a.txt"\n', **{"a.txt": "-r a.txt\n" * 20})

    assert reasons(settled, "-r a.txt") == ["the file leads to itself"]


@pytest.mark.thorough
def test_the_lines_of_requirements_files_are_bounded() -> None:
    options = 'test-command = "pytest"\ntest-requires = "-r a.txt"\n'

    settled = with_options(options, **{"a.txt": "attrs\n" * 20_000})

    assert reasons(settled, "test-requires: a.txt") == ["of requirements files, 10000 lines are read"]


def test_an_override_for_every_build_is_laid_over_and_one_for_some_is_listed() -> None:
    overrides = """
environment = {A = "1"}
test-command = "pytest"
[[tool.cibuildwheel.overrides]]
select = "*-manylinux*"
inherit.environment = "append"
environment = {B = "2"}
[[tool.cibuildwheel.overrides]]
select = "cp313-*"
test-command = "false"
[[tool.cibuildwheel.overrides]]
select = "*-win32"
test-command = "false"
"""
    settled = with_options(overrides)

    assert dict(settled.recipe.build.env) == {"A": "1", "B": "2"}
    assert settled.recipe.test.run == ("pytest",)
    assert [left.what for left in settled.left if "overrides" in left.what] == [
        "pyproject.toml: tool.cibuildwheel.overrides: cp313-*"
    ]


def test_selectors_that_leave_out_one_platform_of_an_interpreter_become_skips() -> None:
    images = (
        *IMAGES,
        make_image("build", "musllinux_1_2_x86_64"),
        make_image("trial", "musllinux_1_2_x86_64"),
    )

    settled = written({"pyproject.toml": f'{PYPROJECT}{CIBW}skip = "cp39-musllinux*"\n'}, images=images)

    assert [rule.select for rule in settled.recipe.skip] == ["cp39-cp39-musllinux_1_2_x86_64"]


@pytest.mark.parametrize(
    ("stated", "platform"),
    [
        ("manylinux2014", "manylinux_2_31_x86_64"),
        ("manylinux_2_31", "manylinux_2_31_x86_64"),
        ("manylinux_2_34", "manylinux_2_34_x86_64"),
        ("manylinux_2_90", "manylinux_2_31_x86_64"),
        ("quay.io/mine/image", "manylinux_2_31_x86_64"),
    ],
)
def test_the_ceiling_is_that_of_cibuildwheel_s_image_where_images_here_reach_it(stated: str, platform: str) -> None:
    images = (*IMAGES, make_image("trial", "manylinux_2_36_x86_64"))

    settled = written({"pyproject.toml": f'{PYPROJECT}{CIBW}manylinux-x86_64-image = "{stated}"\n'}, images=images)

    assert [str(ceiling) for ceiling in settled.recipe.platforms] == [platform]


def test_the_linux_table_and_a_file_of_its_own_are_read() -> None:
    table = '[tool.cibuildwheel]\ntest-command = "a"\n[tool.cibuildwheel.linux]\ntest-command = "b"\n'

    settled = written({"pyproject.toml": PYPROJECT, "cibuildwheel.toml": table})

    assert settled.recipe.test.run == ("b",)


def test_settings_in_workflows_are_listed() -> None:
    settled = written(
        {"pyproject.toml": PYPROJECT, ".github/workflows/wheels.yml": "env:\n  CIBW_SKIP: x\n  CIBW_BUILD: y\n"}
    )

    assert reasons(settled, ".github/workflows/wheels.yml: CIBW_BUILD, CIBW_SKIP")


def test_a_source_that_cannot_be_read_gives_a_recipe_that_says_so() -> None:
    settled = written({"pyproject.toml": "[project"})

    assert "pyproject.toml is not valid TOML" in settled.refused
    assert any("pyproject.toml is not valid TOML" in left.what for left in settled.left)


def test_a_plan_that_cannot_be_is_told_in_the_recipe() -> None:
    images = (replace(IMAGES[0], rust=Version("1.60")), IMAGES[1])
    cargo = CARGO.replace('version = "1.0.0"', 'version = "1.0.0"\nrust-version = "1.83"')

    settled = written({"pyproject.toml": MATURIN, "Cargo.toml": cargo, "Cargo.lock": LOCK}, images=images)

    assert settled.refused.startswith("demo needs Rust 1.83")
    assert "# * `factory plan` refuses this recipe: demo needs Rust 1.83" in settled.text


def test_without_an_image_that_builds_and_one_that_tries_there_is_no_recipe() -> None:
    with pytest.raises(ImageError, match="builds for anything that can be tried here"):
        written({"pyproject.toml": PYPROJECT}, images=(make_image("build"),))


def test_hostile_texts_break_no_line_and_no_comment() -> None:
    options = (
        'test-command = "x"\nenvironment = {A = "a\\n# b: \\u0007", "B:\\n#" = "c"}\nsurprise = "a\\nfactory: 2"\n'
    )

    settled = with_options(options)

    assert dict(settled.recipe.build.env) == {}
    assert all(text.isprintable() for text in settled.text.splitlines())
