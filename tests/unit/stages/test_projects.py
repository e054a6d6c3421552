"""Which project a remembered result belongs to."""

import pytest

from factory.codec import JSON
from factory.stages.projects import project_of, projects_of
from factory.store.entry import LedgerEntry

TREE, RAW, FIXED, OTHER = (f"sha256:{digit * 64}" for digit in "abcd")


def wheel(name: str, digest: str) -> JSON:
    return {"filename": f"{name}-1.0-cp313-cp313-linux_x86_64.whl", "digest": digest, "size_bytes": 1}


def entry(result: JSON, **inputs: JSON) -> LedgerEntry:
    return LedgerEntry(document={"inputs": inputs}, result=result, blobs=())


BUILT = entry(wheel("spam_eggs", RAW), source=TREE)
REPAIRED = entry({"wheel": wheel("spam_eggs", FIXED), "repair": {}}, wheel=RAW)


@pytest.mark.parametrize(
    ("result", "project"),
    [
        pytest.param(BUILT, "spam-eggs", id="a built wheel"),
        pytest.param(REPAIRED, "spam-eggs", id="a repaired wheel"),
        pytest.param(entry({}, wheel=FIXED), "spam-eggs", id="a verdict on a wheel"),
        pytest.param(entry({}, source=TREE), "spam-eggs", id="a hook that saw the source"),
        pytest.param(entry({}, wheel=OTHER), "", id="a wheel that is not here any more"),
        pytest.param(entry({"file": {}}, sdist="Ham.Egg==1.0"), "ham-egg", id="an sdist of an index"),
        pytest.param(entry({}, archive="file:///d/ham-egg-1.0.tar.gz"), "ham-egg", id="an archive"),
        pytest.param(entry({}, git="ssh://x/ham/Egg.git", commit="1"), "egg", id="a commit"),
        pytest.param(entry({"files": [wheel("setuptools", OTHER)]}, requirements=[]), "", id="requirements"),
        pytest.param(entry({"filename": "rust.tar", "digest": OTHER}), "", id="a file that is no wheel"),
        pytest.param(LedgerEntry(document={}, result=None, blobs=()), "", id="a document of another shape"),
    ],
)
def test_a_result_belongs_to_the_project_that_its_document_or_files_name(result: LedgerEntry, project: str) -> None:
    projects = projects_of([BUILT, REPAIRED])

    assert project_of(result, projects) == project
