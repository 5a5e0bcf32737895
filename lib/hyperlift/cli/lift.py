"""``hyperlift lift`` and ``infer_wild.py``: a video, its keypoints, or a folder of videos to 3D motion in metres."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from hyperlift.animation import NAMINGS
from hyperlift.cli.app import guarded, log_to_stderr, say
from hyperlift.cli.arguments import OneLineParser, person_id, picture_size
from hyperlift.cli.lift_arguments import (
    add_metres_arguments,
    add_model_argument,
    add_threads_argument,
    lift_options,
    optional_number,
)
from hyperlift.cli.progress_bars import ProgressBars
from hyperlift.detection import DETECTORS
from hyperlift.errors import InputError, printable
from hyperlift.locks import folder_lock
from hyperlift.pipeline.folder import JobResult, check_results, jobs_for, run_jobs, write_results
from hyperlift.pipeline.options import BodyFormat, LiftOptions, RecordingJob
from hyperlift.pipeline.recording_job import check_job, run_job
from hyperlift.pipeline.source import is_video, is_video_folder
from hyperlift.skeletons import SKELETONS
from hyperlift.wild.formats import FORMATS
from hyperlift.wild.smoothing import Smoothing

SOME_FAILED = 1
_BODIES = {
    "bvh": "motion for Blender and game engines",
    "glb": "glTF animation",
    "trc": "markers for OpenSim",
    "c3d": "markers for laboratories; needs ezc3d",
}


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = _parser().parse_args(argv)
    log_to_stderr()
    source = _source(args)
    if args.jobs < 1:
        raise InputError(f"--jobs is {args.jobs}; give 1 or more")
    job = RecordingJob(
        source=source,
        out=Path(args.out),
        video=None if args.video is None or source == Path(args.video) else Path(args.video),
        model=args.model,
        options=_options(args),
        formats=("npz", *(["json"] if args.json else []), *(["csv"] if args.csv else [])),
        bodies=tuple(kind for kind in get_args(BodyFormat) if getattr(args, kind)),
        naming=args.naming,
        angles=args.angles,
        render=args.render,
        view=args.view,
        threads=args.threads,
        overwrite=args.overwrite,
        wait=args.wait,
    )
    check_job(job)
    return _lift_folder(job, args.jobs) if is_video_folder(source) else _lift_one(job)


def _lift_one(job: RecordingJob) -> int:
    with ProgressBars() as bars:
        report = run_job(job, progress=bars)
    for warning in report.warnings:
        say(f"warning: {warning}", stderr=True)
    if report.removed:
        say(f"removed from {job.out}, of an earlier run: {', '.join(report.removed)}")
    for line in report.summary:
        say(line)
    print(report.timings)
    for name in report.outputs:
        say(job.out / name)
    return 0


def _lift_folder(job: RecordingJob, at_once: int) -> int:
    if job.video is not None:
        raise InputError(f"{job.source}: is a folder of videos; --video goes with one keypoint file")
    jobs = jobs_for(job.source, job.out, job)
    print(f"{len(jobs)} videos, {at_once} at a time")

    def told(result: JobResult) -> None:
        message = result.message.removeprefix(f"{printable(result.source)}: ")
        say(f"{result.outcome:8} {result.source} ({message})")

    print(f"people: {'1.70 m tall (assumed)' if job.options.height_m is None else f'{job.options.height_m:g} m tall'}")
    with folder_lock(job.out, wait=job.wait):
        check_results(job.out, job.overwrite)
        results = run_jobs(jobs, at_once, told)
        write_results(job.out, results)
    counts = {kind: sum(result.outcome == kind for result in results) for kind in ("lifted", "skipped", "failed")}
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return SOME_FAILED if counts["failed"] else 0


def _source(args: argparse.Namespace) -> Path:
    given = [value for value in (args.source, args.keypoints) if value is not None]
    if len(given) == 2:
        raise InputError(f"{given[0]} and --keypoints {given[1]} are both given; give one of them")
    if not given and args.video is None:
        raise InputError("nothing to lift; give a video, a keypoint file, or a folder of videos")
    source = Path(given[0] if given else args.video)
    if is_video(source) and args.video is not None and source != Path(args.video):
        raise InputError(f"two videos, {source} and {args.video}; give one, or keypoints and their video")
    return source


def _options(args: argparse.Namespace) -> LiftOptions:
    return lift_options(
        args,
        rtmlib_download=args.rtmlib_download,
        keypoint_format=args.format,
        picture_size=None if args.video_size is None else picture_size(args.video_size),
        fps=optional_number(args.fps, "--fps"),
        people=None if args.person is None else tuple(args.person),
        flip=args.flip,
        smooth=args.smooth,
        rigid=args.rigid,
        limits=args.limits,
        allow_truncated=args.allow_truncated,
    )


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(description="Lift people in a video, or 2D keypoints of one, to 3D motion in metres.")
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help="a video, a keypoint file or folder of any tool, a folder of videos"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="gets pose3d.npz, pose3d.mp4 and report.json")
    parser.add_argument("--video", metavar="FILE", help="the video of the keypoints: size, time stamps, background")
    parser.add_argument("--keypoints", metavar="FILE|FOLDER", help="the same as SOURCE")

    detection = parser.add_argument_group("finding keypoints in a video")
    detection.add_argument(
        "--detector",
        default=LiftOptions.detector,
        choices=[*DETECTORS, "none"],
        help="default %(default)s; none reads keypoint files only",
    )
    detection.add_argument("--allow-truncated", action="store_true", help="take what is there of a damaged video")
    detection.add_argument("--det-onnx", type=Path, metavar="FILE", help="person detector, for --detector rtmlib")
    detection.add_argument(
        "--pose-onnx", type=Path, metavar="FILE", help="pose network, for --detector rtmlib; --skeleton says its joints"
    )
    detection.add_argument("--rtmlib-download", metavar="SIZE", help="let rtmlib fetch its own networks instead")

    reading = parser.add_argument_group("reading keypoints")
    reading.add_argument("--video-size", metavar="WxH", help="in pixels, such as 1920x1080; not needed with --video")
    reading.add_argument("--fps", help="frames a second of the video; not needed with --video")
    reading.add_argument("--format", choices=list(FORMATS), help="the tool that wrote them; default: by their content")
    reading.add_argument("--skeleton", choices=list(SKELETONS), help="joints of a file that does not say them")
    reading.add_argument(
        "--min-confidence",
        default=str(LiftOptions.min_confidence),
        metavar="C",
        help="keypoints below it count as not seen (default %(default)s)",
    )

    lifting = parser.add_argument_group("lifting")
    add_model_argument(lifting)
    lifting.add_argument(
        "--person",
        type=person_id,
        action="append",
        metavar="ID",
        help="only this person (0 or p0); may be repeated",
    )
    lifting.add_argument(
        "--no-flip",
        dest="flip",
        action="store_false",
        help="do not average with the mirrored clip: half the work, slightly less accurate",
    )
    lifting.add_argument("--smooth", choices=get_args(Smoothing), help="filter the 3D joints over time")

    add_metres_arguments(parser, "known, it also improves the poses")

    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="also write pose3d.json")
    output.add_argument("--csv", action="store_true", help="also write pose3d.csv")
    output.add_argument(
        "--render", action=argparse.BooleanOptionalAction, default=True, help="draw pose3d.mp4 (default)"
    )
    output.add_argument(
        "--overwrite", action="store_true", help="replace files that no earlier run wrote, or that were changed since"
    )
    output.add_argument("--wait", action="store_true", help="wait while another run writes into the same folder")
    output.add_argument("--angles", action="store_true", help="also write angles.csv: hips, knees, arms, trunk")
    output.add_argument("--view", action="store_true", help="also write pose3d.html, a page to look at")

    rigid = parser.add_argument_group("rigid bones")
    rigid.add_argument("--rigid", action="store_true", help="constant bone lengths: joints are those of a fit")
    for kind, what in _BODIES.items():
        rigid.add_argument(f"--{kind}", action="store_true", help=f"also write pose3d_p<ID>.{kind}, {what}")
    rigid.add_argument("--naming", choices=NAMINGS, default="plain", help="of nodes in BVH and glTF (default plain)")
    rigid.add_argument("--limits", type=Path, metavar="FILE", help="limits of joint angles, YAML; default: none")

    work = parser.add_argument_group("work")
    work.add_argument("--jobs", type=int, default=1, help="videos of a folder lifted side by side (default 1)")
    add_threads_argument(work)
    return parser
