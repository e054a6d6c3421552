#!/bin/sh
# mingw-w64's dlltool writes temporary files where it is called, unless it is told otherwise: PyO3 before 0.29 calls it in
# the folder of a crate, which is read-only. Of two prefixes the last counts, so that a caller's own stays.
exec /usr/bin/x86_64-w64-mingw32-dlltool --temp-prefix "$(mktemp --dry-run)" "$@"
