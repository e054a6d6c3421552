"""The lower bounds of a wheel's requirements, by the files that meet them."""

from packaging.requirements import Requirement

from factory.digest import Artifact, Digest
from factory.trials.bounds import held_at, lowered


def wheels(*names: str) -> list[Artifact]:
    return [
        Artifact(filename=f"{name}-py3-none-any.whl", digest=Digest.of(name.encode()), size_bytes=1) for name in names
    ]


def test_requirements_are_held_at_the_versions_of_files_whatever_their_names_spelling() -> None:
    held = held_at([Requirement("PyTest>=8"), Requirement("absent")], wheels("pytest-9.0", "iniconfig-2.0"))

    assert [str(requirement) for requirement in held] == ["PyTest==9.0"]


def test_what_is_older_is_named_with_its_requirement_and_what_it_requires_itself_is_not() -> None:
    wanted = [Requirement("eggs>=1"), Requirement("ham"), Requirement("Spam[x]>=2")]
    newest, oldest = wheels("eggs-2.0", "ham-3.0", "spam-2.0", "deep-5.0"), wheels("eggs-1.0", "ham-3.0", "spam-2.0")

    assert lowered(wanted, newest, oldest) == "eggs 1.0 (eggs>=1)"
    assert lowered(wanted, newest, newest) == ""


def test_a_requirement_that_only_the_oldest_set_has_is_named() -> None:
    assert lowered([Requirement("eggs")], [], wheels("eggs-1.0")) == "eggs 1.0 (eggs)"
