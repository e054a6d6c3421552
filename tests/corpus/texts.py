"""Wheels whose names and texts disagree."""

from tests.corpus.sample import ANY, META, Cases, Sample, beside, metadata, named, tags, variant
from tests.makers.objects import make_module
from tests.makers.wheels import ABI3_NAME, MODULE, NAME, wheel_text

CASES: Cases = {
    "tag-mismatch": (
        Sample(wheel={"wheel": wheel_text(ABI3_NAME)}),
        named("demo-1.0-cp310.cp311-cp311-manylinux_2_17_x86_64.whl"),
    ),
    "tag-unexpected": (
        Sample(expect=tags("cp39-abi3-manylinux_2_17_x86_64")),
        Sample(expect=tags("cp311-cp311-manylinux2014_x86_64")),
    ),
    "name-unreadable": (Sample(change=lambda path: path.rename(path.with_name("demo-1.0.whl"))), Sample()),
    "dist-info-count": (
        Sample({MODULE: make_module(), "demo-1.0.0.dist-info/x": b""}),
        Sample({MODULE: make_module(), "demo/vendored-1.0.dist-info/METADATA": b""}),
    ),
    "dist-info-mismatch": (
        Sample(wheel={"dist_info": "other-1.0.dist-info"}),
        Sample(wheel={"dist_info": "Demo-1.0.0.dist-info"}),
    ),
    "metadata-missing": (Sample(wheel={"metadata": None}), Sample()),
    "metadata-mismatch": (
        Sample(wheel={"metadata": "Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n"}),
        Sample(wheel={"metadata": "Metadata-Version: 2.1\nName: DEMO\nVersion: 1.0.0\n"}),
    ),
    "wheel-text-missing": (Sample(wheel={"wheel": None}), Sample()),
    "any-wheel-with-objects": (named(ANY, {"demo/core.so": make_module()}), named(ANY, {"demo/core.so": b"text"})),
    "purelib-with-objects": (
        Sample(wheel={"wheel": wheel_text(NAME, purelib=True)}),
        Sample({f"demo-1.0.data/platlib/{MODULE}": make_module()}, wheel={"wheel": wheel_text(NAME, purelib=True)}),
    ),
    "variant-refused": (variant("x86_64_v3", level="v3"), variant("x86_64_v3", level="v3", private=True)),
    "variant-mismatch": (
        variant("x86_64_v3", level="v3", inside="other", private=True),
        variant("x86_64_v3", level="v3", private=True),
    ),
    "variant-mismatch/nothing inside": (
        variant("x86_64_v3", private=True, inside=None),
        variant("null", private=True, inside="null"),
    ),
    "variant-mismatch/no label outside": (
        variant("", level="v3", inside="x86_64_v3", private=True),
        variant("", private=True, inside=None),
    ),
    "variant-mismatch/not JSON": (
        variant("x86_64_v3", private=True, text=b"{"),
        variant("x86_64_v3", level="v3", private=True),
    ),
    "tag-mismatch/build tag kept": (
        Sample(wheel={"wheel": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"}),
        Sample(),
    ),
    "tag-mismatch/a tag that is none": (
        Sample(wheel={"wheel": wheel_text(NAME) + "Tag: cp 39-abi3-any\n"}),
        Sample(wheel={"wheel": wheel_text(NAME) + f"Tag: {NAME[9:-4]}\n"}),
    ),
    "tag-mismatch/no tag at all": (
        Sample(wheel={"wheel": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"}),
        Sample(wheel={"wheel": wheel_text(NAME).replace("tests", "others")}),
    ),
    "dist-info-count/none": (
        Sample(wheel={"metadata": None, "wheel": None, "dist_info": "demo-1.0.data/data"}),
        Sample(),
    ),
    "dist-info-mismatch/version": (
        Sample(wheel={"dist_info": "demo-1.1.dist-info"}),
        Sample(wheel={"dist_info": "demo-1.0.0.dist-info"}),
    ),
    "metadata-mismatch/name": (
        Sample(wheel={"metadata": META.replace("demo", "other")}),
        Sample(wheel={"metadata": META.replace("demo", "Demo")}),
    ),
    "purelib-with-objects/in the data folder": (
        Sample({f"demo-1.0.data/purelib/{MODULE}": make_module()}),
        Sample({f"demo-1.0.data/platlib/{MODULE}": make_module()}),
    ),
    "any-wheel-with-objects/under data": (
        named(ANY, {"demo-1.0.data/platlib/demo/core.so": make_module()}),
        named(ANY, {"demo-1.0.data/platlib/demo/core.py": b""}),
    ),
    "name-unnormalised": (
        named("Demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"),
        named("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"),
    ),
    "name-unnormalised/version": (
        named("demo-1.0.post01-cp311-cp311-manylinux_2_17_x86_64.whl"),
        named("demo-1.0.post1-cp311-cp311-manylinux_2_17_x86_64.whl"),
    ),
    "local-version": (
        named("demo-1.0+g1a2b3c4-cp311-cp311-manylinux_2_17_x86_64.whl"),
        named("demo-1.0.post1-cp311-cp311-manylinux_2_17_x86_64.whl"),
    ),
    "local-version/not for an index": (
        named("demo-1.0+ours.1-cp311-cp311-manylinux_2_17_x86_64.whl"),
        Sample(
            wheel={
                "filename": "demo-1.0+ours.1-cp311-cp311-manylinux_2_17_x86_64.whl",
                "metadata": META.replace("1.0\n", "1.0+ours.1\n") + "Classifier: Private :: Do Not Upload\n",
            }
        ),
    ),
    "archive-ratio": (
        Sample(dict.fromkeys(("demo/a.dat", "demo/b.dat"), bytes(40 << 20)) | {MODULE: make_module()}),
        Sample({"demo/a.dat": bytes(60 << 20), MODULE: make_module()}),
    ),
    "requirement-by-url": (
        metadata("Requires-Dist: attrs @ https://example.org/attrs-25.1.0-py3-none-any.whl"),
        metadata("Requires-Dist: attrs >= 25.1"),
    ),
    "requirement-by-url/of an extra": (
        metadata("Provides-Extra: dev", "Requires-Dist: attrs @ git+https://example.org/attrs ; extra == 'dev'"),
        metadata(
            "Provides-Extra: dev",
            "Requires-Dist: attrs @ git+https://example.org/attrs ; extra == 'dev'",
            "Classifier: Private :: Do Not Upload",
        ),
    ),
    "classifier-unknown": (
        metadata("Classifier: License-Expression :: MIT"),
        metadata("Classifier: Private :: License-Expression :: MIT"),
    ),
    "classifier-unknown/withdrawn": (
        metadata("Classifier: Natural Language :: Ukranian"),
        metadata("Classifier: Natural Language :: Ukrainian"),
    ),
    "licence-twice": (
        metadata("License-Expression: MIT", "License: MIT"),
        metadata("License: MIT"),
    ),
    "licence-classifier": (
        metadata("License-Expression: MIT", "Classifier: License :: OSI Approved :: MIT License"),
        metadata("License: MIT", "Classifier: License :: OSI Approved :: MIT License"),
    ),
    "metadata-refused": (metadata(f"Summary: {'x' * 513}"), metadata(f"Summary: {'x' * 512}")),
    "metadata-refused/a label": (
        metadata(f"Project-URL: {'x' * 33}, https://example.org"),
        metadata(f"Project-URL: {'x' * 32}, https://example.org"),
    ),
    "metadata-refused/no URL": (
        metadata("Project-URL: Home, example.org"),
        metadata("Project-URL: Home, https://example.org"),
    ),
    "wheel-version": (
        Sample(wheel={"wheel": wheel_text(NAME).replace("1.0", "2.0", 1)}),
        Sample(wheel={"wheel": wheel_text(NAME).replace("1.0", "1.9", 1)}),
    ),
    "wheel-version/absent": (
        Sample(wheel={"wheel": wheel_text(NAME).replace("Wheel-Version: 1.0\n", "")}),
        Sample(),
    ),
    "metadata-version": (metadata(version="9.9"), metadata(version="2.5")),
    "metadata-version/absent": (Sample(wheel={"metadata": "Name: demo\nVersion: 1.0\n"}), metadata(version="2.1")),
    "metadata-invalid": (metadata("Requires-Dist: a b c"), metadata("Requires-Dist: a (>=1)")),
    "metadata-invalid/description type": (
        metadata("Description-Content-Type: text/html", text="<p>"),
        metadata("Description-Content-Type: text/markdown", text="<p>"),
    ),
    "metadata-invalid/summary": (metadata("Provides-Extra: a b"), metadata("Provides-Extra: a-b")),
    "licence-expression": (metadata("License-Expression: GPL"), metadata("License-Expression: MIT OR Apache-2.0")),
    "licence-file-missing": (
        metadata("License-File: LICENSE"),
        Sample(
            {MODULE: make_module(), "demo-1.0.dist-info/licenses/LICENSE": b"MIT"},
            wheel={"metadata": META + "License-File: LICENSE\n"},
        ),
    ),
    "licence-file-missing/of the older kind": (
        metadata("License-File: LICENSE", version="2.1"),
        Sample(
            {MODULE: make_module(), "demo-1.0.dist-info/LICENSE": b"MIT"},
            wheel={"metadata": META.replace("2.4", "2.1") + "License-File: LICENSE\n"},
        ),
    ),
    "readme-unrenderable": (
        metadata("Description-Content-Type: text/x-rst", text="Title\n==\n\n.. no-such::\n\n`open\n"),
        metadata("Description-Content-Type: text/x-rst", text="Title\n=====\n\n* `text <https://a.example>`_\n"),
    ),
    "readme-unrenderable/markdown taken for it": (
        metadata(text="Title\n=\n\n[a](b) |x\n.. image:: \n"),
        metadata("Description-Content-Type: text/markdown", text="Title\n=\n\n[a](b) |x\n.. image:: \n"),
    ),
    "entry-points-unreadable": (
        beside("demo-1.0.dist-info/entry_points.txt", b"demo = demo:main\n"),
        beside("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\ndemo = demo:main\n"),
    ),
    "entry-point-missing": (
        beside("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\ndemo = demo.cli:main\n"),
        beside("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\ndemo = demo.core:main\n"),
    ),
    "entry-point-missing/of another package": (
        beside("demo-1.0.dist-info/entry_points.txt", b"[pytest11]\ndemo = other.plugin\n"),
        Sample(
            {MODULE: make_module(), "demo-1.0.dist-info/entry_points.txt": b"[pytest11]\ndemo = other.plugin\n"},
            wheel={"metadata": META + "Requires-Dist: other\n"},
        ),
    ),
    "entry-points-unreadable/no function": (
        beside("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\ndemo = demo.core\n"),
        beside("demo-1.0.dist-info/entry_points.txt", b"[demo.plugins]\ndemo = demo.core\n"),
    ),
    "entry-points-unreadable/a call": (
        beside("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\ndemo = demo.core:main()\n"),
        beside("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\ndemo = demo.core:main.run [fast]\n"),
    ),
    "metadata-invalid/twice": (
        metadata("Requires-Python: >=3.9", "Requires-Python: >=3.11"),
        metadata("Requires-Dist: one", "Requires-Dist: two"),
    ),
    "metadata-invalid/a name": (
        named("_demo-1.0-py3-none-any.whl", {"demo/__init__.py": b""}),
        named("de_mo-1.0-py3-none-any.whl", {"demo/__init__.py": b""}),
    ),
    "metadata-refused/a home page": (metadata("Home-page: demo.example"), metadata("Home-page: http://demo.example")),
    "metadata-refused/an address": (
        metadata("Author-email: Ann <ann at demo.example>"),
        metadata("Author-email: Ann <ann@demo.example>, Bob <bob@demo.example>"),
    ),
}
