"""Confine a process by Linux's own means, through ctypes: namespaces, seccomp, Landlock."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterator, Sequence
from typing import Any

CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWIPC = 0x20000000, 0x00020000, 0x08000000
MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38

ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""For each machine seccomp's name of it, and its column in `CALLS`."""

CALLS = {
    # files
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67), "pwrite64": (18, 68), "preadv": (295, 69),
    "pwritev": (296, 70), "preadv2": (327, 286), "pwritev2": (328, 287), "lseek": (8, 62), "sendfile": (40, 71), "copy_file_range": (326, 285),
    "open": (2, None), "openat": (257, 56), "creat": (85, None), "close": (3, 57), "close_range": (436, 436), "dup": (32, 23), "dup2": (33, None),
    "dup3": (292, 24), "pipe": (22, None), "pipe2": (293, 59), "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49),
    "fchdir": (81, 50), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "ftruncate": (77, 46), "fsync": (74, 82), "fdatasync": (75, 83), "fadvise64": (221, 223), "umask": (95, 166),
    # waiting
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72), "epoll_create": (213, None), "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22), "eventfd": (284, None), "eventfd2": (290, 19), "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115), "pause": (34, None), "restart_syscall": (219, 128), "futex": (202, 98), "futex_waitv": (449, 449),
    # memory
    "brk": (12, 214), "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226), "madvise": (28, 233), "msync": (26, 227),
    "mincore": (27, 232), "membarrier": (324, 283), "getrandom": (318, 278),
    # what it is, and its end
    "exit": (60, 93), "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95), "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178),
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148), "getresgid": (120, 150),
    "getgroups": (115, 158), "getpgid": (121, 155), "getpgrp": (111, None), "getsid": (124, 156), "getrusage": (98, 165), "getrlimit": (97, 163),
    "times": (100, 153), "getpriority": (140, 141), "getcpu": (309, 168), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "sched_getscheduler": (145, 120), "sched_getparam": (143, 121), "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "uname": (63, 160), "sysinfo": (99, 179), "set_robust_list": (273, 99), "rseq": (334, 293), "set_tid_address": (218, 96),
    # signals from itself, and the time
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136), "rt_sigsuspend": (130, 133),
    "rt_sigtimedwait": (128, 137), "sigaltstack": (131, 132), "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103), "time": (201, None),
    "gettimeofday": (96, 169), "clock_gettime": (228, 113), "clock_getres": (229, 114),
}  # fmt: skip
"""The system calls that a learner's code has, with their numbers on x86_64 and aarch64; None where the machine has no such call.

What is not here is refused: processes and threads, network, memory that others could see, owners, rights and times of files (Landlock does not cover
them), `truncate` by name (Landlock covers it only since its third version), files of a size that nobody wrote (fallocate), and whatever Linux adds.
"""

FCNTL, IOCTL, SIGNALS = (72, 25), (16, 29), ((62, 129), (200, 130), (234, 131))
FCNTL_COMMANDS = (*range(8), 36, 37, 38, 1030)
"""Copies of a descriptor, its flags, and locks; not who gets a signal about it (F_SETOWN, F_SETSIG), nor leases on files of others."""
IOCTL_COMMANDS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal, how wide is it, how much is there to read, and the flags of a descriptor."""
NEW_CALLS = 424
"""From this number on, calls have the same number on all machines; to libc they are not there, so that it falls back to older ones."""

EPERM, ENOSYS = 1, 38
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # BPF: load a word, two jumps, return
READ_FILES, LIST_FOLDER, RIGHTS_TO_FILES = 1 | 4 | 8, 8, 1 | 2 | 4 | 1 << 14  # Landlock

_libc: Any = (
    ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
)  # learners on Windows import this too


class ConfinementError(Exception):
    """The kernel does not give the protection that was asked for."""


def known_machine() -> bool:
    """Whether the numbers of this machine's system calls are known; on another nothing may run, rather than run open."""
    return platform.machine() in ARCHITECTURES and struct.calcsize("P") == 8


def new_process_namespace() -> None:
    """Let the next child be the first of a namespace of processes: it sees no other, and all in it die with it. Needs CAP_SYS_ADMIN."""
    _demand(_libc.unshare(CLONE_NEWPID), "unshare")


def old_process_namespace() -> None:
    """Undo `new_process_namespace` for the children after that one."""
    own = os.pidfd_open(os.getpid())
    _demand(_libc.setns(own, CLONE_NEWPID), "setns")
    os.close(own)


def own_mounts() -> None:
    """Let what this process mounts, and its shared memory, be its own. Needs CAP_SYS_ADMIN."""
    _demand(_libc.unshare(CLONE_NEWNS | CLONE_NEWIPC), "unshare")


def mount_scratch(folder: str, size: int, files: int) -> None:
    """Mount an empty private file system in memory of at most `size` bytes and `files` files."""
    options = f"size={size},nr_inodes={files},mode=0700".encode()
    _demand(
        _libc.mount(b"tmpfs", folder.encode(), b"tmpfs", MS_NOSUID_NODEV_NOEXEC, options), "mount"
    )


def die_with_parent() -> None:
    """Be killed when the parent dies."""
    _demand(_libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl")


def drop_capabilities() -> None:
    """Give up every capability for good."""
    header = struct.pack("=II", 0x20080522, 0)
    _demand(
        _libc.capset(ctypes.create_string_buffer(header), ctypes.create_string_buffer(24)), "capset"
    )
    _demand(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def filter_calls() -> None:
    """Refuse this process every call but those of `CALLS`, and signals to any process but itself. `drop_capabilities` has to come first."""
    program = b"".join(_filter(os.getpid()))
    buffer = ctypes.create_string_buffer(program)
    description = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _demand(
        _libc.prctl(PR_SET_SECCOMP, 2, ctypes.create_string_buffer(description), 0, 0), "seccomp"
    )


def file_rules(readable: Sequence[str], hidden: Sequence[str], scratch: str) -> int:
    """Landlock: the descriptor of rules under which one may read below `readable` but not below `hidden`, do everything below `scratch`, and nothing elsewhere.

    Names, sizes and dates of other files can still be asked for; their contents can't.

    Raises:
        ConfinementError: the kernel has no Landlock.
    """
    version = _libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        raise ConfinementError("this kernel has no Landlock")
    all_rights = (1 << 13) - 1 if version == 1 else (1 << 14) - 1 if version == 2 else (1 << 15) - 1
    handled = ctypes.create_string_buffer(struct.pack("=Q", all_rights))
    rules = _demand(
        _libc.syscall(444, handled, ctypes.c_size_t(8), ctypes.c_uint32(0)),
        "landlock_create_ruleset",
    )
    never = {os.path.realpath(path) for path in hidden}
    granted = [
        grant
        for path in readable
        if os.path.exists(path)
        for grant in _around(os.path.realpath(path), never)
    ]
    for path, rights in [*granted, (scratch, all_rights & ~1)]:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if os.path.isdir(path) else rights & RIGHTS_TO_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed & all_rights, place))
        _demand(_libc.syscall(445, rules, 1, rule, ctypes.c_uint32(0)), "landlock_add_rule")
        os.close(place)
    return int(rules)


def _around(path: str, hidden: set[str]) -> Iterator[tuple[str, int]]:
    """What has to be granted so that all below a path may be read, but for what is hidden: a rule holds for a whole tree."""
    if path in hidden:
        return
    if not any(each.startswith(f"{path}/") for each in hidden):
        yield path, READ_FILES
        return
    yield path, LIST_FOLDER
    for name in os.listdir(path):
        if not os.path.islink(f"{path}/{name}"):  # where it leads has its own rule, or none
            yield from _around(f"{path}/{name}", hidden)


def restrict_files(rules: int) -> None:
    """Landlock: hold this process to the rules from `file_rules`."""
    _demand(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _demand(_libc.syscall(446, rules, ctypes.c_uint32(0)), "landlock_restrict_self")
    os.close(rules)


def _demand(result: int, what: str) -> int:
    if result < 0:
        raise ConfinementError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def _filter(own: int) -> list[bytes]:
    """The instructions of the seccomp filter. The data: call number at 0, machine at 4, the lower halves of arguments at 16, 24, …"""
    machine, column = ARCHITECTURES[platform.machine()]
    program = [_op(LOAD, 4), _op(EQUAL, machine, 1, 0), _op(RETURN, KILL), _op(LOAD, 0)]
    if (
        platform.machine() == "x86_64"
    ):  # the calls of the x32 interface are the same under other numbers
        program += [_op(AT_LEAST, 0x40000000, 0, 1), _op(RETURN, KILL)]
    for numbers in CALLS.values():
        if (number := numbers[column]) is not None:
            program += [_op(EQUAL, number, 0, 1), _op(RETURN, ALLOW)]
    program += _only(FCNTL[column], 24, FCNTL_COMMANDS) + _only(IOCTL[column], 24, IOCTL_COMMANDS)
    for numbers in SIGNALS:
        program += _only(numbers[column], 16, (own,))
    return [
        *program,
        _op(AT_LEAST, NEW_CALLS, 0, 1),
        _op(RETURN, ERRNO | ENOSYS),
        _op(RETURN, ERRNO | EPERM),
    ]


def _only(number: int, place: int, values: Sequence[int]) -> list[bytes]:
    """Allow a call if the argument at this place has one of these values."""
    tests = [_op(EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
    return [
        _op(EQUAL, number, 0, len(values) + 3),
        _op(LOAD, place),
        *tests,
        _op(RETURN, ERRNO | EPERM),
        _op(RETURN, ALLOW),
    ]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
