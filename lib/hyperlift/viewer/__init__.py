"""A page to look at lifted people in a browser: one HTML file that needs nothing else, no network and no server."""

from hyperlift.viewer.beside import check_recording
from hyperlift.viewer.page import WrittenPage, write_page

__all__ = ["WrittenPage", "check_recording", "write_page"]
