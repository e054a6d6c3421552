"""Says which Python runs this; argument: the path by which it was found."""

import json
import platform
import sys
import sysconfig

IS_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

print("python", sys.argv[1], json.dumps([platform.python_implementation(), sys.version_info[1], IS_FREE_THREADED]))
