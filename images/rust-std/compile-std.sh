#!/bin/sh
# Compile Rust's standard library for a target for which no suite packs it: std.tar, to be laid over the bundle, and the
# manifest of the packages that it was made with and from.
# Environment: SUITE and PACKAGES (with commas) of bundle.toml, TRIPLE (Rust's name of the target); MIRROR, FRESHNESS,
# PYTHON, FAMILY and SCRIPTS as for assemble.sh.
set -eu
umask 022
# Root's temporary files lie here; an unprivileged user's must be reachable for the identities of a user namespace.
[ "$(id -u)" != 0 ] || export TMPDIR="$PWD"

mkdir apart
cp "$FAMILY/build-std.sh" apart
"$PYTHON" "$SCRIPTS/unprivileged.py" apart mmdebstrap --quiet --format=null --variant=apt --architectures=amd64 \
    --aptopt="$FRESHNESS" --aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --include="$PACKAGES" \
    --customize-hook='mkdir "$1/compile"' \
    --customize-hook='copy-in build-std.sh /compile' \
    --customize-hook='chroot "$1" sh /compile/build-std.sh '"$TRIPLE"' >&2' \
    --customize-hook='chroot "$1" dpkg-query --show --showformat "\${Package}:\${Architecture}=\${Version}\n" |
        APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" xargs apt-cache show --no-all-versions |
        sed --quiet "s/^\(Package\|Version\|Architecture\|SHA256\): //p" | paste --delimiters=_ - - - - >"$1/compile/manifest"' \
    --customize-hook='tar --create --sort=name --mtime=@315532800 --owner=0 --group=0 --numeric-owner --format=gnu \
        --file="$1/compile/std.tar" --directory="$1/compile/std" .' \
    --customize-hook='copy-out /compile/manifest /compile/std.tar .' \
    "$SUITE" - ${MIRROR:+"$MIRROR"}
mv apart/manifest apart/std.tar .
