"""What Bazel misses, and what a target makes that is no wheel."""

from typing import Final

from factory.diagnoses.causes.cause import cause

_TARGET: Final = "name another target as build: {bazel: {target: …}}; `bazel query //...` lists those of a workspace"
# Bazel says so, too, of every target below a BUILD file that it cannot read: the error above it is then the cause.
_FIRST: Final = r"^(?!ERROR: )[^\n]{0,4000}\nERROR: Skipping '[^'\n]{1,300}': "

_MADE: Final = r"^error: (?P<said>[\w@.+~-]{0,200}//\S{0,300} makes"

CAUSES: Final = (
    cause(
        _FIRST + r"(?P<said>no such (?:target|package) '(?!@)[^\n]{1,300})",
        says="Bazel: $said",
        hint=_TARGET,
    ),
    cause(
        r"^ERROR: (?P<said>The 'build' command is only supported from within a workspace)",
        says="Bazel: $said",
        hint="add an empty WORKSPACE beside MODULE.bazel: Bazel before 5 takes no other file as the root",
    ),
    cause(
        _MADE + r" neither a wheel nor a shared object: [^\n]{1,300})$",
        says="$said",
        hint="name a target that makes one, as build: {bazel: {target: …}}: its file ends with .whl or .so",
    ),
    cause(
        _MADE + r" \d{1,9} wheels and shared objects, and one is needed: [^\n]{1,300})$",
        says="$said",
        hint="name a target that makes one of them, as build: {bazel: {target: …}}, such as a filegroup or a genrule",
    ),
    cause(
        _MADE + r" the shared object [^\n]{1,300}, and the recipe names no module for it)$",
        says="$said",
        hint='name it with its version: build: {bazel: {target: …, module: demo._native, version: "1.0"}}',
    ),
    cause(
        r"^error: (?P<said>packages names [^\n]{1,300}, which is not a folder of the project)$",
        says="build.bazel.$said",
        hint="write folders as seen from the folder of the WORKSPACE: build: {bazel: {packages: [python/demo]}}",
    ),
)
