"""``hyperlift live``: people in front of a camera, or in a video played in real time, in 3D on a page."""

import threading
import webbrowser
from contextlib import ExitStack

from hyperlift.cli.lifting_commands import Live
from hyperlift.config.option import with_flags
from hyperlift.live.capture import Clock
from hyperlift.live.events import Hub
from hyperlift.live.server import LiveServer
from hyperlift.live.session import LiveSession
from hyperlift.live.source import open_source
from hyperlift.pipeline.lifter import Lifter


def main(options: Live) -> int:
    """Run the command; returns its exit code. Ctrl-C is the usual end and no error."""
    clock, hub = Clock(), Hub()
    with ExitStack() as stack:
        # Quick checks first: opening the networks takes a second.
        server = LiveServer(options.port, hub, clock)
        stack.callback(server.stop)
        source = open_source(options.source, size=options.camera_size, fps=options.camera_fps)
        stack.callback(source.close)
        lifter = Lifter(options.model, threads=options.threads)
        session = LiveSession(source, server, hub, clock, lifter=lifter, lift=options.lift, live=options.live)
        stack.pop_all()  # the session closes them from here on
        return _run(session, server, options.open)


def _run(session: LiveSession, server: LiveServer, open_page: bool) -> int:
    with session:
        try:
            session.start()
            print(f"{server.url} (for you alone: the address opens it; Ctrl-C ends)", flush=True)
            if open_page:
                # In its own thread, because a text browser in the terminal would block.
                threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
            session.wait()
            print("the video is over; the page can be looked at until Ctrl-C", flush=True)
            while True:
                threading.Event().wait(0.2)
        except KeyboardInterrupt:
            pass
    print(with_flags(session.summary(), Live))
    return 0
