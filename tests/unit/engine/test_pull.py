"""What an engine says while it pulls, folded into progress, and why it gave up."""

import pytest

from factory.engine.api import PullProgress
from factory.engine.faults import PullError
from factory.engine.pull import PullLines, pull_error

REFERENCE = "registry.test/image@sha256:0"


def test_lines_are_folded_into_layers_and_bytes() -> None:
    reports: list[PullProgress] = []
    lines = PullLines(reference=REFERENCE, on_progress=reports.append)

    for line in (
        {"status": "Pulling from image", "id": "sha256:0"},
        {"status": "Pulling fs layer", "id": "a"},
        {"status": "Already exists", "id": "b"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 10, "total": 40}},
        {"status": "Retrying in 5 seconds", "id": "a"},
        {"status": "Extracting", "id": "a", "progressDetail": {"current": 1, "total": 90}},
        {"status": "Pull complete", "id": "a"},
        {"status": "Digest: sha256:0"},
    ):
        lines.take(line)

    assert reports[2] == PullProgress(layers=2, layers_done=1, bytes_done=10, bytes_total=40)
    assert reports[-1] == PullProgress(layers=2, layers_done=2, bytes_done=40, bytes_total=40)


def test_an_error_in_the_midst_ends_the_pull() -> None:
    lines = PullLines(reference=REFERENCE, on_progress=lambda _: None)

    with pytest.raises(PullError, match=r"registry closed the connection \(unexpected EOF\)") as caught:
        lines.take({"error": "unexpected EOF", "errorDetail": {"message": "unexpected EOF"}})

    assert caught.value.is_temporary


# Docker 20.10's and Podman 4.3's own words, as they were seen or as their sources write them.
@pytest.mark.parametrize(
    ("output", "meaning", "is_temporary"),
    [
        ("manifest for x@sha256:0 not found: manifest unknown: manifest unknown", "does not have it", False),
        ("manifest verification failed for digest sha256:0", "does not match the digest", False),
        ("filesystem layer verification failed for digest sha256:0", "does not match the digest", False),
        (
            "determining manifest: Manifest does not match provided manifest digest sha256:0",
            "does not match the",
            False,
        ),
        ("unauthorized: access to the requested resource is not authorized", "denies this user access", False),
        ("pull access denied for x, repository does not exist or may require 'docker login'", "denies", False),
        (
            'Get "https://quay.io/v2/": dial tcp: lookup quay.io on 10.0.0.1:53: no such host',
            "host name cannot be resolved",
            False,
        ),
        (
            'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
            "the registry does not answer",
            True,
        ),
        (
            "net/http: request canceled while waiting for connection (Client.Timeout exceeded)",
            "registry does not answer",
            True,
        ),
        ("http: server gave HTTP response to HTTPS client", "does not trust", False),
        ("x509: certificate signed by unknown authority", "does not trust", False),
        ("toomanyrequests: too many requests", "limits pulls", True),
        ("received unexpected HTTP status: 502 Bad Gateway", "closed the connection", True),
        ("connection reset by peer", "closed the connection", True),
    ],
)
def test_an_engines_words_are_told_apart(output: str, meaning: str, is_temporary: bool) -> None:
    error = pull_error(REFERENCE, output)

    assert error.message.startswith(f"{REFERENCE} is not available: ")
    assert meaning in error.message
    assert output in error.message
    assert error.hint
    assert (error.is_temporary, error.exit_code) == (is_temporary, 4)
