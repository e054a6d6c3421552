#!/bin/sh
# Compile CPython where this runs, a suite's root with its compilers: cpython.sh PROGRAM OPTION…
# From /compile/source.tar, the release as its authors packed it; into /compile/made go the interpreter below /usr, as
# distributions have it, and the libraries that it needs. PROGRAM is python3.13t or the like, OPTIONs are of configure.
# It is optimised a little, and by no profile: that takes less time than the speed would ever save where wheels are built
# and tried. What it tells setuptools of flags is restated where it builds wheels.
set -eu
program=$1
shift
export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=315532800
libraries=/compile/made/usr/lib/$(gcc -print-multiarch)

mkdir /compile/build
tar --extract --file=/compile/source.tar --directory=/compile/build --strip-components=1
cd /compile/build
./configure --quiet OPT='-DNDEBUG -fwrapv -O1' --prefix=/usr --disable-shared --without-static-libpython \
    --with-ensurepip=no --disable-test-modules "$@"
make --silent --jobs="$JOBS"
make --silent DESTDIR=/compile/made altbininstall libinstall inclinstall sharedinstall >/dev/null

cd /compile/made/usr
for unwanted in ensurepip idlelib tkinter turtledemo; do
    rm --force --recursive "lib/$program/$unwanted"
done
find . -name __pycache__ -prune -exec rm -r {} +
strip --strip-unneeded bin/"$program" lib/"$program"/lib-dynload/*.so
"bin/$program" -c 'import bz2, ctypes, curses, decimal, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib'

mkdir -p "$libraries"
ldd bin/"$program" lib/"$program"/lib-dynload/*.so | sed --quiet 's/^\t\(.* => \)\?\(\/[^ ]*\) (.*/\2/p' | sort --unique |
    xargs cp --dereference --target-directory="$libraries"
