"""The reference and the schemas are what the code says."""

import re
from pathlib import Path

import click
import pytest

from factory.images.known import declared
from factory.recipe.parse import load_recipe
from tools.generated import GENERATED, REFERENCE, ROOT, commands, help_of

DOCUMENTS = [ROOT / "README.md", ROOT / "recipes" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted((ROOT / "factory").rglob("*.py"))


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_file_made_from_the_code_is_as_the_code_makes_it(path: Path) -> None:
    words = path.read_text(encoding="utf-8")

    assert words == GENERATED[path](words), "run: python -m tools.generated"


@pytest.mark.parametrize(("typed", "command"), commands(), ids=[typed for typed, _ in commands()])
def test_help_fits_80_columns_and_names_no_flag_that_does_not_exist(typed: str, command: click.Command) -> None:
    known = {name for _, each in commands() for option in each.params for name in option.opts} | {"-h", "--help"}

    shown = help_of(typed, command)

    assert max(len(line) for line in shown.splitlines()) <= 80
    assert not re.search(r"[a-z]\.\.\.", shown), "a summary was cut"
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", shown)) <= known


def test_every_option_is_explained() -> None:
    options = [option for _, command in commands() for option in command.params if isinstance(option, click.Option)]

    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_in_a_document_or_a_message_is_one_that_exists(document: Path) -> None:
    known = {typed for typed, _ in commands()}
    text = document.read_text(encoding="utf-8")

    typed = re.findall(r"(?:^\$ |`)(factory [a-z]+(?: (?:list|build)\b)?)", text, flags=re.MULTILINE)

    assert {words for words in typed if words not in known} == set()


def test_the_environment_that_is_read_is_documented() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "factory" / "host").glob("*.py"))
    documented = (REFERENCE / "environment.md").read_text(encoding="utf-8")

    read = set(re.findall(r'env\.get\("([A-Z_]+)"', code)) - {"HOME", "XDG_CONFIG_HOME"}

    assert {name for name in read if f"`{name}`" not in documented} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_relative_link_leads_to_a_file(document: Path) -> None:
    prose = re.sub(r"^ *```.*?^ *```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose)

    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_the_index_of_the_documentation_links_every_page() -> None:
    docs = ROOT / "docs"
    targets = re.findall(r"\]\(([^)#:]+)\)", (docs / "README.md").read_text(encoding="utf-8"))

    pages = {str(page.relative_to(docs)) for page in docs.rglob("*.md")} - {"README.md"}

    assert pages - set(targets) == set()


def test_the_readmes_recipe_and_the_smallest_one_can_be_read(tmp_path: Path) -> None:
    for document in DOCUMENTS[:2]:
        (text, *_) = re.findall(r"```yaml\n(factory: 1\n.*?)```", document.read_text(encoding="utf-8"), flags=re.DOTALL)
        (tmp_path / "recipe.yaml").write_text(text)

        recipe = load_recipe(tmp_path / "recipe.yaml")

        assert {str(platform) for platform in recipe.platforms} <= {
            str(image.platform) for image in declared() if image.role == "build"
        }
