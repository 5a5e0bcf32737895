"""Selection of a protocol by name or by data, and the variants of a protocol."""

from dataclasses import replace

from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.slicing import SLICINGS
from hyperlift.errors import InputError, quoted
from hyperlift.evaluation.protocol import HUMAN36M, MOCAP, MPI_INF_3DHP, Protocol, protocol_for
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17

OF_THE_DATA = "data"
"""The protocol that fits the data."""
ALL = "all"
"""The protocol that fits the data, in every variant."""

PROTOCOLS = {"h36m": HUMAN36M, "mocap": MOCAP, "mpi_inf_3dhp": MPI_INF_3DHP}


def check_protocol_name(name: str) -> None:
    """Check the name of a protocol.

    Raises:
        InputError: the name is none of ``PROTOCOLS``, ``OF_THE_DATA`` and ``ALL``.
    """
    if name not in (OF_THE_DATA, ALL, *PROTOCOLS):
        known = ", ".join((OF_THE_DATA, ALL, *PROTOCOLS))
        raise InputError(f"unknown protocol {quoted(name)}; known: {known}")


def protocol_named(name: str, store: ClipStore) -> Protocol:
    """The protocol with this name; for ``OF_THE_DATA`` and ``ALL`` the one that fits the data.

    Raises:
        InputError: the name is unknown, or the protocol belongs to another data set.
    """
    check_protocol_name(name)
    is_3dhp = store.skeleton.name == MPI_INF_3DHP_17.name
    fitting = MPI_INF_3DHP if is_3dhp else protocol_for(video.source for video in store.videos)
    protocol = PROTOCOLS.get(name, fitting)
    if (protocol is MPI_INF_3DHP) != is_3dhp:
        raise InputError(
            f"{store.folder}: holds skeleton {store.skeleton.name}, which the protocol {protocol.name} does not score; "
            f"leave `protocol` out"
        )
    return protocol


def variants(protocol: Protocol) -> list[Protocol]:
    """All combinations of slicing, flip, and excluded sequences (if the protocol excludes any)."""
    exclusions = dict.fromkeys((protocol.excluded, ()))
    return [
        replace(protocol, slicing=slicing, excluded=excluded, flip=flip)
        for slicing in SLICINGS
        for excluded in exclusions
        for flip in (True, False)
    ]
