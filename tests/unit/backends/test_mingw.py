"""What builds for Windows are told of the target."""

from factory.backends.environment import build_env
from factory.recipe.model import BuildSpec
from factory.tags import Interpreter, WindowsTag
from tests.makers.plans import make_project

CRATE = make_project(backend="maturin", crate=True)


def env(interpreter: Interpreter | None) -> dict[str, str]:
    return dict(build_env(BuildSpec(), CRATE, interpreter, epoch_s=1, mingw_for=WindowsTag("amd64")))


def test_cargo_compiles_for_windows_and_links_by_mingw() -> None:
    told = env(Interpreter(14, free_threaded=True))

    assert told["CARGO_BUILD_TARGET"] == "x86_64-pc-windows-gnu"
    assert told["CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER"] == "x86_64-w64-mingw32-gcc"
    assert told["PYO3_CROSS_PYTHON_VERSION"] == "3.14t"


def test_without_an_interpreter_no_version_is_told() -> None:
    told = env(None)

    assert told["PYO3_NO_PYTHON"] == "1"
    assert "PYO3_CROSS_PYTHON_VERSION" not in told


def test_the_compilers_of_build_scripts_stay_the_images() -> None:
    assert {"CC", "CXX", "AR"}.isdisjoint(env(Interpreter(13)))
