"""Short stretches of the real recordings as frames."""

from collections.abc import Iterator

from shared_data import shared_path

from hyperlift.video.reading import Frame, read_frames, video_facts


def frames_of(name: str, first: int, last: int, shrink: int = 1) -> Iterator[Frame]:
    """Frames ``first`` to ``last`` of a recording, each side divided by ``shrink``."""
    path = shared_path(f"data/wild/{name}.mp4")
    facts = video_facts(path)
    for frame in read_frames(path, (facts.width // shrink, facts.height // shrink), facts=facts):
        if frame.index > last:
            return
        if frame.index >= first:
            yield frame
