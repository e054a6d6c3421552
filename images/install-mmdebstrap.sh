#!/bin/sh
# Install mmdebstrap where this may be done; say how where it may not. Only Debian and its children have it.
set -eu
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update --quiet >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends mmdebstrap >/dev/null
else
    echo "mmdebstrap is missing; the images are made with it:  sudo apt-get install mmdebstrap" >&2
fi
