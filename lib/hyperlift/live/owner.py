"""Whose a connection on this computer is, where the system tells."""

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LOCAL, _REMOTE, _USER = 1, 2, 7
"""Columns of those tables: addresses as hexadecimal words with their port, and the user's number."""


def owner_of(peer: tuple[str, int], port: int) -> int | None:
    """The user whose process has the other end of a connection.

    Args:
        peer: IPv4 address and port of the other end.
        port: ours.

    Returns:
        Number of the user; None on other systems than Linux, and where the connection is not in its tables.
    """
    address = struct.unpack("=I", socket.inet_aton(peer[0]))[0]
    theirs, ours = f"{address:08X}:{peer[1]:04X}", f":{port:04X}"
    for table in _TABLES:
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                # An IPv6 socket that speaks to an IPv4 address writes that as the last word of its own.
                if columns[_LOCAL].endswith(theirs) and columns[_REMOTE].endswith(ours):
                    return int(columns[_USER])
    return None


def may_listen(peer: tuple[str, int], port: int) -> bool:
    """Whether a connection is of our own user, of root or of who called ``sudo``, or nobody knows whose."""
    owner = owner_of(peer, port)
    if owner is None:  # also on every system without users of that kind
        return True
    sudo = os.environ.get("SUDO_UID", "")
    return owner in {os.getuid(), 0} or (sudo.isdecimal() and owner == int(sudo))
