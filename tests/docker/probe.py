"""Tries to get out of a container: a line for each promise, `name: ok|OPEN detail`.

Runs inside, on the standard library of a minimal Python alone. Every attempt is bounded and undone, so that it harms
nothing where it succeeds.
"""

import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

DOCUMENTATION_ADDRESS = "192.0.2.1"  # RFC 5737: routed nowhere
BRIDGE_GATEWAY = "172.17.0.1"
FORKS = 300
ALLOCATION_BYTES = 400 << 20
BOUND_BYTES = 1 << 30
PSEUDO = {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"}
ENGINES_OWN = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/sbin/docker-init", "/dev/init", "/run/podman-init"}
STANDARD_DEVICES = {"null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "pts", "shm", "mqueue", "fd"}
STANDARD_LINKS = {"stdin", "stdout", "stderr", "core", "init"}
ENGINE_SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
)
NO_WAY_OUT = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.EPERM}

Verdict = tuple[bool, str]


def status(name: str) -> str:
    with Path("/proc/self/status").open() as lines:
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:"))


def uid() -> Verdict:
    uids = os.getresuid()
    return 0 not in uids, str(uids)


def groups() -> Verdict:
    found = {*os.getresgid(), *os.getgroups()}
    return 0 not in found, str(sorted(found))


def capabilities() -> Verdict:
    sets = {name: status(name) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    return not any(int(bits, 16) for bits in sets.values()), str(sets)


def no_new_privileges() -> Verdict:
    return status("NoNewPrivs") == "1", status("NoNewPrivs")


def seccomp() -> Verdict:
    return status("Seccomp") == "2", status("Seccomp")


def writing(folder: str) -> Callable[[], Verdict]:
    def attempt() -> Verdict:
        path = Path(folder) / f".probe-{os.getpid()}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            return True, str(error)
        path.unlink()
        return False, f"wrote {path}"

    return attempt


def proc_sys() -> Verdict:
    try:
        with Path("/proc/sys/vm/swappiness").open("r+") as knob:
            value = knob.read()
            knob.seek(0)
            knob.write(value)
    except OSError as error:
        return True, str(error)
    return False, "a kernel setting was written"


def cgroup() -> Verdict:
    whole = Path("/sys/fs/cgroup")
    group = (whole / "pids" if (whole / "pids").is_dir() else whole) / "probe"
    try:
        group.mkdir()
    except OSError as error:
        return True, str(error)
    group.rmdir()
    return False, "a control group was made"


def cgroup_namespace() -> Verdict:
    """The namespace's own group is its root; a host's tells where the engine keeps it, by the container's id."""
    with Path("/proc/self/cgroup").open() as lines:
        paths = {line.rstrip().split(":", 2)[2] for line in lines}
    return paths == {"/"}, str(sorted(paths)[:3])


def cpu_limit() -> Verdict:
    for name in ("cpu.max", "cpu/cpu.cfs_quota_us"):  # control groups of version 2, and of version 1
        path = Path("/sys/fs/cgroup") / name
        if path.exists():
            quota = path.read_text().split()[0]
            return quota.isdigit(), quota
    return False, "no quota"


def connecting(address: str, port: int) -> Callable[[], Verdict]:
    """A refusal by a peer is a way out, too: only this side's kernel may refuse."""

    def attempt() -> Verdict:
        with socket.socket() as connection:
            connection.settimeout(2)
            code = connection.connect_ex((address, port))
        return code == errno.ENETUNREACH, os.strerror(code)

    return attempt


def udp() -> Verdict:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(b"probe", (DOCUMENTATION_ADDRESS, 9))
        except OSError as error:
            return error.errno in NO_WAY_OUT, str(error)
    return False, "a datagram was sent"


def nameservers() -> Iterator[str]:
    with Path("/etc/resolv.conf").open() as lines:
        yield from (line.split()[1] for line in lines if line.startswith("nameserver"))
    yield DOCUMENTATION_ADDRESS


def dns() -> Verdict:
    query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x00\x00\x02\x00\x01"  # the root's name servers
    for server in nameservers():
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as asker:
            asker.settimeout(2)
            try:
                asker.connect((server, 53))
                asker.send(query)
                asker.recv(512)
            except TimeoutError:
                return False, f"a query to {server} was sent"
            except OSError as error:
                if error.errno not in NO_WAY_OUT:
                    return False, str(error)
            else:
                return False, f"{server} answered"
    return True, "no query left"


def raw_socket() -> Verdict:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except OSError as error:
        return True, str(error)
    return False, "a raw socket was opened"


def interfaces() -> Verdict:
    names = {name for _, name in socket.if_nameindex()}
    return names == {"lo"}, str(sorted(names))


def engine_socket() -> Verdict:
    found = [path for path in ENGINE_SOCKETS if Path(path).exists()]
    return not found, str(found)


def host_mounts() -> Verdict:
    """Beyond the engine's own files only the workspace lies on a disk, and it is a volume, not a host's folder."""
    foreign = []
    with Path("/proc/self/mountinfo").open() as lines:
        for line in lines:
            before, after = line.split(" - ")
            root, point = before.split()[3:5]
            is_workspace = point == "/work" and "/volumes/" in root
            if after.split()[0] not in PSEUDO and point not in {"/", *ENGINES_OWN} and not is_workspace:
                foreign.append(point)
    return not foreign, str(foreign)


def pid_namespace() -> Verdict:
    second = Path("/proc/2/comm")
    name = second.read_text().strip() if second.exists() else ""
    return name != "kthreadd", name


def pids_limit() -> Verdict:
    children = []
    try:
        for _ in range(FORKS):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except BlockingIOError as error:
        return True, f"{len(children)} forks, then {error}"
    finally:
        for child in children:
            os.kill(child, 9)
        for child in children:
            os.waitpid(child, 0)
    return False, f"{FORKS} forks"


def memory_limit() -> Verdict:
    child = os.fork()
    if child == 0:
        Path("/proc/self/oom_score_adj").write_text("1000")
        held = b"x" * ALLOCATION_BYTES
        os._exit(0 if held else 1)
    _, ended = os.waitpid(child, 0)
    return os.WIFSIGNALED(ended), f"wait status {ended}"


def bounded(path: str) -> Callable[[], Verdict]:
    def look() -> Verdict:
        room = os.statvfs(path)
        size = room.f_blocks * room.f_frsize
        return size < BOUND_BYTES, f"{size} bytes"

    return look


def devices() -> Verdict:
    foreign = sorted({path.name for path in Path("/dev").iterdir()} - STANDARD_DEVICES - STANDARD_LINKS)
    return not foreign, str(foreign[:5])


def mknod() -> Verdict:
    path = Path(f"/tmp/probe-{os.getpid()}")
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
    except OSError as error:
        return True, str(error)
    path.unlink()
    return False, "a device was made"


def setuid() -> Verdict:
    """Run a program that belongs to root and has the set-user-id bit, as somebody who is not root."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        os.dup2(writer, 1)
        os.execv("/usr/bin/setuid-id", ["id", "-u"])
    os.close(writer)
    os.waitpid(child, 0)
    user = os.read(reader, 100).decode().strip()
    return user.isdigit() and user != "0", f"became {user!r}"


PROMISES: dict[str, Callable[[], Verdict]] = {
    "uid": uid,
    "groups": groups,
    "capabilities": capabilities,
    "no-new-privileges": no_new_privileges,
    "seccomp": seccomp,
    **{f"write-{folder}": writing(folder) for folder in ("/", "/etc", "/usr", "/opt", "/root", "/var/tmp", "/usr/bin")},
    "proc-sys": proc_sys,
    "cgroup": cgroup,
    "cgroup-namespace": cgroup_namespace,
    "cpu-limit": cpu_limit,
    "tcp-out": connecting(DOCUMENTATION_ADDRESS, 80),
    "tcp-gateway": connecting(BRIDGE_GATEWAY, 22),
    "udp-out": udp,
    "dns": dns,
    "raw-socket": raw_socket,
    "interfaces": interfaces,
    "engine-socket": engine_socket,
    "host-mounts": host_mounts,
    "pid-namespace": pid_namespace,
    "pids-limit": pids_limit,
    "memory-limit": memory_limit,
    "tmp-bounded": bounded("/tmp"),
    "shm-bounded": bounded("/dev/shm"),
    "devices": devices,
    "mknod": mknod,
    "setuid": setuid,
}


def main() -> None:
    for name, promise in PROMISES.items():
        kept, detail = promise()
        sys.stdout.write(f"{name}: {'ok' if kept else 'OPEN'} {detail!r}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
