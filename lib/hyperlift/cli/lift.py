"""``infer_wild.py`` and ``hyperlift lift``: 2D keypoints of real video to 3D poses and a rendered video."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from hyperlift.cli.app import guarded
from hyperlift.cli.arguments import number, picture_size
from hyperlift.errors import InputError
from hyperlift.files import check_output
from hyperlift.geometry.contract import Predictor
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.runtime import load_lifter
from hyperlift.skeletons import SKELETONS, skeleton_named
from hyperlift.visualization.skeleton_video import Recording, frames_shown, write_skeleton_video
from hyperlift.visualization.video_files import video_facts
from hyperlift.wild.formats import FORMATS, read_keypoints
from hyperlift.wild.keypoints import LiftedPerson, Track
from hyperlift.wild.lift import lift_people, people_in
from hyperlift.wild.poses_npz import PosesMeta, write_poses
from hyperlift.wild.self_check import check_keypoints

POSES_NAME, VIDEO_NAME = "pose3d.npz", "pose3d.mp4"
DEFAULT_MIN_CONFIDENCE = 0.05


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Read, follow, lift, write, draw."""
    args = _parser().parse_args(argv)
    recording = _recording(args)
    detections = read_keypoints(
        args.keypoints,
        skeleton=args.skeleton,
        picture_size=(recording.width, recording.height),
        format=args.format,
    )
    lifter = load_lifter(args.onnx, args.threads)
    predict: Predictor = FlipAveraged(lifter, skeleton_named(lifter.spec.skeleton)) if args.flip else lifter

    min_confidence = number(args.min_confidence, "--min-confidence")
    tracks = people_in(detections, recording.width, recording.height, recording.fps, min_confidence)
    tracks = _chosen(tracks, args.person)
    print(
        f"{detections.tool} keypoints of {len(detections.frames)} frames; "
        f"lifting {_names(tracks)} with {lifter.spec.name}"
    )
    out = Path(args.out)
    for name in (POSES_NAME, VIDEO_NAME):
        check_output(out / name)
    for warning in check_keypoints(detections, recording.width, recording.height):
        print(f"warning: {detections.source}: {warning}", file=sys.stderr)
    with tqdm(total=sum(_length(track) for track in tracks), unit="frame", desc="lifting", disable=None) as bar:
        people = lift_people(
            predict,
            lifter.spec,
            tracks,
            recording.width,
            recording.height,
            recording.fps,
            on_person=lambda person: _advance(bar, person),
        )

    meta = PosesMeta(
        source=Path(args.keypoints).name,
        width=recording.width,
        height=recording.height,
        fps=recording.fps,
        lifter=lifter.spec,
    )
    write_poses(out / POSES_NAME, people, meta)
    print(f"3D poses: {out / POSES_NAME}")
    if args.render:
        with tqdm(total=len(frames_shown(people, recording.fps)), unit="frame", desc="drawing", disable=None) as bar:
            write_skeleton_video(out / VIDEO_NAME, people, recording, on_frame=bar.update)
        print(f"video:    {out / VIDEO_NAME}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Lift 2D keypoints of a video to 3D poses.")
    parser.add_argument(
        "--keypoints",
        required=True,
        metavar="FILE|FOLDER",
        help="what a detector wrote, recognised by its content: AlphaPose, OpenPose, MMPose, COCO, Ultralytics, "
        "Detectron, MediaPipe, DeepLabCut, SLEAP, NumPy",
    )
    parser.add_argument(
        "--format", metavar="NAME", help=f"the keypoints' format, if it is not recognised: {', '.join(FORMATS)}"
    )
    parser.add_argument(
        "--skeleton",
        metavar="NAME",
        help=f"the keypoints' joint order, if the file does not say: {', '.join(SKELETONS)}",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help=f"gets {POSES_NAME} and {VIDEO_NAME}")
    parser.add_argument("--video-size", metavar="WxH", help="in pixels, such as 1920x1080")
    parser.add_argument("--fps", help="frames a second of the video")
    parser.add_argument(
        "--video", metavar="FILE", help="drawn under the keypoints; also gives --video-size and --fps if you omit them"
    )
    parser.add_argument("--onnx", metavar="FILE", help="a lifter other than the bundled one")
    parser.add_argument(
        "--person", type=_person, action="append", metavar="ID", help="lift only this person (1 or p1); may be repeated"
    )
    parser.add_argument(
        "--render", action=argparse.BooleanOptionalAction, default=True, help=f"draw {VIDEO_NAME} (default)"
    )
    parser.add_argument(
        "--no-flip",
        dest="flip",
        action="store_false",
        help="do not average with the mirrored clip: half the work, slightly less accurate",
    )
    parser.add_argument(
        "--min-confidence",
        default=str(DEFAULT_MIN_CONFIDENCE),
        metavar="C",
        help="keypoints below it count as not seen (default %(default)s)",
    )
    parser.add_argument("--threads", type=int, help="CPU threads of the lifter (default: all cores)")
    return parser


def _person(text: str) -> int:
    return int(text.strip().removeprefix("p"))


def _recording(args: argparse.Namespace) -> Recording:
    """Size and frame rate from the options, from the video where they are absent."""
    size = picture_size(args.video_size) if args.video_size is not None else None
    fps = number(args.fps, "--fps") if args.fps is not None else None
    if args.video is not None:
        facts = video_facts(args.video)
        shown = facts.width, facts.height
        if size is not None and size != shown:
            raise InputError(
                f"--video-size is {size[0]}x{size[1]}, but {args.video} has {shown[0]}x{shown[1]}; omit --video-size"
            )
        size, fps = shown, facts.fps if fps is None else fps
    if size is None:
        raise InputError("the video's size is not known; give --video-size WxH or --video FILE")
    if fps is None:
        raise InputError("the video's frame rate is not known; give --fps or --video FILE")
    return Recording(width=size[0], height=size[1], fps=fps, file=Path(args.video) if args.video else None)


def _chosen(tracks: list[Track], wanted: Sequence[int] | None) -> list[Track]:
    if wanted is None:
        return tracks
    known = {track.id for track in tracks}
    strangers = [number for number in wanted if number not in known]
    if strangers:
        raise InputError(
            f"--person {strangers[0]}: there is no such person; choose from {', '.join(f'p{n}' for n in sorted(known))}"
        )
    return [track for track in tracks if track.id in wanted]


def _names(tracks: Sequence[Track]) -> str:
    if len(tracks) > 8:
        return f"{len(tracks)} people"
    return ", ".join(f"p{track.id} (frames {track.frame[0]}–{track.frame[-1]})" for track in tracks)


def _length(track: Track) -> int:
    return int(track.frame[-1] - track.frame[0] + 1)


def _advance(bar: tqdm, person: LiftedPerson) -> None:
    bar.update(len(person.frame))
