"""What a run did not prove, or only noted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from packaging.tags import Tag

from factory.comparison.changes import Comparison, written
from factory.events.model import CellRecord, Run
from factory.excerpt import ITEMS, few, listed
from factory.repair import Repair
from factory.trials.costs import ImportCost


def proof_lines(run: Run) -> Iterator[str]:
    """List versions not tried, processors not emulated, notes and repairs; what many wheels share is counted."""
    for image in run.images:
        yield f"image: {image.image}, of {image.family}, {image.digest}{f', {image.old}' if image.old else ''}"
    yield from _repairs(run.records)
    yield from _from_source(run.records)
    yield from _rusts(run.records)
    yield from _against(run.records)
    yield from _costs(run.records)
    yield from _notes(run.records)
    yield from _unemulated(run.records)
    yield from _emulated(run.records)
    yield from _where_built(run.records)
    yield from _untried(run)


def _repairs(records: Iterable[CellRecord]) -> Iterator[str]:
    retagged = Counter[str]()
    for record in records:
        if record.repair is None:
            continue
        if did := "; ".join(few(tuple(_did(record.repair)))):
            yield f"repaired: {record.cell.address}: {did}"
        else:
            retagged[_retagged(record.repair)] += 1
    for tags, count in sorted(retagged.items()):
        yield f"repaired: {_wheels(count)} only retagged, {tags}"


def _from_source(records: Iterable[CellRecord]) -> Iterator[str]:
    """Name what builds and trials required that the indexes have only as sdists."""
    told = Counter[str]()
    for record in records:
        told.update({*record.from_source, *(name for trial in record.trials for name in trial.from_source)})
    for release, count in sorted(told.items()):
        yield f"built from source: {release} (only an sdist on the index fits), for {_wheels(count)}"


def _rusts(records: Iterable[CellRecord]) -> Iterator[str]:
    """Name the releases of Rust that were brought to images."""
    counted = Counter(record.rust for record in records if record.rust is not None and record.passed)
    for version, count in sorted(counted.items()):
        yield f"compiled by Rust {version} of the Rust project: {_wheels(count)}"


def _against(records: Iterable[CellRecord]) -> Iterator[str]:
    """Say in what wheels differ from those of an older release; what several share once."""
    told: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for record in records:
        if record.against is not None:
            release = "-".join(record.against.old.split("-")[:2])
            told.setdefault((release, few(tuple(_differences(record.against)))), []).append(record.cell.address)
    for (release, texts), addresses in told.items():
        if texts:
            yield f"against {release}: {listed(addresses)}: {'; '.join(texts)}"


def _differences(comparison: Comparison) -> Iterator[str]:
    for each in comparison.differences:
        subjects = f": {listed(each.subjects)}" if each.subjects else ""
        yield f"{each.change}: {each.message}{subjects}"


def _costs(records: Iterable[CellRecord]) -> Iterator[str]:
    """Say which import of each recipe takes longest, which maps most, and which are worse than in the older wheel."""
    found: defaultdict[str, list[tuple[str, ImportCost]]] = defaultdict(list)
    for record in records:
        for trial in record.trials:
            for cost in trial.costs:
                found[record.cell.recipe].append((f"{record.cell.address}@{trial.interpreter}", cost))
    for recipe, measured in found.items():
        costs = [cost for _, cost in measured]
        slowest, largest = max(costs, key=lambda cost: cost.seconds), max(costs, key=lambda cost: cost.mapped_bytes)
        took, maps = f"{slowest.seconds * 1e3:.0f} ms ({slowest.module})", written(largest.mapped_bytes)
        yield f"imports of {recipe}: at most {took} and {maps} ({largest.module})"
        worse = [(address, cost) for address, cost in measured if cost.is_slower or cost.is_larger]
        yield from (f"against the older release: {address}: {_worse(cost)}" for address, cost in worse)


def _worse(cost: ImportCost) -> str:
    said = []
    if cost.is_slower and cost.old_seconds is not None:
        said.append(f"takes {cost.seconds * 1e3:.0f} ms, before {cost.old_seconds * 1e3:.0f} ms")
    if cost.is_larger and cost.old_mapped_bytes is not None:
        said.append(f"maps {written(cost.mapped_bytes)}, before {written(cost.old_mapped_bytes)}")
    return f"importing {cost.module} {' and '.join(said)}"


def _did(repair: Repair) -> Iterator[str]:
    for graft in repair.grafts:
        uses = [renamed for renamed in repair.renamed if renamed.after == graft.rpartition("/")[2]]
        users = sorted({renamed.member for renamed in uses})
        needs = f" for {uses[0].before} of {_members(users)}" if uses else ""
        yield f"grafted {graft}{needs}"
    if repair.rewritten and not (repair.renamed or repair.removed or repair.searched):
        yield f"rewrote {_members(list(repair.rewritten))}"
    for moved in repair.moved:
        yield f"moved {moved.member} to {moved.to}, and put a script that starts it in its place"
    for removed in repair.removed:
        yield f"removed the need for {removed.needed} from {removed.member}"
    for renamed in repair.renamed:
        if renamed.what == "soname":
            yield f"renamed {renamed.member} from {renamed.before or 'no soname'} to {renamed.after or 'no soname'}"
    paths: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for searched in repair.searched:
        paths[searched.after].append(searched.member)
    for path, members in paths.items():
        yield f"{_members(members)} now looks in {':'.join(path[:ITEMS]) or 'no folder of its own'}"


def _members(members: list[str]) -> str:
    return f"{members[0]}{f' and {len(members) - 1} more' if members[1:] else ''}"


def _retagged(repair: Repair) -> str:
    return f"{_platforms(repair.raw_tags)} to {_platforms(repair.tags)}"


def _platforms(tags: Iterable[Tag]) -> str:
    return listed(sorted({tag.platform for tag in tags}), by=".") or "no tag"


def _notes(records: Iterable[CellRecord]) -> Iterator[str]:
    for record in records:
        for trial in record.trials:
            yield from (f"note: {record.cell.address}@{trial.interpreter}: {note}" for note in trial.notes)


def _unemulated(records: Iterable[CellRecord]) -> Iterator[str]:
    reasons = Counter(trial.unemulated for record in records for trial in record.trials if trial.unemulated)
    for reason, count in sorted(reasons.items()):
        yield f"not run on an old processor: {_wheels(count)}: {reason}"


def _emulated(records: Iterable[CellRecord]) -> Iterator[str]:
    for record in records:
        tried = [trial for trial in record.trials if trial.emulated is not None and trial.outcome == "passed"]
        if tried:
            interpreters = " ".join(str(trial.interpreter) for trial in tried)
            yield f"tried under QEMU, which emulates {tried[0].emulated}: {record.cell.address}: {interpreters}"


def _where_built(records: Iterable[CellRecord]) -> Iterator[str]:
    """Name the trials on build images, which hold system libraries that a wheel may need by mistake."""
    for record in records:
        weaker = {trial.interpreter for trial in record.cell.trials if trial.where_built}
        passed = (trial.interpreter for trial in record.trials if trial.outcome == "passed")
        tried = " ".join(str(interpreter) for interpreter in passed if interpreter in weaker)
        if tried:
            yield f"tried on the image that built it, with its compilers out of reach: {record.cell.address}: {tried}"


def _untried(run: Run) -> Iterator[str]:
    """Name what released wheels claim that was not tried here."""
    for record in run.records:
        address = record.cell.address
        reasons: defaultdict[str, list[str]] = defaultdict(list)
        for trial in record.trials:
            if trial.outcome == "untried":
                reasons[trial.reason and f": {trial.reason}"].append(str(trial.interpreter))
        for reason, missing in reasons.items():
            yield f"not tried: {address}: {' '.join(missing)}{reason or ', which no trial image here has'}"
        if record.passed and record.cell.untried:
            unlisted = " ".join(map(str, record.cell.untried))
            yield f"not tried: {address}: {unlisted}, which its tag claims and the recipe does not list"


def _wheels(count: int) -> str:
    return f"{count} wheel{'s' * (count != 1)}"
