"""Which modules' stubs are compared."""

import pytest

from factory.trials.stubs import stubbed


@pytest.mark.parametrize(
    ("members", "names"),
    [
        pytest.param(("spam/__init__.py", "spam/core.pyi", "spam/deep/far.pyi"), ("spam",), id="a package"),
        pytest.param(("spam.pyi", "spam.py"), ("spam",), id="a module"),
        pytest.param(("space/spam/__init__.pyi", "space/ham.pyi"), ("space.ham", "space.spam"), id="a namespace"),
        pytest.param(("spam-stubs/__init__.pyi",), ("spam",), id="stubs alone"),
        pytest.param(("spam-1.0.data/purelib/spam/__init__.pyi",), ("spam",), id="installed from elsewhere"),
        pytest.param(("spam/__init__.py", "spam/py.typed"), (), id="none"),
    ],
)
def test_the_outermost_names_with_stubs_are_compared(members: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert stubbed(members) == names
