"""Makers of git repositories: each states only the fact that matters to its test."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

COMMITTED_S = 1_700_000_000


def git(folder: Path, *arguments: str, at_s: int = COMMITTED_S) -> str:
    """Run git as somebody else would, with a configuration of its own; return what it printed."""
    who = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    when = f"{at_s} +0200"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when}
    done = subprocess.run(["git", *who, *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_repository(folder: Path, files: Mapping[str, str], *, at_s: int = COMMITTED_S) -> Path:
    """Make a repository with one commit of these files."""
    folder.mkdir(exist_ok=True)
    git(folder, "init")
    commit(folder, files, at_s=at_s)
    return folder


def commit(folder: Path, files: Mapping[str, str] | None = None, *, at_s: int = COMMITTED_S) -> str:
    """Write files, and commit whatever differs; return the commit."""
    for name, content in (files or {}).items():
        (folder / name).write_text(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "one", "--allow-empty", at_s=at_s)
    return git(folder, "rev-parse", "HEAD")
