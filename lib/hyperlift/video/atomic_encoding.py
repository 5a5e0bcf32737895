"""A file that is encoded picture by picture appears whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import av.error

from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file


class Encoder(Protocol):
    """Writes a file until it is closed or abandoned."""

    def close(self) -> None:
        """Write what is still waiting and end the file."""
        ...

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        ...


AnyEncoder = TypeVar("AnyEncoder", bound=Encoder)


@contextmanager
def written_whole(path: Path | str, open_encoder: Callable[[Path], AnyEncoder]) -> Iterator[AnyEncoder]:
    """Yield an encoder; its file appears at ``path`` when the block succeeds, or not at all.

    Args:
        path: of the file; its folder is created.
        open_encoder: opens one that writes to the path it is given.

    Raises:
        InputError: the folder cannot be written, or the disk is full.
    """
    with atomic_file(path) as partial:
        try:
            encoder = open_encoder(partial)
            try:
                yield encoder
                encoder.close()
            except BaseException:
                encoder.abandon()
                raise
        except av.error.FFmpegError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror}); make room or choose another output"
            ) from error
