"""Confine a process with namespaces, seccomp and Landlock, called through ctypes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grader.execution.limits import Limits

CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWIPC = 0x20000000, 0x00020000, 0x08000000
MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38

ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""For each machine, seccomp's number for it and its column in `CALLS`."""

_TABLE = """
read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69,
pwritev 296 70, preadv2 327 286, pwritev2 328 287, lseek 8 62, sendfile 40 71,
copy_file_range 326 285, open 2 -, openat 257 56, creat 85 -, close 3 57, close_range 436 436,
dup 32 23, dup2 33 -, dup3 292 24, pipe 22 -, pipe2 293 59, stat 4 -, fstat 5 80, lstat 6 -,
newfstatat 262 79, statx 332 291, statfs 137 43, fstatfs 138 44, access 21 -, faccessat 269 48,
faccessat2 439 439, readlink 89 -, readlinkat 267 78, getdents 78 -, getdents64 217 61,
getcwd 79 17, chdir 80 49, fchdir 81 50, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -,
unlinkat 263 35, rename 82 -, renameat 264 38, renameat2 316 276, ftruncate 77 46, fsync 74 82,
fdatasync 75 83, fadvise64 221 223, umask 95 166, poll 7 -, ppoll 271 73, select 23 -,
pselect6 270 72, epoll_create 213 -, epoll_create1 291 20, epoll_ctl 233 21, epoll_wait 232 -,
epoll_pwait 281 22, eventfd 284 -, eventfd2 290 19, nanosleep 35 101, clock_nanosleep 230 115,
pause 34 -, restart_syscall 219 128, futex 202 98, futex_waitv 449 449, brk 12 214, mmap 9 222,
munmap 11 215, mremap 25 216, mprotect 10 226, madvise 28 233, msync 26 227, mincore 27 232,
membarrier 324 283, getrandom 318 278, exit 60 93, exit_group 231 94, wait4 61 260, waitid 247 95,
getpid 39 172, getppid 110 173, gettid 186 178, getuid 102 174, geteuid 107 175, getgid 104 176,
getegid 108 177, getresuid 118 148, getresgid 120 150, getgroups 115 158, getpgid 121 155,
getpgrp 111 -, getsid 124 156, getrusage 98 165, getrlimit 97 163, times 100 153,
getpriority 140 141, getcpu 309 168, sched_yield 24 124, sched_getaffinity 204 123,
sched_getscheduler 145 120, sched_getparam 143 121, sched_get_priority_max 146 125,
sched_get_priority_min 147 126, uname 63 160, sysinfo 99 179, set_robust_list 273 99, rseq 334 293,
set_tid_address 218 96, rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139,
rt_sigpending 127 136, rt_sigsuspend 130 133, rt_sigtimedwait 128 137, sigaltstack 131 132,
alarm 37 -, getitimer 36 102, setitimer 38 103, time 201 -, gettimeofday 96 169,
clock_gettime 228 113, clock_getres 229 114
"""
CALLS = {
    name: (int(x86_64), None if aarch64 == "-" else int(aarch64))
    for name, x86_64, aarch64 in map(str.split, _TABLE.split(","))
}
"""The system calls that a learner's code may use: numbers on x86_64 and aarch64, None for no call.

Not allowed: processes and threads, network, shared memory; owners, rights and times of files, which
Landlock ignores; `truncate`, which Landlock knows since version 3; fallocate, which makes large
files unwritten; and all that Linux will add.
"""

FCNTL, IOCTL, SIGNALS = (72, 25), (16, 29), ((62, 129), (200, 130), (234, 131))
FCNTL_COMMANDS = (*range(8), 36, 37, 38, 1030)
"""Copies of a descriptor, its flags and locks; not its signals (F_SETOWN, F_SETSIG) or leases."""
IOCTL_COMMANDS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal, its width, the bytes to read, and a descriptor's flags."""
NEW_CALLS = 424
"""First call with one number on all machines; if missing, libc falls back to older calls."""

EPERM, ENOSYS = 1, 38
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # BPF: load a word, two jumps, return
READ_FILES, LIST_FOLDER, RIGHTS_TO_FILES = 1 | 4 | 8, 8, 1 | 2 | 4 | 1 << 14  # Landlock
CREATE_RULES, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # Landlock's calls

_libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None


class ConfinementError(Exception):
    """The kernel refuses a protection."""


@dataclass(frozen=True)
class Confinement:
    """The bounds of every child: it may read `readable` without `hidden`, and write `scratch`.

    The means are namespaces or Landlock.
    """

    scratch: str
    namespaces: bool
    readable: Sequence[str]
    hidden: Sequence[str]
    limits: Limits


def known_machine() -> bool:
    """Return whether `CALLS` has this machine's numbers; on any other, nothing may run."""
    return platform.machine() in ARCHITECTURES and struct.calcsize("P") == 8


@contextlib.contextmanager
def new_process_namespace() -> Iterator[None]:
    """Let a child forked meanwhile see no other process. Needs CAP_SYS_ADMIN."""
    _demand(_libc.unshare(CLONE_NEWPID), "unshare")
    yield
    own = os.pidfd_open(os.getpid())
    _demand(_libc.setns(own, CLONE_NEWPID), "setns")
    os.close(own)


def mount_scratch(folder: str, size: int, files: int) -> None:
    """Mount a private file system of `size` bytes on a folder. Needs CAP_SYS_ADMIN."""
    _demand(_libc.unshare(CLONE_NEWNS | CLONE_NEWIPC), "unshare")
    options = f"size={size},nr_inodes={files},mode=0700".encode()
    result = _libc.mount(b"tmpfs", folder.encode(), b"tmpfs", MS_NOSUID_NODEV_NOEXEC, options)
    _demand(result, "mount")


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies."""
    _demand(_libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl")


def confine(rules: Sequence[int]) -> None:
    """Apply Landlock's rules, drop all capabilities and filter calls, for good."""
    _demand(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    for descriptor in rules:
        _demand(_libc.syscall(RESTRICT_SELF, descriptor, ctypes.c_uint32(0)), "landlock")
        os.close(descriptor)
    header = ctypes.create_string_buffer(struct.pack("=II", 0x20080522, 0))
    _demand(_libc.capset(header, ctypes.create_string_buffer(24)), "capset")
    program = b"".join(_filter(os.getpid()))
    buffer = ctypes.create_string_buffer(program)
    description = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    result = _libc.prctl(PR_SET_SECCOMP, 2, ctypes.create_string_buffer(description), 0, 0)
    _demand(result, "seccomp")


def landlock_version() -> int:
    """Return the version of the kernel's Landlock; less than 1 means none."""
    return int(_libc.syscall(CREATE_RULES, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def file_rules(confinement: Confinement) -> int:
    """Return the descriptor of Landlock rules: read `readable` without `hidden`, write `scratch`.

    Names, sizes and dates of all files stay visible; their contents don't.

    Raises:
        ConfinementError: the kernel has no Landlock.
    """
    if (version := landlock_version()) < 1:
        raise ConfinementError("this kernel has no Landlock")
    all_rights = (1 << min(version + 12, 15)) - 1
    handled = ctypes.create_string_buffer(struct.pack("=Q", all_rights))
    rules = _libc.syscall(CREATE_RULES, handled, ctypes.c_size_t(8), ctypes.c_uint32(0))
    _demand(rules, "landlock_create_ruleset")
    hidden = {os.path.realpath(path) for path in confinement.hidden}
    readable = [os.path.realpath(path) for path in confinement.readable if os.path.exists(path)]
    grants = [grant for path in readable for grant in _around(path, hidden)]
    for path, rights in [*grants, (confinement.scratch, all_rights & ~1)]:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if os.path.isdir(path) else rights & RIGHTS_TO_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed & all_rights, place))
        _demand(_libc.syscall(ADD_RULE, rules, 1, rule, ctypes.c_uint32(0)), "landlock_add_rule")
        os.close(place)
    return int(rules)


def _around(path: str, hidden: set[str]) -> Iterator[tuple[str, int]]:
    """Yield grants for a path without the hidden ones; a grant covers a whole tree."""
    if path in hidden:
        return
    if not any(each.startswith(f"{path}/") for each in hidden):
        yield path, READ_FILES
        return
    yield path, LIST_FOLDER
    for name in os.listdir(path):
        if not os.path.islink(f"{path}/{name}"):  # a link's target has its own grant, or none
            yield from _around(f"{path}/{name}", hidden)


def _demand(result: int, call: str) -> None:
    if result < 0:
        raise ConfinementError(f"{call}: {os.strerror(ctypes.get_errno())}")


def _filter(own: int) -> list[bytes]:
    """Return the seccomp filter's instructions.

    Its data: the call's number at 0, the machine at 4, lower halves of arguments at 16, 24, …
    """
    machine, column = ARCHITECTURES[platform.machine()]
    program = [_op(LOAD, 4), _op(EQUAL, machine, 1, 0), _op(RETURN, KILL), _op(LOAD, 0)]
    if column == 0:  # x86_64's x32 interface has the same calls under other numbers
        program += [_op(AT_LEAST, 0x40000000, 0, 1), _op(RETURN, KILL)]
    for numbers in CALLS.values():
        if (number := numbers[column]) is not None:
            program += [_op(EQUAL, number, 0, 1), _op(RETURN, ALLOW)]
    program += _only(FCNTL[column], 24, FCNTL_COMMANDS) + _only(IOCTL[column], 24, IOCTL_COMMANDS)
    for numbers in SIGNALS:
        program += _only(numbers[column], 16, (own,))
    missing, refused = _op(RETURN, ERRNO | ENOSYS), _op(RETURN, ERRNO | EPERM)
    return [*program, _op(AT_LEAST, NEW_CALLS, 0, 1), missing, refused]


def _only(number: int, place: int, values: Sequence[int]) -> list[bytes]:
    """Allow a call if the argument at this place has one of these values."""
    tests = [_op(EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
    outcomes = [_op(RETURN, ERRNO | EPERM), _op(RETURN, ALLOW)]
    return [_op(EQUAL, number, 0, len(values) + 3), _op(LOAD, place), *tests, *outcomes]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
