"""The Rust bundle of a machine is a result of its own; that of the usual one has the key that it always had."""

from factory.digest import Digest
from factory.stages.rust import MakeRust

MADE_OF = Digest.of(b"the data files")


def test_the_bundle_of_another_machine_is_another_result() -> None:
    usual, other = MakeRust(made_of=MADE_OF), MakeRust(made_of=MADE_OF, runs_on="aarch64")

    assert "runs on" not in str(usual.document)
    assert "'runs on': 'aarch64'" in str(other.document)
    assert usual.key != other.key
