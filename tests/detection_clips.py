"""Short stretches of the real recordings as frames."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from hyperlift.visualization.video_files import read_pictures, video_facts
from shared_data import shared_path


@dataclass(frozen=True)
class Frame:
    index: int
    time_s: float
    rgb: np.ndarray


def frames_of(name: str, first: int, last: int, shrink: int = 1) -> Iterator[Frame]:
    """Frames ``first`` to ``last`` of a recording, each side divided by ``shrink``."""
    path = shared_path(f"data/wild/{name}.mp4")
    facts = video_facts(path)
    for index, picture in enumerate(read_pictures(path, facts.width // shrink, facts.height // shrink)):
        if index > last:
            return
        if index >= first:
            yield Frame(index, index / facts.fps, picture)
