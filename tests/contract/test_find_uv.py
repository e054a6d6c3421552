"""uv is found by whichever thread asks first."""

import subprocess
import sys
from textwrap import dedent

ASKED_AT_ONCE = dedent(
    """\
    import sys, threading
    from factory.host import find_uv
    sys.setswitchinterval(1e-6)
    barrier, found = threading.Barrier(8), []
    def ask():
        barrier.wait()
        found.append(find_uv())
    threads = [threading.Thread(target=ask) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    sys.exit(len(found) != 8)
    """
)


def test_threads_that_ask_at_the_same_time_all_get_it() -> None:
    """It takes a process whose sysconfig was never asked; without the lock nine of ten such processes fail."""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", ASKED_AT_ONCE], capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
