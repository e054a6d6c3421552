"""A Python on Linux that lacks what Python on macOS does: code to run before the program is imported."""

AS_ON_MACOS = """
import errno, fcntl, os, resource, select, signal, socket, sys, sysconfig, types

sysconfig.get_config_vars()  # this Python's own, which lie in a file named for its system

# Only macOS has this module; requests asks it for the system's proxies.
proxies = types.ModuleType("_scproxy")
proxies._get_proxy_settings = proxies._get_proxies = dict
sys.modules["_scproxy"] = proxies
sys.platform = "darwin"

LINUX_ONLY = {
    os: "O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_RSYNC O_TMPFILE copy_file_range eventfd fdatasync getrandom getxattr "
    "listxattr memfd_create pidfd_open pipe2 posix_fadvise posix_fallocate removexattr sched_getaffinity "
    "sched_setaffinity sched_setscheduler setxattr splice",
    select: "epoll",
    signal: "SIGPWR SIGRTMAX SIGRTMIN SIGSTKFLT pidfd_send_signal sigtimedwait sigwaitinfo",
    resource: "RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_OFILE RLIMIT_RTPRIO RLIMIT_RTTIME RLIMIT_SIGPENDING prlimit",
    socket: "AF_NETLINK AF_PACKET AF_ALG SO_DOMAIN SO_MARK SO_PASSCRED SO_PEERCRED SO_PROTOCOL SOCK_CLOEXEC",
    fcntl: "F_ADD_SEALS F_GET_SEALS F_GETLEASE F_NOTIFY F_OFD_SETLK F_SETPIPE_SZ",
}
for module, names in LINUX_ONLY.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)


def require_no_proc(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith(("/proc", "b'/proc")):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), arguments[0])


sys.addaudithook(require_no_proc)
read_link = os.readlink


def read_named_link(path, **options):
    if not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return read_link(path, **options)


os.readlink = read_named_link
set_limit = resource.setrlimit


def set_limit_as_macos(what, limits):
    if what == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
    set_limit(what, limits)


resource.setrlimit = set_limit_as_macos
"""
