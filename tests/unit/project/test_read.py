"""A project is read from its files, never run."""

import time
from collections.abc import Mapping

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.errors import SourceError
from factory.project.metadata import Metadata
from factory.project.model import Project
from factory.project.read import read_project
from factory.project.rust import Choices
from tests.budgets import within_cpu, within_memory
from tests.makers.sources import PYPROJECT, Files

MATURIN = '[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"\n[project]\nname = "Demo.X"\n'
LOCK = '[[package]]\nname = "pyo3"\nversion = "0.29.2"\n'


def read(files: Mapping[str, str], **choices: object) -> Project:
    return read_project(Files(files), choices=Choices(**choices))  # type: ignore[arg-type] # the test says which


def rust(cargo: str, *, maturin: str = "", **files: str) -> dict[str, str]:
    """Make a maturin project of one crate; `cargo` follows its package table."""
    manifest = f'[package]\nname = "demo-x"\nversion = "1.0.0"\n{cargo}'
    return {"pyproject.toml": MATURIN + maturin, "Cargo.toml": manifest, "Cargo.lock": LOCK, **files}


def test_a_setuptools_project_is_read_from_pyproject() -> None:
    table = 'version = "1.0"\nrequires-python = ">=3.9"\ndependencies = ["cffi>=2; python_version>\'3\'"]\n'

    project = read({"pyproject.toml": PYPROJECT + table})

    assert (project.name, project.version, project.backend) == ("demo", Version("1.0"), "setuptools")
    assert str(project.requires_python) == ">=3.9"
    assert [str(requirement) for requirement in project.dependencies] == ['cffi>=2; python_version > "3"']
    assert [str(requirement) for requirement in project.build_system.requires] == ["setuptools"]


def test_pkg_info_states_what_pyproject_leaves_dynamic() -> None:
    """PEP 643: a field that is not marked dynamic in a sdist holds for every wheel built from it."""
    info = (
        "Metadata-Version: 2.2\nName: Demo\nVersion: 1.5\nRequires-Python: >=3.10\n"
        "Requires-Dist: cffi\nRequires-Dist: pytest; extra == 'test'\n"
    )
    project = read(
        {"pyproject.toml": f'{PYPROJECT}dynamic = ["version", "dependencies", "requires-python"]', "PKG-INFO": info}
    )

    assert project.version == Version("1.5")
    assert str(project.requires_python) == ">=3.10"
    assert [str(requirement) for requirement in project.dependencies] == ["cffi"]


@pytest.mark.parametrize("head", ["Metadata-Version: 2.1\n", "Metadata-Version: 2.2\nDynamic: Requires-Dist\n"])
def test_dependencies_that_a_build_may_change_are_not_stated(head: str) -> None:
    info = f"{head}Name: demo\nVersion: 1\nRequires-Dist: cffi\n"

    project = read({"setup.py": "", "PKG-INFO": info})

    assert project.dependencies == ()


def test_an_old_project_is_read_from_setup_cfg() -> None:
    options = "[options]\npython_requires = >=3.8\ninstall_requires =\n  cffi\n  six\n"

    project = read({"setup.cfg": f"[metadata]\nname = demo\nversion = 1.0\n{options}"})

    assert (project.name, project.version, str(project.requires_python)) == ("demo", Version("1.0"), ">=3.8")
    assert [str(requirement) for requirement in project.dependencies] == ["cffi", "six"]
    assert project.build_system.build_backend == "setuptools.build_meta:__legacy__"
    assert [str(requirement) for requirement in project.build_system.requires] == ["setuptools>=40.8.0"]


def test_an_older_one_is_read_from_the_literals_of_setup_py() -> None:
    script = (
        "import os\nfrom setuptools import setup, Extension\nraise SystemExit('run')\n"
        "setup(name='demo', version=os.environ['V'], python_requires='>=3.7',\n"
        "      ext_modules=[Extension('demo._fast', ['a.c'])])\n"
    )
    project = read({"setup.py": script})

    assert (project.name, project.version, str(project.requires_python)) == ("demo", None, ">=3.7")
    assert project.module == "demo._fast"


@pytest.mark.parametrize("script", ["print 'two'", "\0", "(" * 5000])
def test_a_setup_py_that_cannot_be_parsed_says_nothing(script: str) -> None:
    project = read({"setup.py": script, "pyproject.toml": PYPROJECT})

    assert (project.name, project.module) == ("demo", None)


@pytest.mark.parametrize(
    ("backend", "path", "name"),
    [
        ("maturin", "", "maturin"),
        ("setuptools.build_meta", "", "setuptools"),
        ("setuptools.build_meta:__legacy__", "", "setuptools"),
        ("scikit_build_core.build", "", "pep517"),
        ("setuptools.build_meta", 'backend-path = ["."]', "pep517"),
        ("maturin_import_hook", "", "pep517"),
    ],
)
def test_backends_have_our_own_names(backend: str, path: str, name: str) -> None:
    table = f'[project]\nname = "demo"\n[build-system]\nrequires = []\nbuild-backend = "{backend}"\n{path}\n'

    project = read({"pyproject.toml": table, "Cargo.toml": '[package]\nname = "demo"\n'})

    assert project.backend == name


def test_a_recipe_may_choose_another_backend_and_manifest() -> None:
    files = {"pyproject.toml": PYPROJECT, "rs/Cargo.toml": '[package]\nname = "d"\nrust-version = "1.83"\n'}

    project = read(files, backend="pep517", manifest="rs/Cargo.toml")

    assert (project.backend, project.cargo_manifest, project.rust_version) == (
        "pep517",
        "rs/Cargo.toml",
        Version("1.83"),
    )


def test_a_project_in_a_subfolder_has_paths_from_the_root() -> None:
    files = {f"python/{name}": text for name, text in rust("[dependencies]\npyo3 = '0.29'\n").items()}

    project = read_project(Files(files), "python")

    assert (project.name, project.cargo_manifest, project.cargo_lock) == (
        "demo-x",
        "python/Cargo.toml",
        "python/Cargo.lock",
    )


def test_a_crate_says_what_it_is() -> None:
    project = read(rust("rust-version = '1.83'\n[dependencies]\npyo3 = '0.29'\n"))

    assert project.pyo3 is not None
    assert project.pyo3.version == Version("0.29.2")
    assert project.rust_version == Version("1.83")
    assert project.module == "demo_x.demo_x"
    assert project.cargo_lock_digest is not None
    assert project.floor is None


@pytest.mark.parametrize(
    ("maturin", "module"),
    [
        ("", "demo_x.demo_x"),
        ("module-name = 'fast'", "fast.fast"),
        ("module-name = 'demo.x._fast'", "demo.x._fast"),
        ("bindings = 'bin'", None),
        ("bindings = 'cffi'", None),
    ],
)
def test_maturin_names_the_module(maturin: str, module: str | None) -> None:
    project = read(rust("[dependencies]\npyo3 = '0.29'\n", maturin=f"[tool.maturin]\n{maturin}\n"))

    assert project.module == module


FLOORS = {
    "on-the-dependency": ("[dependencies]\npyo3 = {version = '0.29', features = ['abi3-py38']}\n", "", ["cp38"]),
    "lowest-wins": ("[dependencies]\npyo3 = {version = '1', features = ['abi3-py311', 'abi3-py39']}\n", "", ["cp39"]),
    "default-feature": (
        "[dependencies]\npyo3 = '0.29'\n[features]\ndefault = ['stable']\nstable = ['pyo3/abi3-py310']\n",
        "",
        ["cp310"],
    ),
    "feature-not-on-by-default": ("[dependencies]\npyo3 = '1'\n[features]\nabi3 = ['pyo3/abi3-py39']\n", "", None),
    "maturins-feature": (
        "[dependencies]\npyo3 = '1'\n[features]\nabi3 = ['pyo3/abi3-py39']\n",
        "features = ['abi3']",
        ["cp39"],
    ),
    "maturins-feature-of-pyo3": ("[dependencies]\npyo3 = '1'\n", "features = ['pyo3/abi3-py39']", ["cp39"]),
    "maturins-feature-for-some-pythons": (
        "[dependencies]\npyo3 = '1'\n",
        "features = [{feature = 'pyo3/abi3-py39', python-version = '>=3.11'}]",
        None,
    ),
    "maturin-without-defaults": (
        "[dependencies]\npyo3 = '1'\n[features]\ndefault = ['pyo3/abi3-py39']\n",
        "no-default-features = true",
        None,
    ),
    "pyo3-under-another-name": (
        "[dependencies]\npy = {package = 'pyo3', version = '1', features = ['abi3-py39']}\n",
        "",
        ["cp39"],
    ),
    "pyo3-ffi": ("[dependencies]\npyo3-ffi = {version = '1', features = ['abi3-py39']}\n", "", ["cp39"]),
    "table-of-its-own": ("[dependencies.pyo3]\nversion = '1'\nfeatures = ['abi3-py39']\n", "", ["cp39"]),
    "abi3t-beside-it": (
        "[dependencies]\npyo3 = {version = '1', features = ['abi3-py39', 'abi3t-py315']}\n",
        "",
        ["cp39", "cp315t"],
    ),
    "without-a-version": ("[dependencies]\npyo3 = {version = '1', features = ['abi3']}\n", "", None),
    "of-an-optional-dependency-that-is-off": (
        "[dependencies]\npyo3 = {version = '1', optional = true, features = ['abi3-py39']}\n",
        "",
        None,
    ),
    "of-an-optional-dependency-that-is-on": (
        "[features]\ndefault = ['dep:pyo3']\n[dependencies.pyo3]\noptional = true\nfeatures = ['abi3-py39']\n",
        "",
        ["cp39"],
    ),
    "weak-and-off": (
        "[dependencies]\npyo3 = {version = '1', optional = true}\n[features]\ndefault = ['pyo3?/abi3-py39']\n",
        "",
        None,
    ),
    "weak-and-on": (
        "[dependencies]\npyo3 = {version = '1', optional = true}\n[features]\ndefault = ['pyo3?/abi3-py39', 'pyo3']\n",
        "",
        ["cp39"],
    ),
    "features-in-a-ring": (
        "[dependencies]\npyo3 = '1'\n[features]\ndefault = ['a']\na = ['b']\nb = ['a', 'pyo3/abi3-py39']\n",
        "",
        ["cp39"],
    ),
}


@pytest.mark.parametrize(("cargo", "maturin", "floors"), FLOORS.values(), ids=FLOORS)
def test_the_floor_is_read_from_cargos_features(cargo: str, maturin: str, floors: list[str] | None) -> None:
    project = read(rust(cargo, maturin=f"[tool.maturin]\n{maturin}\n"))

    assert floors == (project.floor and [str(floor) for floor in project.floor.floors])


def test_a_floor_says_where_it_was_read() -> None:
    project = read(rust("[dependencies]\npyo3 = {version = '1', features = ['abi3-py39', 'abi3t-py315']}\n"))

    assert project.floor is not None
    assert project.floor.where == "Cargo.toml asks PyO3 for abi3-py39 and abi3t-py315"
    assert project.floor.way == "default"


def test_of_several_features_for_one_abi_the_plan_says_that_the_lowest_wins() -> None:
    project = read(
        rust("[dependencies]\npyo3 = {version = '1', features = ['abi3-py312', 'abi3-py39', 'abi3-py310']}\n")
    )

    assert project.floor is not None
    assert project.floor.where == (
        "Cargo.toml asks PyO3 for abi3-py39 (the lowest wins; it also asks for abi3-py310, abi3-py312)"
    )


def test_a_recipes_features_count_and_replace_maturins() -> None:
    cargo = "[dependencies]\npyo3 = '1'\n[features]\ndefault = ['pyo3/abi3-py312']\nlow = ['pyo3/abi3-py39']\n"
    files = rust(cargo, maturin="[tool.maturin]\nfeatures = ['pyo3/abi3-py38']\n")

    chosen = read(files, features=("low",))
    alone = read(files, features=("low",), default_features=False)

    assert chosen.floor is not None
    assert alone.floor is not None
    assert str(chosen.floor.floors[0]) == str(alone.floor.floors[0]) == "cp39"
    assert alone.pyo3 is not None
    assert "abi3-py312" not in alone.pyo3.features


def test_a_workspace_gives_what_its_members_inherit() -> None:
    project = read(
        {
            "pyproject.toml": f"{MATURIN}[tool.maturin]\nmanifest-path = 'src/rust/Cargo.toml'\n",
            "Cargo.toml": (
                "[workspace]\nmembers = ['src/rust']\n[workspace.package]\nrust-version = '1.83.0'\n"
                "[workspace.dependencies]\npyo3 = {version = '0.29', features = ['abi3-py311']}\n"
                "inner = {path = 'inner'}\n"
            ),
            "Cargo.lock": LOCK,
            "src/rust/Cargo.toml": (
                "[package]\nname = 'demo-rust'\nrust-version.workspace = true\n"
                "[dependencies]\npyo3.workspace = true\ninner = {workspace = true, features = ['stable']}\n"
            ),
            "inner/Cargo.toml": (
                "[package]\nname = 'inner'\n[dependencies]\npyo3 = {workspace = true, features = ['macros']}\n"
                "[features]\nstable = ['pyo3/abi3-py39']\n"
            ),
        }
    )

    assert project.cargo_lock == "Cargo.lock"
    assert project.rust_version == Version("1.83.0")
    assert project.pyo3 is not None
    assert project.pyo3.features == {"default", "abi3-py311", "abi3-py39", "macros"}


def test_a_crate_that_its_workspace_excludes_stands_alone() -> None:
    files = {
        "pyproject.toml": f"{MATURIN}[tool.maturin]\nmanifest-path = 'py/Cargo.toml'\n",
        "Cargo.toml": "[workspace]\nexclude = ['py']\n",
        "Cargo.lock": LOCK,
        "py/Cargo.toml": "[package]\nname = 'demo'\n[dependencies]\npyo3 = '1'\n",
        "py/Cargo.lock": LOCK.replace("0.29.2", "0.30.1-beta.1"),
    }

    project = read(files)

    assert project.cargo_lock == "py/Cargo.lock"
    assert project.pyo3 is not None
    assert project.pyo3.version == Version("0.30.1")


def test_without_a_lock_pyo3_has_no_version() -> None:
    files = rust("[dependencies]\npyo3 = '0.29'\n")
    del files["Cargo.lock"]

    project = read(files)

    assert project.pyo3 is not None
    assert (project.pyo3.version, project.cargo_lock) == (None, None)


CDYLIB = "[lib]\ncrate-type = ['cdylib']\n"
BINDINGS = {
    "pyo3": ("[dependencies]\npyo3 = '1'\n", "", {}, None, False),
    "told-to-be-a-program": (CDYLIB, "bindings = 'bin'", {}, "pyproject.toml: tool.maturin says bindings = bin", True),
    "told-to-be-cffi": (CDYLIB, "bindings = 'cffi'", {}, "pyproject.toml: tool.maturin says bindings = cffi", False),
    "a-library-without-pyo3": (CDYLIB, "", {}, "maturin takes Cargo.toml for cffi", False),
    "uniffi": (f"{CDYLIB}[dependencies]\nuniffi = '0.29'\n", "", {}, "maturin takes Cargo.toml for uniffi", False),
    "a-main-file": ("", "", {"src/main.rs": ""}, "maturin takes Cargo.toml for bin", True),
    "a-file-of-programs": ("", "", {"src/bin/tool.rs": ""}, "maturin takes Cargo.toml for bin", True),
    "a-table-of-programs": ("[[bin]]\nname = 'tool'\n", "", {}, "maturin takes Cargo.toml for bin", True),
    "a-program-beside-a-module": (f"{CDYLIB}[dependencies]\npyo3 = '1'\n", "", {"src/main.rs": ""}, None, False),
    "a-program-that-embeds-python": ("[dependencies]\npyo3 = '1'\n", "", {"src/main.rs": ""}, None, True),
    "nothing-to-pack": ("", "", {"src/lib.rs": ""}, None, False),
}


@pytest.mark.parametrize(("cargo", "maturin", "files", "why", "programs"), BINDINGS.values(), ids=BINDINGS)
def test_maturins_bindings_say_whether_a_wheel_is_for_every_python(
    cargo: str, maturin: str, files: dict[str, str], why: str | None, programs: bool
) -> None:
    project = read(rust(cargo, maturin=f"[tool.maturin]\n{maturin}\n", **files))

    assert (said(project), project.programs) == (why and f"py3-none: {why}", programs)


def said(project: Project) -> str | None:
    return None if project.any_abi is None else f"{project.any_abi.tag}: {project.any_abi.where}"


@pytest.mark.parametrize(
    ("api", "why"),
    [
        ("py3", "py3-none: pyproject.toml: tool.scikit-build.wheel says py-api = py3"),
        ("py2.py3", "py2.py3-none: pyproject.toml: tool.scikit-build.wheel says py-api = py2.py3"),
        ("py310", "py310-none: pyproject.toml: tool.scikit-build.wheel says py-api = py310"),
        ("", None),
    ],
)
def test_a_cmake_project_may_say_that_it_holds_no_module(api: str, why: str | None) -> None:
    table = f'[tool.scikit-build]\nwheel.py-api = "{api}"\n'

    project = read({"pyproject.toml": PYPROJECT.replace("setuptools.build_meta", "scikit_build_core.build") + table})

    assert (said(project), project.floor) == (why, None)


def setup(get_tag: str, use: str = 'setup(cmdclass={"bdist_wheel": Wheel})') -> dict[str, str]:
    """Make a setuptools project whose command has this body of `get_tag`."""
    body = "".join(f"            {line}\n" for line in get_tag.splitlines())
    command = f"    class Wheel(bdist_wheel):\n        def get_tag(self):\n{body}"
    return {"pyproject.toml": PYPROJECT, "setup.py": f"try:\n{command}except ImportError:\n    pass\n{use}\n"}


SUPER = "python, abi, plat = super().get_tag()\n"
COMMANDS = {
    "a-tuple": (setup('return "py3", "none", super().get_tag()[2]'), "py3-none"),
    "a-sum": (setup('return ("py3", "none") + super().get_tag()[2:]'), "py3-none"),
    "names-that-are-given-again": (
        setup(f'{SUPER}python, abi = "py2.py3", "none"\nreturn python, abi, plat'),
        "py2.py3-none",
    ),
    "one-name-after-the-other": (setup('a = "py310"\nb = "none"\nreturn a, b, get_platform()'), "py310-none"),
    "a-platform-that-depends": (
        setup(f'{SUPER}if plat == "x":\n    plat = "y"\nreturn "py3", "none", plat'),
        "py3-none",
    ),
    "added-to-a-dictionary": (setup('return "py3", "none", plat', 'cmdclass["bdist_wheel"] = Wheel'), "py3-none"),
    "given-by-keyword": (setup('return "py3", "none", plat', "setup(cmdclass=dict(bdist_wheel=Wheel))"), "py3-none"),
    "another-class": (setup('return "py3", "none", plat', 'setup(cmdclass={"bdist_wheel": Other})'), None),
    "no-command": (setup('return "py3", "none", plat', "setup()"), None),
    "a-pure-wheel": (setup('return "py3", "none", "any"'), None),
    "an-abi": (setup('return "cp39", "abi3", plat'), None),
    "another-tag-in-a-branch": (
        setup(f'{SUPER}if binary:\n    return "py3", "none", plat\nreturn python, abi, plat'),
        None,
    ),
    "a-name-that-a-branch-may-change": (
        setup(f'{SUPER}if binary:\n    python, abi = "py3", "none"\nreturn python, abi, plat'),
        None,
    ),
    "computed": (setup('return os.environ["TAG"], "none", plat'), None),
    "nothing-returned": (setup("pass"), None),
    "in-a-module": (
        {
            "pyproject.toml": f'{PYPROJECT}[tool.setuptools.cmdclass]\nbdist_wheel = "tools.wheels.Wheel"\n',
            "tools/wheels.py": setup('return "py3", "none", plat')["setup.py"],
        },
        "py3-none",
    ),
    "in-a-module-that-is-not-there": (
        {"pyproject.toml": f'{PYPROJECT}[tool.setuptools.cmdclass]\nbdist_wheel = "..Wheel"\n'},
        None,
    ),
}


@pytest.mark.parametrize(("files", "tag"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_of_setuptools_may_tag_wheels_for_every_python(files: dict[str, str], tag: str | None) -> None:
    read_tag = read(files).any_abi

    assert (None if read_tag is None else str(read_tag.tag)) == tag
    assert read_tag is None or read_tag.where.endswith(f": Wheel.get_tag returns {tag}")


HATCH = PYPROJECT.replace("setuptools.build_meta", "hatchling.build")


def hatch(hook: str, table: str = "[tool.hatch.build.targets.wheel.hooks.custom]\n", **files: str) -> dict[str, str]:
    """Make a hatchling project with this hook."""
    return {"pyproject.toml": f"{HATCH}{table}", "hatch_build.py": hook, **files}


HOOKS = {
    "a-text": (hatch('build_data["tag"] = "py3-none-linux_x86_64"'), "py3-none"),
    "a-text-with-a-platform": (hatch('build_data["tag"] = f"py3-none-{platform}"'), "py3-none"),
    "a-sum": (hatch('build_data["tag"] = "py2.py3-none-" + platform()'), "py2.py3-none"),
    "a-format": (hatch('build_data["tag"] = "py3-none-{}".format(platform())'), "py3-none"),
    "a-name": (hatch('tag: str = f"py3-none-{platform}"\nbuild_data["tag"] = tag'), "py3-none"),
    "an-attribute": (hatch('self.tag = "py3-none-%s" % platform\nbuild_data["tag"] = self.tag'), "py3-none"),
    "a-function": (hatch('def tag():\n    return f"py3-none-{x}"\nbuild_data["tag"] = tag()'), "py3-none"),
    "an-update": (hatch('build_data.update({"pure_python": False, "tag": f"py3-none-{x}"})'), "py3-none"),
    "an-update-by-keyword": (hatch('build_data.update(tag=f"py3-none-{x}")'), "py3-none"),
    "either-of-two": (hatch('build_data["tag"] = f"py3-none-{x}" if x else f"py3-none-{y}"'), "py3-none"),
    "another-tag-elsewhere": (hatch('build_data["tag"] = f"py3-none-{x}"\nbuild_data["tag"] = f"{cp}-abi3-{x}"'), None),
    "a-name-of-itself": (hatch('tag = tag\nbuild_data["tag"] = tag'), None),
    "inferred": (hatch('build_data["infer_tag"] = True\nbuild_data["tag"] = "py3-none-x"'), None),
    "an-abi": (hatch('build_data["tag"] = f"cp39-abi3-{x}"'), None),
    "a-pure-wheel": (hatch('build_data["tag"] = "py3-none-any"'), None),
    "computed": (hatch('build_data["tag"] = os.environ["TAG"]'), None),
    "nothing": (hatch("pass"), None),
    "a-hook-for-all-targets": (
        hatch("", "[tool.hatch.build.hooks.custom]\npath = 'hook.py'\n", **{"hook.py": 'x["tag"] = "py3-none-x"'}),
        "py3-none",
    ),
    "hatch.toml": (
        hatch('x["tag"] = "py3-none-x"', "", **{"hatch.toml": "[build.targets.wheel.hooks.custom]\n"}),
        "py3-none",
    ),
    "a-hook-that-is-not-switched-on": (hatch('x["tag"] = "py3-none-x"', ""), None),
    "a-hook-out-of-the-source": (hatch("", "[tool.hatch.build.hooks.custom]\npath = '../hook.py'\n"), None),
}


@pytest.mark.parametrize(("files", "tag"), HOOKS.values(), ids=HOOKS)
def test_a_hook_of_hatchling_may_tag_wheels_for_every_python(files: dict[str, str], tag: str | None) -> None:
    read_tag = read(files).any_abi

    assert (None if read_tag is None else str(read_tag.tag)) == tag


COMPUTED = {
    "read": (COMMANDS["a-tuple"][0], None),
    "an-abi": (COMMANDS["an-abi"][0], "setup.py: Wheel.get_tag"),
    "another-tag-in-a-branch": (COMMANDS["another-tag-in-a-branch"][0], "setup.py: Wheel.get_tag"),
    "no-command": (COMMANDS["no-command"][0], None),
    "a-command-without-tags": (
        {"pyproject.toml": PYPROJECT, "setup.py": "class Wheel: pass\nsetup(cmdclass={'bdist_wheel': Wheel})\n"},
        None,
    ),
    "an-option": (
        {"pyproject.toml": PYPROJECT, "setup.py": "setup(options={'bdist_wheel': {'py_limited_api': floor()}})\n"},
        "setup.py: py_limited_api",
    ),
    "an-attribute": (
        {
            "pyproject.toml": PYPROJECT,
            "setup.py": "class Wheel:\n    def run(self):\n        self.py_limited_api = 'cp39'\n",
        },
        "setup.py: py_limited_api",
    ),
    "an-option-that-is-read": (
        {"pyproject.toml": PYPROJECT, "setup.py": "setup(options={'bdist_wheel': {'py_limited_api': 'cp39'}})\n"},
        None,
    ),
    "a-module-alone": (
        {
            "pyproject.toml": PYPROJECT,
            "setup.py": "setup(ext_modules=[Extension('a', ['a.c'], py_limited_api=True)])\n",
        },
        None,
    ),
    "a-hook": (HOOKS["computed"][0], 'hatch_build.py: build_data["tag"]'),
    "a-hook-that-infers": (HOOKS["inferred"][0], 'hatch_build.py: build_data["tag"]'),
    "a-hook-without-tags": (HOOKS["nothing"][0], None),
    "another-backend": (
        {
            "pyproject.toml": PYPROJECT.replace("setuptools.build_meta", "mesonpy"),
            "setup.py": COMMANDS["an-abi"][0]["setup.py"],
        },
        None,
    ),
}


@pytest.mark.parametrize(("files", "where"), COMPUTED.values(), ids=COMPUTED)
def test_code_that_computes_tags_is_named(files: dict[str, str], where: str | None) -> None:
    assert read(files).computed_tags == where


MANY = 12_000
SLOW_TO_READ = {
    "names-of-names": hatch("".join(f"a{number} = a{number + 1}\n" for number in range(MANY)) + 'x["tag"] = a0\n'),
    "many-classes": {
        "pyproject.toml": PYPROJECT,
        "setup.py": "".join(f'c["bdist_wheel"] = a{number}\n' for number in range(MANY)),
    },
    "many-values": hatch('x["tag"] = a\n' * MANY + "a = a\n" * 1000),
}


@pytest.mark.thorough
@pytest.mark.parametrize("files", SLOW_TO_READ.values(), ids=SLOW_TO_READ)
def test_tags_are_read_in_time_that_grows_with_the_text(files: dict[str, str]) -> None:
    with within_cpu(10):
        assert read(files).any_abi is None


@pytest.mark.parametrize(("table", "limited"), [("limited-api = true", True), ("", False)])
def test_meson_says_that_it_builds_for_the_limited_api(table: str, limited: bool) -> None:
    system = PYPROJECT.replace("setuptools.build_meta", "mesonpy")

    project = read({"pyproject.toml": f"{system}[tool.meson-python]\n{table}\n"})

    assert project.limited_api is limited


def test_crates_with_locks_of_their_own_are_all_named() -> None:
    """Several extensions of setuptools-rust, and its programs: what shares a workspace is fetched at once."""
    modules = "".join(
        f"[[tool.setuptools-rust.{kind}]]\ntarget = '{name}'\npath = '{name}/Cargo.toml'\n"
        for kind, name in (("ext-modules", "one"), ("ext-modules", "two"), ("ext-modules", "both"), ("bins", "tool"))
    )
    crates = {f"{name}/Cargo.toml": f"[package]\nname = '{name}'\n" for name in ("one", "two", "both", "tool")}
    workspace = {"Cargo.toml": "[workspace]\nmembers = ['one', 'both']\nexclude = ['two', 'tool']\n"}

    project = read({"pyproject.toml": PYPROJECT + modules, **crates, **workspace})

    assert (project.cargo_manifest, project.other_manifests) == (
        "one/Cargo.toml",
        ("two/Cargo.toml", "tool/Cargo.toml"),
    )


def test_setuptools_rust_switches_on_what_its_table_and_itself_ask_for() -> None:
    table = "[[tool.setuptools-rust.ext-modules]]\ntarget = 'demo._rust'\nfeatures = ['fast']\n"
    crate = "[package]\nname = 'd'\n[dependencies]\npyo3 = '0.25'\n[features]\nfast = ['pyo3/macros']\n"

    project = read({"pyproject.toml": PYPROJECT + table, "Cargo.toml": crate})

    assert project.pyo3 is not None
    assert project.pyo3.features == {"default", "extension-module", "macros"}


def test_setuptools_rust_has_its_crate_and_no_floor_of_its_own() -> None:
    """setuptools-rust adds PyO3's feature to the floor that bdist_wheel is told; alone it tags no wheel abi3."""
    table = "[[tool.setuptools-rust.ext-modules]]\ntarget = 'demo._rust'\npath = 'rs/Cargo.toml'\n"
    crate = "[package]\nname = 'd'\n[dependencies]\npyo3 = {version = '1', features = ['abi3-py38']}\n"

    project = read({"pyproject.toml": PYPROJECT + table, "rs/Cargo.toml": crate})

    assert (project.cargo_manifest, project.module, project.floor) == ("rs/Cargo.toml", "demo._rust", None)


def test_a_rust_extension_of_setup_py_has_its_crate() -> None:
    script = "setup(rust_extensions=[RustExtension('demo.x', path='rs/Cargo.toml')])"

    project = read({"pyproject.toml": PYPROJECT, "setup.py": script, "rs/Cargo.toml": "[package]\nname = 'd'\n"})

    assert (project.cargo_manifest, project.module) == ("rs/Cargo.toml", "demo.x")


def test_a_rust_program_of_setup_py_has_its_crate() -> None:
    script = "setup(rust_extensions=[RustBin('tool', path='rs/Cargo.toml')])"

    project = read({"pyproject.toml": PYPROJECT, "setup.py": script, "rs/Cargo.toml": "[package]\nname = 'd'\n"})

    assert (project.cargo_manifest, project.module) == ("rs/Cargo.toml", None)


CONFIGURED = {
    "distutils-in-pyproject": {"pyproject.toml": f"{PYPROJECT}[tool.distutils.bdist_wheel]\npy-limited-api = 'cp39'\n"},
    "underscores-in-pyproject": {
        "pyproject.toml": f"{PYPROJECT}[tool.distutils.bdist_wheel]\npy_limited_api = 'cp39'\n"
    },
    "setup.cfg": {"pyproject.toml": PYPROJECT, "setup.cfg": "[bdist_wheel]\npy_limited_api = cp39\n"},
    "setup.py": {
        "pyproject.toml": PYPROJECT,
        "setup.py": "setup(options={'bdist_wheel': {'py_limited_api': 'cp39'}})",
    },
    "scikit-build": {"pyproject.toml": f"{PYPROJECT}[tool.scikit-build]\nwheel.py-api = 'cp39'\n"},
}


@pytest.mark.parametrize("files", CONFIGURED.values(), ids=CONFIGURED)
def test_a_floor_that_the_project_fixes_is_read(files: dict[str, str]) -> None:
    project = read(files)

    assert project.floor is not None
    assert [str(floor) for floor in project.floor.floors] == ["cp39"]
    assert project.floor.way == "project"
    assert project.floor.where.endswith("says cp39")


@pytest.mark.parametrize("value", ["py3", ""], ids=["pure", "unset"])
def test_scikit_builds_other_values_are_no_floor(value: str) -> None:
    assert read({"pyproject.toml": f"{PYPROJECT}[tool.scikit-build]\nwheel.py-api = '{value}'\n"}).floor is None


BAD = {
    "nothing": ({}, "there is no project in the source"),
    "no-name": ({"setup.py": "setup(name=NAME)"}, "the source states no name"),
    "broken-toml": ({"pyproject.toml": "[project\n"}, "pyproject.toml is not valid TOML"),
    "not-utf-8": ({"pyproject.toml": "\udcff"}, "is not valid UTF-8 at byte 0"),
    "deep": ({"pyproject.toml": "a = " + "[" * 100_000}, "nested too deep"),
    "huge-number": ({"pyproject.toml": "a = " + "1" * 10_000}, "pyproject.toml is not valid TOML"),
    "wrong-type": (
        {"pyproject.toml": "[project]\nname = 3\n"},
        "pyproject.toml: project: name is an integer; it must be a str",
    ),
    "table-of-wrong-type": ({"pyproject.toml": "project = 3\n"}, "project is an integer; it must be a table"),
    "bad-name": ({"pyproject.toml": "[project]\nname = '-'\n"}, "states the name '-', which is not a project name"),
    "bad-version": ({"pyproject.toml": f"{PYPROJECT}version = 'x'\n"}, "states version 'x', which is not a version"),
    "bad-python": ({"pyproject.toml": f"{PYPROJECT}requires-python = '3.9'\n"}, "states requires-python '3.9'"),
    "bad-requirement": (
        {"pyproject.toml": f"{PYPROJECT}dependencies = ['!']\n"},
        "asks for '!', which is not a requirement",
    ),
    "backend-path-outside": (
        {"pyproject.toml": "[project]\nname = 'd'\n[build-system]\nbuild-backend = 'b'\nbackend-path = ['../x']\n"},
        "backend-path leads out of the source",
    ),
    "no-manifest": ({"pyproject.toml": MATURIN}, "the source has no Cargo.toml"),
    "manifest-outside": (
        {"pyproject.toml": f"{MATURIN}[tool.maturin]\nmanifest-path = '../Cargo.toml'\n"},
        "is outside of the source",
    ),
    "inherits-nothing": (
        rust("[dependencies]\npyo3.workspace = true\n"),
        "inherits pyo3, which its workspace does not",
    ),
    "broken-lock": (rust("[dependencies]\npyo3 = '1'\n", **{"Cargo.lock": "="}), "Cargo.lock is not valid TOML"),
    "crate-of-no-version": (
        rust("rust-version = '9'\n[dependencies]\npyo3 = '1'\n", **{"Cargo.lock": LOCK.replace("0.29.2", "9" * 5000)}),
        "is not a crate version",
    ),
    "crate-of-foreign-digits": (
        rust("[dependencies]\npyo3 = '1'\n", **{"Cargo.lock": LOCK.replace("0.29.2", "\u0663")}),
        "is not a crate version",
    ),
    "long-version": ({"pyproject.toml": f"{PYPROJECT}version = '{'1' * 9000}'\n"}, "which has 9000 characters"),
    "nested-requirement": (
        {"pyproject.toml": f'{PYPROJECT}dependencies = ["a; {"(" * 5000}"]\n'},
        "which is nested too deep",
    ),
    "many-specifiers": (
        {"pyproject.toml": f"{PYPROJECT}requires-python = '{','.join(['>3'] * 500)}'\n"},
        "more than 100",
    ),
    "dotted": ({"pyproject.toml": ".".join("a" * 1000) + " = 1"}, "a key of more than 32 parts"),
    "many-tables": ({"pyproject.toml": "[[a]]\n" * 200_000}, "more than 250000 elements"),
    "many-crates": (
        rust("[dependencies]\na0 = {path = 'a0'}\n")
        | {f"a{n}/Cargo.toml": f"[dependencies]\nb = {{path = '../a{n + 1}'}}\n" for n in range(1100)},
        "more than 1000 crates",
    ),
    "many-manifests": (
        {"setup.py": "setup(name='d')\n" + "".join(f"RustExtension('d', path='{n}/Cargo.toml')\n" for n in range(200))},
        "names 200 manifests",
    ),
    "many-files": (
        rust("[dependencies]\na0 = {path = 'a0'}\n")
        | {f"a{n}/Cargo.toml": f"#{'x' * (1 << 20)}\n[dependencies]\nb = {{path = '../a{n + 1}'}}\n" for n in range(8)},
        "bytes together",
    ),
    "bad-setup-cfg": ({"setup.cfg": "name = demo\n"}, "setup.cfg cannot be read"),
}


@pytest.mark.parametrize(("files", "says"), BAD.values(), ids=BAD)
def test_a_source_that_cannot_be_read_says_why(files: dict[str, str], says: str) -> None:
    class Raw(Files):
        def read(self, path: str) -> bytes | None:
            return self[path].encode("utf-8", "surrogateescape") if path in self else None

    with pytest.raises(SourceError) as caught:
        read_project(Raw(files))

    assert says in caught.value.message


def test_a_long_chain_of_crates_is_followed() -> None:
    """Each crate of the chain took three frames of the interpreter's stack."""
    chain = {f"a{n}/Cargo.toml": f"[dependencies]\nb = {{path = '../a{n + 1}'}}\n" for n in range(900)}
    end = {"a900/Cargo.toml": "[dependencies]\npyo3 = {version = '1', features = ['abi3-py39']}\n"}

    project = read(rust("[dependencies]\nb = {path = 'a0'}\n") | chain | end)

    assert project.pyo3 is not None
    assert "abi3-py39" in project.pyo3.features


def test_a_manifest_that_many_crates_ask_about_is_parsed_once() -> None:
    """Every crate looks for its workspace in the folders above it."""
    padding = "".join(f"a{n} = 1\n" for n in range(20_000))
    members = {f"a{n}/Cargo.toml": f"[dependencies]\nb = {{path = '../a{n + 1}'}}\n" for n in range(300)}
    begin = time.process_time()

    read(
        rust(f"[dependencies]\nb = {{path = 'a0'}}\n[workspace.metadata]\n{padding}")
        | members
        | {"a300/Cargo.toml": ""}
    )

    assert time.process_time() - begin < 10  # it takes half a second; parsed for each crate it would take half a minute


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(SourceError, match="at most 4194304 are read"):
        read({"pyproject.toml": PYPROJECT + "#" * (4 << 20)})


def workspace_of(crates: int, dependencies: int, features: int) -> dict[str, str]:
    """Make crates in a row, each of which inherits every dependency of their workspace."""
    asked = ", ".join(f"'f{number}'" for number in range(features))
    shared = "".join(f"d{number} = {{version = '1', features = [{asked}]}}\n" for number in range(dependencies))
    inherits = "".join(f"d{number}.workspace = true\n" for number in range(dependencies))
    files = rust(f"[dependencies]\nc0.path = 'c0'\n[workspace.dependencies]\n{shared}[workspace]\n")
    for number in range(crates):
        following = f"c{number + 1}.path = '../c{number + 1}'\n" if number + 1 < crates else ""
        files[f"c{number}/Cargo.toml"] = f"[package]\nname = 'c{number}'\n[dependencies]\n{following}{inherits}"
    return files


@pytest.mark.thorough
def test_features_that_crates_inherit_are_counted() -> None:
    files = workspace_of(crates=900, dependencies=100, features=1000)

    with within_cpu(10), within_memory(64 << 20), pytest.raises(SourceError, match="more than 100000 dependencies and"):
        read(files)


def test_a_large_workspace_is_read() -> None:
    files = workspace_of(crates=50, dependencies=40, features=20)

    assert read(files).cargo_manifest == "Cargo.toml"


@pytest.mark.thorough
def test_features_of_features_are_counted() -> None:
    values = ", ".join(["'x'"] * 500)
    lists = "".join(f"f{number} = [{values}, 'f{number + 1}']\n" for number in range(120))
    files = rust(f"[dependencies]\nb.path = 'b'\n[features]\ndefault = ['f0', 'b/f0']\n{lists}")
    files["b/Cargo.toml"] = f"[package]\nname = 'b'\n[features]\n{lists}"

    with pytest.raises(SourceError, match="more than 100000 dependencies and"):
        read(files)


def test_paths_that_a_workspace_excludes_are_counted() -> None:
    excluded = ", ".join(["'a'"] * 1001)
    files = rust(f"[dependencies]\nb.path = 'b'\n[workspace]\nexclude = [{excluded}]\n")
    files["b/Cargo.toml"] = "[package]\nname = 'b'\n"

    with pytest.raises(SourceError, match=r"Cargo\.toml: workspace excludes 1001 paths; at most 1000 are read"):
        read(files)


LISTED = ", ".join(["'a'"] * 120_000)
TOO_MANY = {
    "pyproject": (
        {"pyproject.toml": f"{PYPROJECT}dependencies = [{LISTED}]"},
        "pyproject.toml asks for 120000 requirements; at most 10000 are read",
    ),
    "build-system": (
        {"pyproject.toml": f"[build-system]\nrequires = [{LISTED}]\n[project]\nname = 'demo'\n"},
        "pyproject.toml: build-system.requires asks for 120000 requirements; at most 1000 are read",
    ),
    "setup.cfg": (
        {"setup.cfg": "[metadata]\nname = demo\n[options]\ninstall_requires =\n" + "  a\n" * 10_001},
        "setup.cfg asks for 10001 requirements; at most 10000 are read",
    ),
    "setup.py": (
        {"setup.py": "setup(name='demo', install_requires=[" + "'a'," * 10_001 + "])"},
        "setup.py asks for 10001 requirements; at most 10000 are read",
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize(("files", "says"), TOO_MANY.values(), ids=TOO_MANY)
def test_requirements_are_counted_before_they_are_read(files: dict[str, str], says: str) -> None:
    with within_cpu(10), pytest.raises(SourceError, match=says):
        read(files)


@pytest.mark.parametrize(
    ("text", "floors"),
    [("cp310", "cp310"), ("cp310.cp315t", "cp310 cp315t"), ("cp312.cp311", "cp311"), ("cp3x", None), ("cp39.", None)],
)
def test_a_text_that_lists_several_floors_is_read_as_several(text: str, floors: str | None) -> None:
    project = read({"pyproject.toml": f"{PYPROJECT}[tool.scikit-build]\nwheel.py-api = '{text}'\n"})

    assert (None if project.floor is None else " ".join(map(str, project.floor.floors))) == floors
    assert (project.unread_floor is None) == (floors is not None)


STATED = Metadata(
    name=canonicalize_name("demo"), version=Version("1.0"), requires_python=SpecifierSet(">=3.9"), dependencies=()
)
"""What a recipe states of a project of Bazel."""


@pytest.mark.parametrize("mark", ["WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel"])
def test_a_workspace_of_bazel_is_what_the_recipe_states(mark: str) -> None:
    project = read({mark: "", "pyproject.toml": "no TOML"}, backend="bazel", metadata=STATED)

    assert (project.name, project.version, str(project.requires_python)) == ("demo", Version("1.0"), ">=3.9")
    assert (project.backend, project.build_system.requires, project.floor) == ("bazel", (), None)


def test_the_crates_of_a_workspace_of_bazel_are_those_of_the_recipes_manifest() -> None:
    files = {**rust('[dependencies]\npyo3 = "0.29"\n'), "WORKSPACE": ""}

    project = read(files, backend="bazel", metadata=STATED, manifest="Cargo.toml")

    assert (project.cargo_manifest, project.cargo_lock) == ("Cargo.toml", "Cargo.lock")
    assert project.pyo3 is not None
    assert project.pyo3.version == Version("0.29.2")


def test_a_folder_without_a_workspace_is_no_project_of_bazel() -> None:
    with pytest.raises(SourceError) as caught:
        read_project(
            Files({"WORKSPACE": "", "native/BUILD": ""}), "native", choices=Choices(backend="bazel", metadata=STATED)
        )

    assert caught.value.message == "there is no Bazel workspace in native/"
    assert "add an empty WORKSPACE" in caught.value.hint
