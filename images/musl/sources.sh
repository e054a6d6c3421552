#!/bin/sh
# Fetch the sources of packages as their authors packed them: sources.sh FOLDER NAME…
# Environment: APT_CONFIG. The keyring vouches for the suite's index, and the index for the hashes. Debian's own part of a
# source, which mirrors may lack, is not asked for.
set -eu
cd "$1"
shift
apt-get --quiet --quiet --print-uris --only-source source "$@" >uris
sed --quiet "s/^'\([^']*\)' \([^ ]*\.orig\.tar\.[a-z0-9]*\) [0-9]* \(SHA256:[0-9a-f]*\)$/\1 \2 \3/p" uris >wanted
rm uris
while read -r uri name hash; do
    /usr/lib/apt/apt-helper download-file "$uri" "$name" "$hash" >&2
done <wanted
[ "$(wc -l <wanted)" = $# ] || { echo "fault: apt names no source of some of $*" >&2; exit 1; }
rm wanted
