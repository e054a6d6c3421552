#!/bin/sh
# Run a command with a second engine that has nothing in it: an empty data root, and a socket, a bridge and a containerd
# namespace of its own. DOCKER_HOST names it, and WORK a folder that is removed at the end.
#
#     sh tests/fresh/engine.sh COMMAND [ARGUMENT]...
set -eu

if ! command -v dockerd >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "engine: needs root and dockerd, to start a second engine" >&2
    exit 4
fi
WORK=$(mktemp -d)
bridge=fresh$$
engine=

clean() {
    [ -z "$engine" ] || { kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null; } || true
    ip link delete "$bridge" 2>/dev/null || true
    grep -o " $WORK/[^ ]*" /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null || true
    rm -rf "$WORK"
}
trap clean EXIT
trap 'exit 130' INT TERM

driver=$(docker info --format '{{.Driver}}' 2>/dev/null || echo overlay2)
octet=$((200 + $$ % 50))
ip link add "$bridge" type bridge
ip addr add "172.30.$octet.1/24" dev "$bridge"
ip link set "$bridge" up

mkdir "$WORK/engine"
printf '{"storage-driver": "%s", "mtu": 1400}\n' "$driver" > "$WORK/engine/daemon.json"
dockerd --config-file "$WORK/engine/daemon.json" --data-root "$WORK/engine/data" --exec-root "$WORK/engine/run" \
    --pidfile "$WORK/engine/pid" --host "unix://$WORK/engine/docker.sock" --bridge "$bridge" \
    --containerd-namespace "$bridge" --containerd-plugins-namespace "$bridge-plugins" \
    > "$WORK/engine/log" 2>&1 &
engine=$!
export WORK DOCKER_HOST="unix://$WORK/engine/docker.sock"
tries=60
until docker info >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ] || ! kill -0 "$engine" 2>/dev/null; then
        tail -n 20 "$WORK/engine/log" >&2
        echo "engine: the second engine did not start" >&2
        exit 4
    fi
    sleep 1
done
"$@"
