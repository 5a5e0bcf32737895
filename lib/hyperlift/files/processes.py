"""Marks that identify a process uniquely, and whether that process is alive.

A process ID is not unique: IDs are reused, and a network drive shows the files of other machines. A mark therefore also
contains the start time of the process and the machine.
"""

import hashlib
import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LETTERS = 12
"""Hexadecimal digits of each hash in a mark. Chosen: 48 bits exclude collisions in practice and keep file names
short."""


@dataclass(frozen=True)
class ProcessMark:
    """Identifies a process on a machine."""

    machine: str
    """Hash of the machine and, in a container, of the container."""
    pid: int
    started: str
    """Hash of the start time; empty if the system does not provide it."""

    def __str__(self) -> str:
        return f"{self.machine}-{self.pid}-{self.started or 'unknown'}"

    @classmethod
    def parse(cls, text: str) -> "ProcessMark | None":
        """Parse the text of a mark; None if it is not one."""
        machine, pid, started = [*text.split("-"), "", "", ""][:3]
        if text.count("-") != 2 or not (machine and started and pid.isascii() and pid.isdecimal() and len(pid) < 20):
            return None
        return cls(machine, int(pid), "" if started == "unknown" else started)

    @property
    def alive(self) -> bool | None:
        """Whether the process is running; None (unknown) for a process of another machine."""
        if self.machine != _machine():
            return None
        started = _started(self.pid)
        return started is not None and (not self.started or not started or started == self.started)


def own_mark() -> ProcessMark:
    """The mark of this process."""
    return _mark_of(os.getpid())


@cache
def _mark_of(pid: int) -> ProcessMark:
    return ProcessMark(_machine(), pid, _started(pid) or "")


@cache
def _machine() -> str:
    """Hash of the machine. Containers may share its ID and its name, but not the PID namespace."""
    table = ""
    with suppress(OSError):
        table = os.readlink("/proc/self/ns/pid")
    return _hash(platform.node(), _content("/etc/machine-id"), table)


def _started(pid: int) -> str | None:
    """Hash of the start time of a process; empty if the system does not provide it, None if there is no such
    process."""
    if sys.platform == "win32":
        return _started_on_windows(pid)
    stat = _content(f"/proc/{pid}/stat")
    if stat:
        # The name in parentheses can contain any character; fields are counted after it (proc(5)).
        state, *fields = stat.rpartition(")")[2].split()
        # A zombie (Z, X) has ended and writes no more.
        return None if state in "ZX" else _hash(_content("/proc/sys/kernel/random/boot_id"), fields[18])
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:  # a process of another user
        return ""
    if sys.platform.startswith("linux"):
        return ""
    ps = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return _hash(ps.stdout.strip()) if ps.stdout.strip() else ""


def _started_on_windows(pid: int) -> str | None:
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # pyright: ignore[reportAttributeAccessIssue]
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.OpenProcess.argtypes = [wintypes.DWORD, wintypes.BOOL, wintypes.DWORD]
    kernel.GetProcessTimes.argtypes = [wintypes.HANDLE, *[ctypes.POINTER(wintypes.FILETIME)] * 4]
    kernel.CloseHandle.argtypes = [wintypes.HANDLE]
    query_limited_information, access_denied = 0x1000, 5
    process = kernel.OpenProcess(query_limited_information, False, pid)
    if not process:
        return "" if ctypes.get_last_error() == access_denied else None  # pyright: ignore[reportAttributeAccessIssue]
    try:
        started, ended, in_kernel, in_user = (wintypes.FILETIME() for _ in range(4))
        if not kernel.GetProcessTimes(process, started, ended, in_kernel, in_user):
            return ""
        if ended.dwLowDateTime or ended.dwHighDateTime:
            return None
        return _hash(f"{started.dwHighDateTime}:{started.dwLowDateTime}")
    finally:
        kernel.CloseHandle(process)


def _content(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""


def _hash(*facts: str) -> str:
    return hashlib.sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()[:_LETTERS]
