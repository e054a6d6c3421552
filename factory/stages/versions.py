"""The versions of all stages, which a store records."""

from factory.memory import versions
from factory.sessions.volumes import Volume
from factory.stages.audit import Judge
from factory.stages.build import Build
from factory.stages.commit import PackCommit
from factory.stages.crates import ResolveCrates
from factory.stages.load import Load
from factory.stages.prepare import Prepare
from factory.stages.programs import RunPrograms
from factory.stages.repair import RepairWheel
from factory.stages.requirement import BuildRequirement
from factory.stages.resolve import Resolve
from factory.stages.rust import MakeRust
from factory.stages.source import FetchSdist
from factory.stages.tools import CompileTools
from factory.stages.trial import Try

VERSIONS = versions(
    Build,
    BuildRequirement,
    CompileTools,
    FetchSdist,
    Judge,
    Load,
    MakeRust,
    PackCommit,
    Prepare,
    RepairWheel,
    Resolve,
    ResolveCrates,
    RunPrograms,
    Try,
    Volume,
)
