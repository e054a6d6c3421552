"""What is read of another suite's interpreter while it is moved; nothing of it is run for that."""

import importlib.util
from types import ModuleType

import pytest

from factory.images.spec import data_folder


@pytest.fixture(scope="module")
def relocate() -> ModuleType:
    """The script, which is no module of the package."""
    place = importlib.util.spec_from_file_location("relocate_script", data_folder() / "scripts/relocate.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


def test_the_table_of_build_variables_is_read(relocate: ModuleType) -> None:
    text = "# system configuration\nbuild_time_vars = {'CC': 'gcc',\n 'SHLIBS': '-lpthread ' '-ldl', 'WITH_DOC': 1}\n"

    assert relocate.build_variables(text) == {"CC": "gcc", "SHLIBS": "-lpthread -ldl", "WITH_DOC": 1}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("build_time_vars = {'CC': __import__('os').getcwd()}\n", id="a-call"),
        pytest.param("import os\nbuild_time_vars = dict(CC='gcc')\n", id="a-constructor"),
        pytest.param("a = {}\nbuild_time_vars = {}\n", id="two-tables"),
    ],
)
def test_a_module_that_computes_is_refused_and_not_run(relocate: ModuleType, text: str) -> None:
    with pytest.raises((SystemExit, ValueError)):
        relocate.build_variables(text)
