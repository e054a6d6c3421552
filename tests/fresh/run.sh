#!/bin/sh
# The README's two commands as on a new machine: a new clone, empty HOME and cache folders, and a second engine with an
# empty data root and a socket of its own. Prints the minutes. docs/explanation/fresh-machine.md says what it cannot hide.
set -eu

top=$(git rev-parse --show-toplevel)
if ! command -v dockerd >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "fresh: needs root and dockerd, to start a second engine" >&2
    exit 4
fi
work=$(mktemp -d)
bridge=fresh$$
engine=

clean() {
    [ -z "$engine" ] || { kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null; } || true
    ip link delete "$bridge" 2>/dev/null || true
    grep -o " $work/[^ ]*" /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

driver=$(docker info --format '{{.Driver}}' 2>/dev/null || echo overlay2)
octet=$((200 + $$ % 50))
ip link add "$bridge" type bridge
ip addr add "172.30.$octet.1/24" dev "$bridge"
ip link set "$bridge" up

mkdir "$work/engine" "$work/home" "$work/tmp"
printf '{"storage-driver": "%s", "mtu": 1400}\n' "$driver" > "$work/engine/daemon.json"
dockerd --config-file "$work/engine/daemon.json" --data-root "$work/engine/data" --exec-root "$work/engine/run" \
    --pidfile "$work/engine/pid" --host "unix://$work/engine/docker.sock" --bridge "$bridge" \
    --containerd-namespace "$bridge" --containerd-plugins-namespace "$bridge-plugins" \
    > "$work/engine/log" 2>&1 &
engine=$!
tries=60
until DOCKER_HOST=unix://$work/engine/docker.sock docker info >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ] || ! kill -0 "$engine" 2>/dev/null; then
        tail -n 20 "$work/engine/log" >&2
        echo "fresh: the second engine did not start" >&2
        exit 4
    fi
    sleep 1
done

git clone --quiet --no-local "$top" "$work/clone"
cd "$work/clone"
python=$(command -v python3.11 || command -v python3)
started=$(date +%s)
for target in wheels test; do
    before=$(date +%s)
    env -i PATH="$PATH" HOME="$work/home" TMPDIR="$work/tmp" LANG=C.UTF-8 CI=true \
        ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} ${http_proxy:+http_proxy="$http_proxy"} \
        ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
        ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} \
        DOCKER_HOST="unix://$work/engine/docker.sock" \
        make PYTHON="$("$python" -c 'import sys; print(sys.executable)')" "$target"
    after=$(date +%s)
    echo "fresh: make $target took $(((after - before) / 60)) min $(((after - before) % 60)) s"
done
after=$(date +%s)
echo "fresh: both took $(((after - started) / 60)) min $(((after - started) % 60)) s"
