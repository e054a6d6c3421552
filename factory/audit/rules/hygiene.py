"""Rules about what costs users although everything works."""

from factory.catalogue import Rule, Severity

HYGIENE_RULES = (
    Rule(
        id="debug-info",
        severity=Severity.WARNING,
        summary="an object carries debug information",
        why="Every user downloads it, often many times the size of the code, and nobody reads it.",
        mend='Strip it: `strip: true` under `repair`, Cargo\'s `strip = "debuginfo"`, or `-g0`; keep it elsewhere.',
        source="DWARF; auditwheel, --strip",
    ),
    Rule(
        id="build-path",
        severity=Severity.NOTE,
        summary="folders of the build machine stand in an object",
        why="They tell of the machine, and make two builds of one source differ.",
        mend="Compile with `-ffile-prefix-map=$PWD=.`, or rustc's `--remap-path-prefix`.",
        source="reproducible-builds.org, build path",
    ),
    Rule(
        id="static-archive",
        severity=Severity.WARNING,
        summary="a static library or object file is in the wheel",
        why="It is input to a linker, and nothing that runs reads it.",
        mend="Leave it out of the package's data, unless others are meant to link it.",
        source="check-wheel-contents; man 1 ar",
    ),
    Rule(
        id="junk-file",
        severity=Severity.WARNING,
        summary="a file that a tool left behind is in the wheel",
        why="Compiled bytecode is for one interpreter, the rest for one editor or system; everyone downloads it.",
        mend="Exclude it in the backend's configuration, and build from a clean tree.",
        source="check-wheel-contents, W001",
    ),
    Rule(
        id="exports-extra",
        severity=Severity.NOTE,
        summary="a module exports more than its init function",
        why="Two modules with one symbol each can bind to the other's where they are loaded globally.",
        mend="Compile with `-fvisibility=hidden`.",
        source="CPython, PyMODINIT_FUNC; gcc wiki, Visibility",
    ),
    Rule(
        id="graft-without-sbom",
        severity=Severity.NOTE,
        summary="a bundled library stands in no software bill of materials",
        why="Whoever looks for a vulnerable library cannot see that it is inside.",
        mend="Repair with auditwheel 6.5 or newer, which writes `.dist-info/sboms`.",
        source="PEP 770",
    ),
    Rule(
        id="soname-twice",
        severity=Severity.WARNING,
        summary="two libraries of the wheel have one soname",
        why="A process loads the first one only: which code runs depends on what was imported before.",
        mend="Bundle the library once, and let both users find it by `$ORIGIN`.",
        source="man 8 ld.so; glibc, _dl_name_match_p",
    ),
    Rule(
        id="graft-unhashed",
        severity=Severity.WARNING,
        summary="a grafted library keeps its common soname",
        why="Another wheel's library of that soname takes its place in a process that loads both.",
        mend="Let auditwheel graft it: it puts a hash into name and soname.",
        source="auditwheel, README; PEP 513",
    ),
)
