"""The same page without people: they come from the server that it is from, while somebody looks."""

from collections.abc import Mapping

from hyperlift.skeletons import Skeleton
from hyperlift.viewer.page import DRAWN_WITH, TAGS, page_frame, page_text


def live_page(name: str, skeleton: Skeleton, fps: float, kept_s: float, facts: Mapping[str, object]) -> str:
    """The page as text. It listens to ``/events`` and asks ``/clock`` of the server that it came from, and nobody else;
    what its own address says after the question mark it says there too.

    Args:
        name: of the camera or file, for the title.
        skeleton: of the people that will come, in world metres.
        fps: frames a second of the source.
        kept_s: seconds back that the page remembers.
        facts: what the page says under "About", name and sentence.
    """
    data = page_frame(skeleton, fps, {**facts, "Drawn with": DRAWN_WITH})
    data |= {"video": None, "people": [], "tags": TAGS, "live": {"kept_s": kept_s}}
    return page_text(data, name)
