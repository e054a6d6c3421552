"""What auditwheel, abi3audit, twine, check-wheel-contents, pip and uv say to the corpus: `make peers`.

Every sample and its near-miss is made, given to every tool as a user starts it, and docs/reference/peers.md is written.
"""

import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.peers import PEERS, PROGRAMS, STOPS, Answer, Peer, ask, compared
from factory.audit import RULES, Expectation, audit
from factory.catalogue import Severity
from factory.digest import Digest
from factory.wheel import read_wheel
from tests.corpus.cases import CASES, rule_of
from tests.corpus.compiled import PAIRS, Built
from tests.corpus.sample import TODAY
from tests.makers.wheels import make_wheel

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "peers.md"
_WORDS = ("refuses", "crashes", "mends", "warns", "silent", "both")
_UNTOLD = "told"
BEGIN, END = "<!-- From here on made by `make peers`. -->\n", "<!-- To here. -->\n"
_WIDTH = 150


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A sample of a rule and its near-miss, as files."""

    name: str
    bad: Path
    near: Path
    expect: Expectation

    @property
    def rule(self) -> str:
        return rule_of(self.name)

    @property
    def is_told(self) -> bool:
        """Whether the two wheels differ; else the gate alone is told what makes the difference, such as a waiver."""
        return _identity(self.bad) != _identity(self.near)


def make_pairs(folder: Path) -> list[Pair]:
    """Make the whole corpus, the compiled one too, sorted by rule."""
    pairs = []
    for number, (name, (bad, near)) in enumerate(CASES.items()):
        places = [_folder(folder, f"{number}-{kind}") for kind in ("bad", "near")]
        files = [sample.make(place) for sample, place in zip((bad, near), places, strict=True)]
        pairs.append(Pair(name=name, bad=files[0], near=files[1], expect=bad.expect))
    for number, (name, pair) in enumerate(PAIRS.items()):
        files = [_compiled(getattr(pair, kind), folder / f"c{number}-{kind}") for kind in ("bad", "near")]
        pairs.append(Pair(name=compiled_name(name), bad=files[0], near=files[1], expect=Expectation()))
    return sorted(pairs, key=lambda each: each.name)


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir(parents=True)
    return parent / name


def compiled_name(case: str) -> str:
    """Name a compiled sample apart from the others of its rule."""
    rule, _, variant = case.partition("/")
    return f"{rule}/compiled{f', {variant}' if variant else ''}"


def _compiled(built: Built, folder: Path) -> Path:
    return make_wheel(folder, built.build(_folder(folder, "objects")), filename=built.filename)


def _identity(wheel: Path) -> tuple[str, Digest]:
    return wheel.name, Digest.of(wheel.read_bytes())


_Key = tuple[str, tuple[str, Digest]]


class Answers:
    """What every peer said to every wheel; equal wheels are asked about once."""

    def __init__(self, pairs: Sequence[Pair], folder: Path) -> None:
        self._folders: dict[_Key, Path] = {}
        wanted: dict[_Key, tuple[Peer, Path]] = {}
        for wheel in (wheel for pair in pairs for wheel in (pair.bad, pair.near)):
            wanted |= {(peer.name, _identity(wheel)): (peer, wheel) for peer in PEERS}
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            jobs = {}
            for number, (key, (peer, wheel)) in enumerate(wanted.items()):
                self._folders[key] = folder / f"{number}"
                jobs[key] = workers.submit(ask, peer, wheel, self._folders[key])
            self._answers: Mapping[_Key, Answer] = {key: job.result() for key, job in jobs.items()}

    def about(self, pair: Pair, peer: Peer) -> tuple[str, str]:
        """Return the word for what a peer says, and a line of its own."""
        if not pair.is_told:
            return _UNTOLD, ""
        bad, near = ((peer.name, _identity(wheel)) for wheel in (pair.bad, pair.near))
        word, line = compared(self._answers[bad], self._answers[near])
        mends = word not in (*STOPS, "both") and self._mended(pair, bad)
        return ("mends" if mends else word), line

    def _mended(self, pair: Pair, key: _Key) -> bool:
        """Whether the tool left a wheel that does not break the rule any more."""
        left = list((self._folders[key] / "out").glob("*.whl"))
        broken = {finding.rule for path in left for finding in audit(read_wheel(path), pair.expect, TODAY).findings}
        return bool(left) and pair.rule not in broken


_Said = Mapping[str, Sequence[tuple[str, str]]]


def made(pairs: Sequence[Pair], answers: Answers) -> str:
    """Write what stands between the page's marks."""
    said = {pair.name: [answers.about(pair, peer) for peer in PEERS] for pair in pairs}
    return "\n".join([*_head(), *_sums(pairs, said), *_rows(pairs, said), *_lines(said), ""])


def _head() -> Iterator[str]:
    sites = PROGRAMS.parent.glob("lib/python3*/site-packages")
    versions = {tool.name: tool.version for tool in distributions(path=[str(site) for site in sites])}
    named = ", ".join(f"{name} {versions[name]}" for name in dict.fromkeys(peer.program for peer in PEERS))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield f"Made on {python} and {' '.join(platform.libc_ver())} with {named}.\n"
    yield from (f"* {peer.name}: `{peer.typed}`" for peer in PEERS)


def _sums(pairs: Sequence[Pair], said: _Said) -> Iterator[str]:
    """Count, per peer, the words over the samples of errors."""
    errors = [pair for pair in pairs if RULES[pair.rule].severity is Severity.ERROR and pair.is_told]
    yield f"\n## In sum\n\nOver the {len(errors)} samples that break a rule of severity error:\n"
    yield f"| | {' | '.join(_WORDS)} |"
    yield f"| --- |{' --- |' * len(_WORDS)}"
    for index, peer in enumerate(PEERS):
        counted = Counter(said[pair.name][index][0] for pair in errors)
        yield f"| {peer.name} | {' | '.join(str(counted[word]) for word in _WORDS)} |"
    stopped = sum(any(word in STOPS for word, _ in said[pair.name]) for pair in errors)
    ours = sum(pair.rule in _errors(pair) for pair in errors)
    yield f"\nAt least one of them stops {stopped} of the {len(errors)}; the gate refuses {ours}.\n"


def _errors(pair: Pair) -> frozenset[str]:
    findings = audit(read_wheel(pair.bad), pair.expect, TODAY).findings
    return frozenset(finding.rule for finding in findings if finding.fails)


def _rows(pairs: Sequence[Pair], said: _Said) -> Iterator[str]:
    yield "## Every sample\n"
    yield f"| rule | sample | gate | {' | '.join(peer.name for peer in PEERS)} |"
    yield f"| --- | --- | --- |{' --- |' * len(PEERS)}"
    for pair in pairs:
        words = " | ".join(word if word in ("silent", _UNTOLD) else f"**{word}**" for word, _ in said[pair.name])
        rule, variant = RULES[pair.rule], pair.name.partition("/")[2]
        yield f"| [{rule.id}](rules.md#{rule.id}) | {variant} | {rule.severity} | {words} |"


def _lines(said: _Said) -> Iterator[str]:
    yield "\n## In their own words\n\nWhat it says first, shortened, in every answer that is not `silent` or `both`.\n"
    for name, answers in said.items():
        for peer, (word, line) in zip(PEERS, answers, strict=True):
            if line:
                shown = " ".join(line.split())[:_WIDTH].rstrip().replace("`", "'")
                yield f"* {name}: {peer.name} {word}: `{shown}`"


def main() -> None:
    """Write the page."""
    words, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    with TemporaryDirectory() as name:
        pairs = make_pairs(Path(name) / "wheels")
        text = made(pairs, Answers(pairs, Path(name) / "calls"))
    PAGE.write_text(f"{words}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
