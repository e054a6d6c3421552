"""The versions of all stages, which a store records."""

from factory.images.contents import SoughtFiles
from factory.images.interpreters import CompileInterpreter, FetchInterpreterSource, MoveInterpreter
from factory.images.named import AskImage
from factory.images.ready import ProbeImage
from factory.images.userland import PackUserland
from factory.memory import versions
from factory.sessions.volumes import Volume
from factory.stages.against import FetchOlder
from factory.stages.attempt import Try
from factory.stages.audit import Judge
from factory.stages.bazel_cache import BazelCache
from factory.stages.build import Build
from factory.stages.commit import PackCommit
from factory.stages.compiler_cache import CompilerCache
from factory.stages.contents import ReadContents
from factory.stages.crates import ResolveCrates
from factory.stages.load import Load
from factory.stages.manifests import ReadManifests
from factory.stages.prepare import Prepare
from factory.stages.programs import RunPrograms
from factory.stages.repair import RepairWheel
from factory.stages.requirement import BuildRequirement
from factory.stages.resolve import Resolve
from factory.stages.rust import CompileStd, MakeRust, MakeStd
from factory.stages.rust_release import AskRelease, FetchComponent
from factory.stages.source import FetchSdist
from factory.stages.target_folder import CellCrates, SharedCrates
from factory.stages.tools import CompileTools
from factory.stages.tree import ReadProject, ReadTree

VERSIONS = versions(
    AskImage,
    AskRelease,
    BazelCache,
    Build,
    BuildRequirement,
    CellCrates,
    CompileInterpreter,
    CompileStd,
    CompileTools,
    CompilerCache,
    FetchComponent,
    FetchInterpreterSource,
    FetchOlder,
    FetchSdist,
    Judge,
    Load,
    MakeRust,
    MakeStd,
    MoveInterpreter,
    PackCommit,
    PackUserland,
    Prepare,
    ProbeImage,
    ReadContents,
    ReadManifests,
    ReadProject,
    ReadTree,
    RepairWheel,
    Resolve,
    ResolveCrates,
    RunPrograms,
    SharedCrates,
    SoughtFiles,
    Try,
    Volume,
)
