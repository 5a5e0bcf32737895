"""``hyperlift live``: a camera, or a video as if it were one, to people in 3D on a page while they move."""

import argparse
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from hyperlift.cli.app import guarded
from hyperlift.cli.arguments import OneLineParser, picture_size
from hyperlift.cli.lift_arguments import (
    add_metres_arguments,
    add_model_argument,
    add_threads_argument,
    lift_options,
    optional_number,
)
from hyperlift.detection import DETECTORS
from hyperlift.live.capture import Clock
from hyperlift.live.events import Hub
from hyperlift.live.server import LiveServer
from hyperlift.live.session import LiveOptions, LiveSession
from hyperlift.live.source import open_source
from hyperlift.pipeline.lifter import LOOK_AHEAD, Lifter
from hyperlift.pipeline.options import LiftOptions

PORT = 8347


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code. Ctrl-C is the usual end and no error."""
    args = _parser().parse_args(argv)
    lift = lift_options(args)
    live = LiveOptions(look_ahead=args.look_ahead, every_frame=args.every_frame, picture=args.picture)
    size = None if args.camera_size is None else picture_size(args.camera_size, "--camera-size")
    fps = optional_number(args.camera_fps, "--camera-fps")
    clock, hub = Clock(), Hub()
    with ExitStack() as stack:
        # What is quickly refused comes first; the networks take a second to open.
        server = LiveServer(args.port, hub, clock)
        stack.callback(server.stop)
        source = open_source(args.source, size=size, fps=fps)
        stack.callback(source.close)
        lifter = Lifter(args.model, threads=args.threads)
        session = LiveSession(source, server, hub, clock, lifter=lifter, lift=lift, live=live)
        stack.pop_all()  # the session ends them from here on
        return _run(session, server, args.open)


def _run(session: LiveSession, server: LiveServer, open_page: bool) -> int:
    with session:
        try:
            session.start()
            print(f"{server.url} (for you alone: the address opens it; Ctrl-C ends)", flush=True)
            if open_page:
                # In its own thread: a browser in the terminal would keep us.
                threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
            session.wait()
            print("the video is over; the page can be looked at until Ctrl-C", flush=True)
            while True:
                threading.Event().wait(0.2)
        except KeyboardInterrupt:
            pass
    print(session.summary())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        description="Show the people before a camera, or in a video as if it were live, in 3D on a local page."
    )
    parser.add_argument(
        "--source", default="0", metavar="CAMERA|FILE", help="number or device of a camera, or a video (default 0)"
    )
    parser.add_argument("--camera-size", metavar="WxH", help="pixels to ask the camera for (default: its own)")
    parser.add_argument("--camera-fps", metavar="N", help="frames a second to ask the camera for")
    parser.add_argument(
        "--every-frame",
        action="store_true",
        help="of a file: leave out no frame, though it be slower than its own pace",
    )
    parser.add_argument("--port", type=int, default=PORT, help="of the page on 127.0.0.1 (default %(default)s; 0: any)")
    parser.add_argument("--no-open", dest="open", action="store_false", help="do not open the page in a browser")
    parser.add_argument(
        "--no-picture", dest="picture", action="store_false", help="do not show the picture beside the people"
    )

    people = parser.add_argument_group("people")
    people.add_argument("--detector", default="movenet-fast", choices=DETECTORS, help="default %(default)s")
    people.add_argument("--det-onnx", type=Path, metavar="FILE", help="person detector, for --detector rtmlib")
    people.add_argument("--pose-onnx", type=Path, metavar="FILE", help="pose network, for --detector rtmlib")
    people.add_argument("--skeleton", metavar="NAME", help="joints of that pose network (default coco17)")
    people.add_argument(
        "--min-confidence", default=str(LiftOptions.min_confidence), metavar="C", help="default %(default)s"
    )
    add_model_argument(people)
    people.add_argument(
        "--look-ahead",
        type=int,
        metavar="FRAMES",
        help=f"frames to wait for: 0 is soonest, more is calmer and more accurate (default: {LOOK_AHEAD}, or what a "
        "streaming lifter wants)",
    )

    add_metres_arguments(parser, "default: from the people")
    add_threads_argument(parser)
    return parser
