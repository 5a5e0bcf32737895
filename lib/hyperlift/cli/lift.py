"""``hyperlift lift`` and ``infer_wild.py``: a video, its keypoints, or a folder of videos to 3D motion in metres."""

import re
from dataclasses import replace
from pathlib import Path

from hyperlift.cli.app import log_to_stderr, say
from hyperlift.cli.lifting_commands import Lift
from hyperlift.cli.progress_bars import ProgressBars
from hyperlift.config.option import with_flags
from hyperlift.errors import InputError, printable
from hyperlift.files.locks import folder_lock
from hyperlift.pipeline.folder_jobs import JobResult, check_results, jobs_for, run_jobs, write_results
from hyperlift.pipeline.options import RecordingJob
from hyperlift.pipeline.recording_job import check_job, is_done, run_job
from hyperlift.pipeline.recording_source import is_video, is_video_folder

SOME_FAILED = 1
"""Exit code if at least one video of a folder failed."""


def main(options: Lift) -> int:
    """Run the command; returns its exit code."""
    log_to_stderr(Lift)
    source = _source(options)
    if options.jobs < 1:
        raise InputError(f"`jobs` is {options.jobs}; give 1 or more")
    video = options.job.video
    out = options.out or source.with_name(f"{source.stem}.hyperlift")
    job = replace(options.job, source=source, out=out, video=None if video == source else video)
    check_job(job)
    return _lift_folder(job, options.jobs) if is_video_folder(source) else _lift_one(job)


def _lift_one(job: RecordingJob) -> int:
    if is_done(job):
        say(f"{job.out} is complete, from the same files with the same options; remove it to lift it again")
        return 0
    with ProgressBars() as bars:
        report = run_job(job, progress=bars)
    for warning in report.warnings:
        say(f"warning: {with_flags(warning, Lift)}", stderr=True)
    if report.removed:
        say(f"removed from {job.out}, of an earlier run: {', '.join(report.removed)}")
    for line in report.summary:
        say(with_flags(line, Lift))
    print(report.timings)
    for name in report.outputs:
        say(job.out / name)
    return 0


def _lift_folder(job: RecordingJob, at_once: int) -> int:
    if job.video is not None:
        raise InputError(f"{job.source}: is a folder of videos; `video` goes with one keypoint file")
    jobs = jobs_for(job.source, job.out, job)
    print(f"{len(jobs)} videos, {at_once} at a time")

    def report(result: JobResult) -> None:
        message = with_flags(result.message, Lift).removeprefix(f"{printable(result.source)}: ")
        say(f"{result.outcome:8} {result.source} ({message})")

    print(f"people: {'1.70 m tall (assumed)' if job.options.height_m is None else f'{job.options.height_m:g} m tall'}")
    with folder_lock(job.out, wait=job.wait):
        check_results(job.out, job.overwrite)
        results = run_jobs(jobs, at_once, report)
        write_results(job.out, results)
    counts = {kind: sum(result.outcome == kind for result in results) for kind in ("lifted", "skipped", "failed")}
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return SOME_FAILED if counts["failed"] else 0


def _check_local(source: Path) -> None:
    """Reject cameras and URLs, with the command to use instead."""
    text = str(source)
    if text.startswith("/dev/video"):
        raise InputError(f"{text}: is a camera; show it live with: hyperlift live --source {text}")
    # ``Path`` removes one of the two slashes of a URL.
    address = re.fullmatch(r"([a-z][a-z0-9+.-]+):/+(.+)", text)
    if address and not source.exists():
        url = f"{address[1]}://{address[2]}"
        streamed = address[1] in ("rtsp", "rtmp", "udp")
        save = f"ffmpeg -i {url} -t 60 -c copy video.mp4" if streamed else f"curl -LO {url}"
        raise InputError(f"{url}: is an address, and nothing is fetched from the network; save the video first: {save}")


def _source(options: Lift) -> Path:
    given = [path for path in (options.source, options.keypoints) if path is not None]
    video = options.job.video
    if len(given) == 2:
        raise InputError(f"{given[0]} and `keypoints` {given[1]} are both given; give one of them")
    source = given[0] if given else video
    if source is None:
        raise InputError("nothing to lift; give a video, a keypoint file, or a folder of videos")
    _check_local(source)
    if is_video(source) and video is not None and source != video:
        raise InputError(f"two videos, {source} and {video}; give one, or keypoints and their video")
    return source
