"""What stops a run is told in a person's size."""

from factory.errors import SourceError


def test_a_message_does_not_grow_with_what_it_names() -> None:
    error = SourceError("x" * 100_000, hint="y" * 100_000).of("z" * 100_000)

    assert (len(error.message), len(error.hint), len(str(error))) == (2000, 2000, 2000)


def test_a_short_message_is_kept() -> None:
    assert SourceError("a", hint="b").of("c").message == "c: a"
