"""What a process may do comes in; Linux holds it to that from then on: namespaces, capabilities, system calls, files. By ctypes, nothing to install."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Sequence
from typing import Any

CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWIPC = 0x20000000, 0x00020000, 0x08000000
MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38

ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""For each machine seccomp's name of it, and its column in `CALLS`."""

CALLS = {
    # processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117), "setns": (308, 268), "unshare": (272, 97),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "kcmp": (312, 272), "personality": (135, 92), "prctl": (157, 167), "seccomp": (317, 277), "setpgid": (109, 154), "setsid": (112, 157),
    "sched_setaffinity": (203, 122), "setpriority": (141, 140), "prlimit64": (302, 261), "setrlimit": (160, 164),
    # network and memory that others could see
    "socket": (41, 198), "socketpair": (53, 199), "bind": (49, 200), "connect": (42, 203), "listen": (50, 201), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # the system
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsmount": (432, 432), "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "mknod": (133, None), "mknodat": (259, 33),
    "bpf": (321, 280), "perf_event_open": (298, 241), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "userfaultfd": (323, 282),
    "fanotify_init": (300, 262), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142),
    "swapon": (167, 224), "acct": (163, 89), "syslog": (103, 116), "settimeofday": (164, 170), "clock_settime": (227, 112), "quotactl": (179, 60),
    "sethostname": (170, 161), "landlock_restrict_self": (446, 446),
}  # fmt: skip
"""System calls that a learner's code is refused, with their numbers on x86_64 and aarch64; None where the machine has no such call."""

SIGNALS = {"kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240)}
CLONE, CLONE3 = (56, 220), (435, 435)
CLONE_THREAD = 0x00010000

EPERM, ENOSYS = 1, 38
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF: load a word, three jumps, return

_libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None  # learners on Windows import this too


class KernelRefused(Exception):
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


def mount_scratch(folder: str, size: int) -> None:
    """An empty file system in memory, at most `size` bytes, that nobody else sees."""
    options = f"size={size},nr_inodes=4096,mode=0700".encode()
    _demand(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", MS_NOSUID_NODEV_NOEXEC, options), "mount")


def die_with_parent() -> None:
    """Be killed when the parent dies."""
    _demand(_libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl")


def drop_capabilities() -> None:
    """Give up every capability for good."""
    header = struct.pack("=II", 0x20080522, 0)
    _demand(_libc.capset(ctypes.create_string_buffer(header), ctypes.create_string_buffer(24)), "capset")
    _demand(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def filter_calls(signals_to: int | None = None) -> None:
    """Refuse this process every call of `CALLS`, new processes, and, with `signals_to`, signals to any process but that.

    Threads are allowed. `drop_capabilities` has to come first.
    """
    program = b"".join(_filter(signals_to))
    buffer = ctypes.create_string_buffer(program)
    description = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _demand(_libc.prctl(PR_SET_SECCOMP, 2, ctypes.create_string_buffer(description), 0, 0), "seccomp")


def restrict_files(readable: Sequence[str], scratch: str) -> None:
    """Landlock: this process may read below `readable` and do what it wants below `scratch`, and nothing anywhere else.

    Raises:
        KernelRefused: the kernel has no Landlock.
    """
    version = _libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        raise KernelRefused("this kernel has no Landlock")
    all_rights = (1 << 13) - 1 if version == 1 else (1 << 14) - 1 if version == 2 else (1 << 15) - 1
    handled = ctypes.create_string_buffer(struct.pack("=Q", all_rights))
    rules = _demand(_libc.syscall(444, handled, ctypes.c_size_t(8), ctypes.c_uint32(0)), "landlock_create_ruleset")
    read_and_execute = 1 | 4 | 8
    for path, rights in [*((path, read_and_execute) for path in readable), (scratch, all_rights & ~1)]:
        if not os.path.exists(path):
            continue
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if os.path.isdir(path) else rights & (1 | 2 | 4 | (1 << 14) * (version > 2))
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, folder))
        _demand(_libc.syscall(445, rules, 1, rule, ctypes.c_uint32(0)), "landlock_add_rule")
        os.close(folder)
    _demand(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _demand(_libc.syscall(446, rules, ctypes.c_uint32(0)), "landlock_restrict_self")
    os.close(rules)


def _demand(result: int, what: str) -> int:
    if result < 0:
        raise KernelRefused(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def _filter(signals_to: int | None) -> list[bytes]:
    """The instructions of the seccomp filter. The data: call number at 0, machine at 4, first argument's lower half at 16."""
    machine, column = ARCHITECTURES[platform.machine()]
    program = [_op(LOAD, 4), _op(EQUAL, machine, 1, 0), _op(RETURN, KILL), _op(LOAD, 0)]
    if platform.machine() == "x86_64":  # the calls of the x32 interface are the same under other numbers
        program += [_op(AT_LEAST, 0x40000000, 0, 1), _op(RETURN, KILL)]
    program += [_op(EQUAL, CLONE3[column], 0, 1), _op(RETURN, ERRNO | ENOSYS)]  # so that libc falls back to clone, which can be looked into
    for numbers in CALLS.values():
        if (number := numbers[column]) is not None:
            program += [_op(EQUAL, number, 0, 1), _op(RETURN, ERRNO | EPERM)]
    program += [_op(EQUAL, CLONE[column], 0, 4), _op(LOAD, 16), _op(ANY_BIT, CLONE_THREAD, 1, 0), _op(RETURN, ERRNO | EPERM), _op(RETURN, ALLOW)]
    if signals_to is not None:
        for numbers in SIGNALS.values():
            program += [_op(EQUAL, numbers[column], 0, 4), _op(LOAD, 16), _op(EQUAL, signals_to, 1, 0), _op(RETURN, ERRNO | EPERM), _op(RETURN, ALLOW)]
    return [*program, _op(RETURN, ALLOW)]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
