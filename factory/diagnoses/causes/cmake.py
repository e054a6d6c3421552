"""What CMake misses."""

from typing import Final

from factory.diagnoses.causes.cause import CMAKE_ERROR, SUBMODULE, cause
from factory.diagnoses.missing import Missing

_FIND_PYTHON: Final = (
    "no interpreter here has libpython: let the project ask for Development.Module instead of Development (patches)"
)

CAUSES: Final = (
    cause(
        CMAKE_ERROR + r"(?P<said>Could NOT find Python[23]? \([^)]{1,300}\bNumPy\))",
        says="CMake: $said",
        hint="build: {requires: [numpy]}",
    ),
    cause(
        CMAKE_ERROR
        + r"(?P<said>Could NOT find (?P<wanted>Python[23]?)\b[^\n]{0,100}[\s\S]{0,400}?Development[^)]{0,200}\))",
        says="CMake: $said",
        hint=_FIND_PYTHON,
    ),
    cause(
        CMAKE_ERROR + r"(?P<said>Could NOT find Python[23]?: Found unsuitable version[^(]{1,200})",
        says="CMake: $said",
        hint="it found a Python other than the one that builds: pass -DPython3_EXECUTABLE, or let the project "
        "use find_package(Python) with CMake 3.15 or later",
    ),
    cause(
        CMAKE_ERROR + r"(?P<said>Could NOT find (?P<wanted>[\w-]{1,60}) \([^)]{1,200}\))",
        says="CMake: $said",
        lacks="cmake",
    ),
    cause(
        CMAKE_ERROR + r"By not providing \"Find(?P<wanted>[\w-]{1,60})\.cmake\"",
        r"Could not find a package configuration file provided by\s{1,40}\"(?P<wanted>[\w-]{1,60})\"",
        says="CMake: Could not find a package configuration file provided by $wanted",
        lacks="cmake",
    ),
    cause(
        r"^[ \t]{0,20}(?P<said>No CMAKE_Fortran_COMPILER could be found)",
        says="CMake: $said",
        lacks=Missing("program", "gfortran"),
    ),
    cause(
        r"^[ \t]{0,20}(?P<said>No CMAKE_ASM_NASM_COMPILER could be found)",
        says="CMake: $said",
        lacks=Missing("program", "nasm"),
    ),
    cause(
        r"^[ \t]{0,20}(?P<said>No CMAKE_\w{1,40}_COMPILER could be found)",
        says="CMake: $said",
        hint="build: {system: {apt: [NAME]}} with a compiler of this language",
    ),
    cause(
        r"^[ \t]{0,20}(?P<said>CMake [\d.]{1,20} or higher is required\.\s{1,9}You are running version [\d.]{1,20}\d)",
        says="$said",
        hint="build: {requires: [cmake]} brings a newer one",
    ),
    cause(
        r"^[ \t]{0,20}(?P<said>Compatibility with CMake < [\d.]{1,9}\d has been removed from CMake)",
        says="$said",
        hint='build: {env: {CMAKE_POLICY_VERSION_MINIMUM: "3.5"}}, or {requires: ["cmake<4"]}',
    ),
    cause(
        r"CMake was unable to find a build program corresponding to \"(?P<wanted>Ninja)\"",
        hint="build: {requires: [ninja]}",
    ),
    cause(
        CMAKE_ERROR
        + r"The source directory\s{1,40}(?P<wanted>\S{1,300})\s{1,40}does not contain a CMakeLists\.txt file",
        says="CMake: the source directory $wanted does not contain a CMakeLists.txt file",
        hint=SUBMODULE,
    ),
    cause(
        CMAKE_ERROR + r"Cannot find source file:\s{1,40}(?P<wanted>\S{1,300})",
        says="CMake: Cannot find source file: $wanted",
        hint=SUBMODULE,
    ),
    cause(
        r"^[ \t]{0,20}CMake Error at [^\n]{1,300} \(find_program\):\n[ \t]{0,20}"
        r"(?P<said>Could not find \S{1,100} using the following names: (?P<wanted>[\w.+-]{1,100}))",
        says="CMake: $said",
        lacks="program",
    ),
    cause(
        CMAKE_ERROR + r"(?P<said>Could not find \S{1,100} using the following names: (?P<wanted>[\w.+-]{1,100}))",
        says="CMake: $said",
        lacks="library",
    ),
    cause(
        CMAKE_ERROR + r"[\s\S]{0,200}?(?P<wanted>[\w+-]{1,60}::[\w+-]{1,60})\s{1,40}but the target was not found",
        says="CMake: the target $wanted was not found",
        hint=SUBMODULE,
    ),
)
