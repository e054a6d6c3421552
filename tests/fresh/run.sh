#!/bin/sh
# The README's two commands as on a new machine: a new clone, empty HOME and cache folders, and a second engine with
# nothing in it. Prints the minutes. docs/explanation/fresh-machine.md says what it cannot hide.
set -eu

if [ -z "${WORK:-}" ]; then
    exec sh "$(dirname "$0")/engine.sh" sh "$0"
fi
top=$(git rev-parse --show-toplevel)
mkdir "$WORK/home" "$WORK/tmp"
git clone --quiet --no-local "$top" "$WORK/clone"
cd "$WORK/clone"
python=$(command -v python3.11 || command -v python3)
started=$(date +%s)
for target in wheels test; do
    before=$(date +%s)
    env -i PATH="$PATH" HOME="$WORK/home" TMPDIR="$WORK/tmp" LANG=C.UTF-8 CI=true \
        ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} ${http_proxy:+http_proxy="$http_proxy"} \
        ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
        ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} \
        DOCKER_HOST="$DOCKER_HOST" \
        make PYTHON="$("$python" -c 'import sys; print(sys.executable)')" "$target"
    after=$(date +%s)
    echo "fresh: make $target took $(((after - before) / 60)) min $(((after - before) % 60)) s"
done
after=$(date +%s)
echo "fresh: both took $(((after - started) / 60)) min $(((after - started) % 60)) s"
