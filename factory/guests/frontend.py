"""The build frontend inside a cell's container: calls one PEP 517 hook; argument: one JSON object.

Runs on the image's interpreters with nothing but pyproject_hooks from the tool bundle beside it, which the hook's own
process does not see. Never imported by the factory itself.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "site"))

import pyproject_hooks


def main() -> None:
    """Call the hook; the outcome is a file in the output folder, never stdout, which belongs to the backend."""
    order = json.loads(sys.argv[1])
    output = Path(order["output"])
    output.mkdir(parents=True, exist_ok=True)
    caller = pyproject_hooks.BuildBackendHookCaller(
        order["source"],
        order["backend"],
        backend_path=order["backend_path"],
        python_executable=sys.executable,
    )
    if order["hook"] == "requires":
        (output / "requires.json").write_text(json.dumps(caller.get_requires_for_build_wheel(order["settings"])))
    else:
        caller.build_wheel(str(output), order["settings"])


if __name__ == "__main__":
    main()
