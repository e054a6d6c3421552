"""Pointers and empty submodules are named before a build misses what they stand for."""

from factory.source.placeholders import placeholder_notes
from tests.makers.sources import make_tree

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
MODULES = (
    '[submodule "vendor/words"]\n\tpath = vendor/words\n\turl = ../words\n'
    '[submodule "vendor/filled"]\n\tpath = vendor/filled\n\turl = ../filled\n'
)


def test_a_pointer_of_git_lfs_is_named() -> None:
    tree = make_tree({"model.bin": POINTER, "docs/lfs.md": f"A pointer begins with:\n{POINTER}", "a.c": ""})

    (note,) = placeholder_notes(tree)

    assert note == ("pointers of Git LFS lie where files are due: model.bin; `git lfs pull` fetches the files")


def test_a_submodule_without_files_is_named() -> None:
    (note,) = placeholder_notes(make_tree({".gitmodules": MODULES, "vendor/filled/a.c": "", "vendor/words.c": ""}))

    assert "submodules of the source are empty: vendor/words; `git submodule update --init --recursive`" in note


def test_a_source_without_placeholders_and_one_with_modules_that_cannot_be_read_have_no_note() -> None:
    assert list(placeholder_notes(make_tree({"a.c": ""}))) == []
    assert list(placeholder_notes(make_tree({".gitmodules": "no section"}))) == []
