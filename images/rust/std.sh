#!/bin/sh
# Fetch Rust's standard library for another machine: std.tar, to be laid over the bundle, and the manifest of its packages.
# Environment: SUITE, PACKAGE and ARCHITECTURE (Debian's name) of bundle.toml, TRIPLE (Rust's name of the target); MIRROR,
# FRESHNESS, PYTHON and SCRIPTS as for assemble.sh.
set -eu
umask 022
[ "$(id -u)" != 0 ] || export TMPDIR="$PWD"

mkdir apart std
# The package alone, without the libraries that it depends on: it is unpacked, and nothing of it runs.
"$PYTHON" "$SCRIPTS/unprivileged.py" apart mmdebstrap --quiet --format=null --architectures="$ARCHITECTURE" \
    --variant=custom --skip=check/qemu --aptopt="$FRESHNESS" --aptopt='Acquire::Retries "3"' \
    --customize-hook='mkdir "$1/got"' \
    --customize-hook='cd "$1/got" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --quiet=2 download '"$PACKAGE" \
    --customize-hook='cd "$1/got" && sha256sum *.deb >manifest && mv *.deb std.deb' \
    --customize-hook='copy-out /got/manifest /got/std.deb .' \
    "$SUITE" - ${MIRROR:+"$MIRROR"}
mv apart/manifest .
dpkg-deb --fsys-tarfile apart/std.deb |
    tar --extract --directory=std --strip-components=2 "./usr/lib/rustlib/$TRIPLE"
tar --create --file=std.tar --directory=std --dereference --sort=name --mtime=@315532800 \
    --owner=0 --group=0 --numeric-owner --format=gnu .
