"""Owner of a local TCP connection, from the tables of Linux."""

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LOCAL, _REMOTE, _USER = 1, 2, 7
"""Columns of these tables (proc(5)): addresses as hexadecimal words with their port, and the user id."""


def owner_of(peer: tuple[str, int], port: int) -> int | None:
    """User id of the process at the other end of a connection.

    Args:
        peer: IPv4 address and port of the other end.
        port: of this end.

    Returns:
        None on other systems than Linux, and for a connection that is not in the tables.
    """
    address = struct.unpack("=I", socket.inet_aton(peer[0]))[0]
    theirs, ours = f"{address:08X}:{peer[1]:04X}", f":{port:04X}"
    for table in _TABLES:
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                # The last word of an IPv4-mapped IPv6 address is the IPv4 address.
                if columns[_LOCAL].endswith(theirs) and columns[_REMOTE].endswith(ours):
                    return int(columns[_USER])
    return None


def may_listen(peer: tuple[str, int], port: int) -> bool:
    """Whether a connection belongs to the same user, root or the user who called ``sudo``, or to an unknown one."""
    owner = owner_of(peer, port)
    if owner is None:  # unknown, as on systems other than Linux
        return True
    sudo = os.environ.get("SUDO_UID", "")
    return owner in {os.getuid(), 0} or (sudo.isdecimal() and owner == int(sudo))
