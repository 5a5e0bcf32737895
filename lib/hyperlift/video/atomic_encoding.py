"""Atomic writing of files that are encoded picture by picture."""

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
        """Flush the encoder and close the file."""
        ...

    def abandon(self) -> None:
        """Close the file without flushing, after an error."""
        ...


AnyEncoder = TypeVar("AnyEncoder", bound=Encoder)


@contextmanager
def written_whole(path: Path | str, open_encoder: Callable[[Path], AnyEncoder]) -> Iterator[AnyEncoder]:
    """Yield an encoder; its file appears at ``path`` only if the block succeeds.

    Args:
        path: of the file; its folder is created.
        open_encoder: opens an encoder that writes to a path.

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
                f"{path}: cannot be written ({error.strerror}); free disk space or choose another output"
            ) from error
