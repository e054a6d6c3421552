"""The measures of the code's shape, on a small text."""

import pytest

from tools.shape import MOST_COMPREHENSIONS, ROOT, Function, circles, measured, rendered

TEXT = '''\
"""A module."""

# A reason.
def double(numbers):  # noqa: D103

    return [2 * one for one in numbers]  # another


class Pair:
    async def both(self, pairs):
        for found, _ in pairs:
            yield found, {k: {v for v in values} for k, values in pairs}
'''


def test_a_module_is_measured() -> None:
    module = measured("spam.py", TEXT)

    assert (module.lines, module.comments, module.vague_loops) == (12, 2, 2)
    assert module.functions == (
        Function(name="double", lines=3, comprehensions=1),
        Function(name="both", lines=3, comprehensions=2),
    )


def test_the_measures_name_what_is_longest_and_what_imports_in_circles() -> None:
    text = rendered([measured("spam.py", TEXT), measured("ham.py", TEXT + "\n")], [("a", "b")])

    assert "the longest 13: ham.py" in text
    assert "1: a <-> b" in text
    assert text.splitlines()[5].endswith("none")


@pytest.mark.thorough
def test_no_function_of_the_package_is_too_dense_and_no_import_goes_in_a_circle() -> None:
    modules = [measured(str(path), path.read_text(encoding="utf-8")) for path in (ROOT / "factory").rglob("*.py")]

    dense = [
        f"{module.path}: {function.name}"
        for module in modules
        for function in module.functions
        if function.comprehensions > MOST_COMPREHENSIONS
    ]

    assert (dense, circles("factory")) == ([], [])
