"""Says which Python runs this; argument: the path by which it was found."""

import json
import platform
import sys
import sysconfig

NAME = platform.python_implementation()
IS_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

VERSION = platform.python_version().rstrip("+")  # "+" is added by a build of a commit after the release

print("python", sys.argv[1], json.dumps([NAME, sys.version_info[1], IS_FREE_THREADED, VERSION]))
