#!/bin/sh
# Fetch Rust's standard library for another machine: std.tar, to be laid over the bundle, and the manifest of its packages.
# Environment: SUITE, PACKAGE and ARCHITECTURE (Debian's name) of bundle.toml, TRIPLE (Rust's name of the target); MIRROR,
# FRESHNESS, PYTHON and SCRIPTS as for assemble.sh.
set -eu
umask 022
[ "$(id -u)" != 0 ] || export TMPDIR="$PWD"

mkdir apart
"$PYTHON" "$SCRIPTS/unprivileged.py" apart mmdebstrap --quiet --format=tar --architectures="$ARCHITECTURE" \
    --variant=extract --aptopt="$FRESHNESS" --aptopt='Acquire::Retries "3"' \
    --include="$PACKAGE" \
    --extract-hook='cd "$1/var/cache/apt/archives" && sha256sum *.deb >"$1/manifest"' \
    "$SUITE" packed.tar ${MIRROR:+"$MIRROR"}
mv apart/packed.tar .
tar --extract --to-stdout --file=packed.tar ./manifest >manifest
mkdir std
tar --extract --file=packed.tar --directory=std --strip-components=2 "./usr/lib/rustlib/$TRIPLE"
tar --create --file=std.tar --directory=std --dereference --sort=name --mtime=@315532800 \
    --owner=0 --group=0 --numeric-owner --format=gnu .
