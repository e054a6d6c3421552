"""Rules about the platform: what the dynamic loader will and will not find."""

from factory.catalogue import Rule, Severity

LOADER_RULES = (
    Rule(
        id="platform-policy",
        severity=Severity.ERROR,
        summary="an object needs a symbol version that a claimed platform does not promise",
        why="On the oldest systems the tag claims, loading fails with `version `GLIBC_2.34' not found`.",
        mend="Build in an image of the claimed policy, or claim the newer one; every tag in the file name must hold.",
        source="PEP 600; auditwheel's policy tables",
    ),
    Rule(
        id="platform-unknown",
        severity=Severity.ERROR,
        summary="the platform tag promises nothing",
        why="Package indexes refuse `linux_*` tags, and no policy says what an unknown tag needs.",
        mend="Repair the wheel for a manylinux or musllinux policy of its architecture.",
        source="PEP 513; PEP 600; PEP 656",
    ),
    Rule(
        id="platform-unjudged",
        severity=Severity.NOTE,
        summary="the platform is not Linux",
        why="Only names, texts and the archive are judged: objects for other systems are not read.",
        mend="Audit the wheel with a tool of that platform too.",
        source="PEP 425",
    ),
    Rule(
        id="platform-above-ceiling",
        severity=Severity.ERROR,
        summary="a claimed platform is newer than the one that was asked for",
        why="Systems the recipe promises to serve would not install the wheel.",
        mend="Build in an image whose libc is not newer than the ceiling.",
        source="PEP 600; the recipe's platforms",
    ),
    Rule(
        id="library-missing",
        severity=Severity.ERROR,
        summary="a needed library is neither found in the wheel nor promised by the platform",
        why="Loading fails with `cannot open shared object file` wherever that library is not installed.",
        mend=(
            "Graft it by `auditwheel repair`, link it statically, or waive it where another package brings it. Give a "
            "library that needs another its own search path: a RUNPATH counts only for the object that has it."
        ),
        source="PEP 513; PEP 600; man 8 ld.so",
    ),
    Rule(
        id="wrong-machine",
        severity=Severity.ERROR,
        summary="an object is for another architecture than the wheel",
        why="The loader refuses it with `wrong ELF class` or `cannot open shared object file`.",
        mend="Clean the build folder between architectures; check what the cross compiler was told.",
        source="System V ABI, ELF header",
    ),
    Rule(
        id="wrong-libc",
        severity=Severity.ERROR,
        summary="an object is linked to the other libc",
        why="glibc and musl do not mix in a process: the libraries it needs are not there, or crash.",
        mend="Build musllinux wheels in a musllinux image and manylinux wheels in a manylinux one.",
        source="PEP 656",
    ),
    Rule(
        id="elf-broken",
        severity=Severity.ERROR,
        summary="an ELF object cannot be read",
        why="It is cut short or damaged; the loader fails or crashes, and nothing else about it can be judged.",
        mend="Build again; check stripping and patching tools (patchelf before 0.14.5 damages files).",
        source="System V ABI, ELF; man 5 elf",
    ),
)
