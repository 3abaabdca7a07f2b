"""Take rights from this process, for good: before it reads bytes that strangers chose.

Every measure works without root. Linux has all of them from 5.13 on; `confine` returns those that hold here, and the
caller logs the others. macOS has the resource limits only.

* resource limits: no child processes, no core file (a core file would hold the mail)
* no new privileges (prctl(2)): a set-user-ID program gives none
* seccomp(2): no sockets, no programs, no change of files, no look into other processes
* landlock(7): files can only be read below the given folders, so no credential, token or database
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_SECCOMP_MODE_FILTER = 2

# The numbers of system calls (asm/unistd_64.h; asm-generic/unistd.h).
_X86_64 = {
    "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50, "socketpair": 53,
    "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "truncate": 76, "rename": 82, "mkdir": 83, "rmdir": 84,
    "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "chown": 92, "ptrace": 101, "setuid": 105,
    "mknod": 133, "chroot": 161, "mount": 165, "tkill": 200, "tgkill": 234, "mkdirat": 258, "mknodat": 259,
    "fchownat": 260, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "unshare": 272,
    "accept4": 288, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "renameat2": 316, "bpf": 321,
    "execveat": 322, "userfaultfd": 323, "io_uring_setup": 425, "pidfd_open": 434,
}  # fmt: skip
_AARCH64 = {
    "mknodat": 33, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "mount": 40,
    "truncate": 45, "chroot": 51, "fchmodat": 53, "fchownat": 54, "unshare": 97, "ptrace": 117, "kill": 129,
    "tkill": 130, "tgkill": 131, "setuid": 146, "socket": 198, "socketpair": 199, "bind": 200, "listen": 201,
    "accept": 202, "connect": 203, "sendto": 206, "sendmsg": 211, "execve": 221, "accept4": 242, "setns": 268,
    "process_vm_readv": 270, "process_vm_writev": 271, "renameat2": 276, "bpf": 280, "execveat": 281,
    "userfaultfd": 282, "io_uring_setup": 425, "pidfd_open": 434,
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}  # AUDIT_ARCH_...
_X32_BIT = 0x40000000
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM

# landlock(7): the rights of its first version, and those of reading.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_RIGHTS, _LANDLOCK_READING = (1 << 13) - 1, (1 << 2) | (1 << 3)


def confine(readable: Iterable[Path]) -> tuple[list[str], list[str]]:
    """Take the rights; return the names of the measures that hold, and of those that this system does not have.

    `readable`: folders from which this process still imports modules and reads their data.
    """
    measures: list[tuple[str, Callable[[], None]]] = [
        ("limits", _limit),
        ("no_new_privs", _no_new_privileges),
        ("landlock", lambda: _restrict_files(readable)),
        ("seccomp", _filter_calls),
    ]
    held, missing = [], []
    for name, measure in measures:
        try:
            measure()
        except (OSError, AttributeError, KeyError, ValueError):
            missing.append(name)
        else:
            held.append(name)
    return held, missing


def _limit() -> None:
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(kind, (0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _prctl(option: int, *values: int) -> None:
    longs = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    _checked(_libc().prctl(option, *longs))


def _no_new_privileges() -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)


def _filter_calls() -> None:
    """Install a filter that refuses the listed calls with EPERM (linux/filter.h, linux/seccomp.h)."""
    architecture, numbers = _MACHINES[platform.machine()]
    refused = sorted(numbers.values())
    count = len(refused)
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    # A line: the operation, how many lines to skip if it is true and if it is false, and its value.
    program = [
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, architecture),
        (answer, 0, 0, _REFUSE),
        (load, 0, 0, 0),  # the number of the call
        (at_least, count + 1, 0, _X32_BIT),
        *((equal, count - position, 0, number) for position, number in enumerate(refused)),
        (answer, 0, 0, _ALLOW),
        (answer, 0, 0, _REFUSE),
    ]
    packed = b"".join(struct.pack("=HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    filters = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    header = ctypes.create_string_buffer(filters, len(filters))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))


def _restrict_files(readable: Iterable[Path]) -> None:
    """Refuse every access to files but reading below the given folders."""
    libc = _libc()
    attributes = ctypes.create_string_buffer(struct.pack("=Q", _LANDLOCK_RIGHTS), 8)
    rules = _checked(libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(8), ctypes.c_uint32(0)))
    try:
        for folder in readable:
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
                try:
                    rule = ctypes.create_string_buffer(struct.pack("=Qi", _LANDLOCK_READING, descriptor), 12)
                    _checked(libc.syscall(_LANDLOCK_ADD, rules, 1, rule, ctypes.c_uint32(0)))
                finally:
                    os.close(descriptor)
        _checked(libc.syscall(_LANDLOCK_RESTRICT, rules, ctypes.c_uint32(0)))
    finally:
        os.close(rules)
