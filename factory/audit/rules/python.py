"""Rules about interpreters: libpython, the stable ABI, suffixes and init functions."""

from factory.catalogue import Rule, Severity

PYTHON_RULES = (
    Rule(
        id="libpython-linked",
        severity=Severity.ERROR,
        summary="an object of the wheel needs an interpreter's library",
        why=(
            "Many interpreters are built without libpython, so the import fails with `cannot open shared object "
            "file`; where it is found, a second copy of the interpreter's state may be loaded. Repair tools remove the "
            "entry or graft the library, and neither makes the wheel right."
        ),
        mend=(
            "Do not link extension modules to libpython: use PyO3's `extension-module` feature, leave out "
            "`-lpython3.X` and `python3-embed`, use `Python::Module` rather than `Python::Python` in CMake."
        ),
        source="PEP 513, section `libpythonX.Y.so.1`",
    ),
    Rule(
        id="libpython-reached",
        severity=Severity.ERROR,
        summary="an object reaches an interpreter's library through another library of the wheel",
        why="The loader loads the whole closure: a library that needs libpython stops all that needs the library.",
        mend="Build the library in between without libpython, or leave out the part of it that embeds Python.",
        source="PEP 513, section `libpythonX.Y.so.1`; man 8 ld.so",
    ),
    Rule(
        id="libpython-embedded",
        severity=Severity.ERROR,
        summary="an object of the wheel is an interpreter",
        why=(
            "It defines Py_Initialize, or makes a module without asking any interpreter: libpython was linked "
            "statically, or grafted under another name. Two interpreters with separate state then share one process, "
            "and objects of one crash the other."
        ),
        mend="Do not link libpython.a or pass `--whole-archive` over it; let symbols of Python stay undefined.",
        source="PEP 513, section `libpythonX.Y.so.1`",
    ),
    Rule(
        id="program-without-libpython",
        severity=Severity.ERROR,
        summary="a program uses Python's symbols and needs no library that has them",
        why="Nothing provides them when the program starts: it dies with `undefined symbol: Py_Initialize`.",
        mend="Ship a script that runs the interpreter instead of a program that embeds it, or leave the program out.",
        source="auditwheel issue 604",
    ),
    Rule(
        id="abi3-symbol-above-floor",
        severity=Severity.ERROR,
        summary="an abi3 wheel needs a symbol that came after the oldest Python it claims",
        why="On the oldest interpreters the tag claims, the import fails with `undefined symbol`.",
        mend="Raise the floor to the version named, or build with Py_LIMITED_API (PyO3: abi3-py3X) at the floor.",
        source="PEP 384; CPython, Misc/stable_abi.toml",
    ),
    Rule(
        id="abi3-symbol-unstable",
        severity=Severity.ERROR,
        summary="an abi3 wheel needs a symbol that the stable ABI does not have",
        why="Any later Python may change or drop it, and the tag claims all of them.",
        mend="Define Py_LIMITED_API in every source file that includes Python.h, or build version-specific wheels.",
        source="PEP 384; CPython, Misc/stable_abi.toml",
    ),
    Rule(
        id="abi3-suffix",
        severity=Severity.ERROR,
        summary="an abi3 wheel holds a module whose suffix only one interpreter looks for",
        why="All other interpreters the tag claims install the wheel and cannot import the module.",
        mend="Name the module `.abi3.so`: setuptools needs `py_limited_api=True` on the extension too.",
        source="PEP 3149; CPython, importlib.machinery.EXTENSION_SUFFIXES",
    ),
    Rule(
        id="suffix-interpreter",
        severity=Severity.ERROR,
        summary="a module's suffix belongs to an interpreter that the wheel does not claim",
        why="The interpreters that install the wheel never find the module.",
        mend="Build with the interpreter the tag names, and clean the build folder between interpreters.",
        source="PEP 3149; CPython, importlib.machinery.EXTENSION_SUFFIXES",
    ),
    Rule(
        id="init-missing",
        severity=Severity.ERROR,
        summary="an extension module has no init function of its own name",
        why="The import fails with `dynamic module does not define module export function`.",
        mend="Make file name and init function agree: PyInit_x for module x (PyO3: the #[pymodule]'s name).",
        source="PEP 489; PEP 793",
    ),
    Rule(
        id="module-missing",
        severity=Severity.ERROR,
        summary="an expected extension module is not in the wheel",
        why="The build fell back to pure Python, or put the module elsewhere: users get a slower or a broken package.",
        mend="Read the build's log for the extension that was skipped, and make it required. "
        "Where the wheel holds it under another name, correct audit.modules in the recipe.",
        source="the recipe's audit.modules",
    ),
    Rule(
        id="modules-unnamed",
        severity=Severity.WARNING,
        summary="a recipe names none of the extension modules that its wheel holds",
        why="A later build that loses one of them, and has another or falls back to pure Python, would pass.",
        mend="Add the line that the finding shows to the recipe.",
        source="the recipe's audit.modules",
    ),
    Rule(
        id="pure-wheel",
        severity=Severity.ERROR,
        summary="a wheel for one platform holds no compiled object",
        why="The build fell back to pure Python without failing.",
        mend="Read the build's log for the extension that was skipped, often for want of a header or a program in the "
        "image, and make the extension required.",
        source="the plan, or the wheel's own tags",
    ),
    Rule(
        id="requires-python",
        severity=Severity.ERROR,
        summary="Requires-Python excludes an interpreter that the tags claim",
        why="Installers refuse the wheel on the only interpreter it is for, or cannot read the field at all.",
        mend="Correct `requires-python` in pyproject.toml, or do not build for that interpreter.",
        source="core metadata specification, Requires-Python",
    ),
    Rule(
        id="abi3-underclaimed",
        severity=Severity.NOTE,
        summary="a wheel for one version holds only modules for the stable ABI",
        why="One wheel could serve every later version; users of those build from source.",
        mend="Tag it abi3: `py_limited_api` for setuptools' bdist_wheel, PyO3's `abi3-py3X` for maturin.",
        source="PEP 425; PEP 384",
    ),
    Rule(
        id="abi3t-floor",
        severity=Severity.ERROR,
        summary="an abi3t tag claims a Python that has no such ABI",
        why="The stable ABI of free-threaded builds begins with 3.15: older ones cannot load the modules.",
        mend="Claim cp315 or later with abi3t, and build version-specific wheels for older free-threaded Pythons.",
        source="PEP 803",
    ),
    Rule(
        id="abi3t-object-layout",
        severity=Severity.ERROR,
        summary="a module of an abi3t wheel hands over structs that begin with an object's head",
        why="Free-threaded builds have another head: they read the fields behind it from wrong places, and crash.",
        mend="Define the module by PyModExport_ and slots; compile with Py_TARGET_ABI3T.",
        source="PEP 803; PEP 793",
    ),
)
