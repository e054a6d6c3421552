#!/bin/sh
# Compile CPython where this runs, a suite's root with its compilers: cpython.sh PROGRAM PREFIX OPTION…
# From /compile/source.tar, the release as its authors packed it; into PREFIX goes a whole installation, with the libraries
# that it needs beside it. PROGRAM is python3.13t or the like, OPTIONs are of configure.
# It is optimised a little, and by no profile: that takes less time than the speed would ever save where wheels are built
# and tried. What sysconfig says of flags is what configure is given, -O3, and not what make is.
set -eu
program=$1 prefix=$2
shift 2
private=$prefix/lib/private
export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=315532800

mkdir /compile/build
tar --extract --file=/compile/source.tar --directory=/compile/build --strip-components=1
cd /compile/build
# RUNPATH and not RPATH: a wheel's objects must not find the interpreter's own libraries. It does not lead from one library
# to the next, so every module names all that it loads, used or not.
./configure --quiet OPT='-DNDEBUG -fwrapv -O3 -Wall' --prefix="$prefix" --disable-shared --without-static-libpython \
    LDFLAGS_NODIST="-Wl,--no-as-needed,--enable-new-dtags,-rpath,$private" \
    LIBREADLINE_CFLAGS=' ' LIBREADLINE_LIBS='-lreadline -ltinfo' PANEL_CFLAGS=' ' PANEL_LIBS='-lpanelw -lncursesw -ltinfo' \
    --with-ensurepip=no --disable-test-modules "$@"
make --silent --jobs="$JOBS" OPT='-DNDEBUG -fwrapv -O1'
make --silent OPT='-DNDEBUG -fwrapv -O1' altbininstall libinstall inclinstall sharedinstall >/dev/null

cd "$prefix"
for unwanted in ensurepip idlelib tkinter turtledemo; do
    rm --force --recursive "lib/$program/$unwanted"
done
find . -name __pycache__ -prune -exec rm -r {} +
strip --strip-unneeded bin/"$program" lib/"$program"/lib-dynload/*.so
ln --symbolic --force "$program" bin/python3
ln --symbolic --force python3 bin/python

needed() { # the files that the interpreter and its modules load, without the C library's own
    ldd bin/"$program" lib/"$program"/lib-dynload/*.so | sed --quiet 's/^\t.* => \(\/[^ ]*\) (.*/\1/p' | sort --unique |
        grep --invert-match --extended-regexp '/lib(c|m|dl|rt|util|pthread|gcc_s)\.so\.[0-9]+$'
}
mkdir "$private"
needed | xargs cp --dereference --target-directory="$private"
others=$(needed | grep --invert-match "^$private/" || true)
if [ -n "$others" ]; then
    echo "fault: $program would load from the system:" $others >&2
    exit 1
fi
"bin/$program" -c 'import bz2, ctypes, curses, decimal, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib'
# Builds and trials see it read-only, so it is compiled ahead; unchecked files (PEP 552) stay valid whatever their times.
"bin/$program" -m compileall -q -j "$JOBS" --invalidation-mode unchecked-hash "lib/$program"
