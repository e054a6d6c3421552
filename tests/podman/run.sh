#!/bin/sh
# The engine's contract suite and one recipe on Podman: a service with storage, networks and settings of its own, below a
# temporary folder. docs/reference/engines.md tells what it found. Arguments are pytest's, and then no recipe is built.
set -eu

top=$(git rev-parse --show-toplevel)
if [ "$(id -u)" != 0 ]; then
    echo "podman: not run: its service is started as root here" >&2
    exit 0
fi
packages="podman catatonit netavark"
if ! command -v podman >/dev/null; then
    if ! command -v apt-get >/dev/null; then
        echo "podman: not run: podman is not installed, and nothing here installs it" >&2
        exit 0
    fi
    apt-get update --quiet >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends $packages >/dev/null
fi
work=$(mktemp -d)
service=

clean() {
    if [ -n "$service" ]; then
        podman rm --all --force --volumes --time 0 >/dev/null 2>&1 || true
        kill "$service" 2>/dev/null && wait "$service" 2>/dev/null || true
    fi
    grep -o " $work/[^ ]*" /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

cat > "$work/containers.conf" <<CONF
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
init_path = "$(command -v catatonit)"
tmp_dir = "$work/tmp"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
CONF
cat > "$work/storage.conf" <<CONF
[storage]
driver = "overlay"
runroot = "$work/run"
graphroot = "$work/storage"
CONF
cat > "$work/registries.conf" <<CONF
[[registry]]
location = "127.0.0.1"
insecure = true
CONF
export CONTAINERS_CONF="$work/containers.conf" CONTAINERS_STORAGE_CONF="$work/storage.conf"
export CONTAINERS_REGISTRIES_CONF="$work/registries.conf"
mkdir "$work/networks"
cd "$work"  # where a command's own monitor leaves a file when memory ran out
podman system service --time=0 "unix://$work/podman.sock" > "$work/log" 2>&1 &
service=$!
tries=30
until [ -S "$work/podman.sock" ]; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ] || ! kill -0 "$service" 2>/dev/null; then
        tail -n 20 "$work/log" >&2
        echo "podman: the service did not start" >&2
        exit 4
    fi
    sleep 1
done

cd "$top"
export DOCKER_HOST="unix://$work/podman.sock" FACTORY_STORE="$work/store"
podman --version
if [ $# -gt 0 ]; then
    .venv/bin/pytest --on-podman "$@"
    exit
fi
failed=0
started=$(date +%s)
.venv/bin/factory build recipes/markupsafe.yaml -o "$work/dist" || failed=1
built=$(date +%s)
.venv/bin/pytest -q tests/contract -m engine --require-engine --on-podman || failed=1
ended=$(date +%s)
echo "podman: the recipe took $((built - started)) s with its images, the contract suite $((ended - built)) s"
exit "$failed"
