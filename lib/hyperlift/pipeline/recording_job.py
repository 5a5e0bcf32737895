"""One recording to one folder of results: what a command, a folder of videos and a cluster all run."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import hyperlift
from hyperlift.errors import InputError
from hyperlift.files import PARTIAL_MARK, atomic_file, check_output
from hyperlift.pipeline.lifter import Lifter, choose_camera
from hyperlift.pipeline.motion import Motion, save_keypoints
from hyperlift.pipeline.options import LiftOptions, OutputFormat
from hyperlift.pipeline.progress import Progress, Timings, silent
from hyperlift.pipeline.source import open_recording
from hyperlift.wild.formats import read_keypoints

_LOG = logging.getLogger(__name__)

REPORT_NAME = "report.json"
POSES_STEM = "pose3d"
KEYPOINTS_NAME = "keypoints.json"
VIDEO_NAME = "pose3d.mp4"
PAGE_NAME = "pose3d.html"
FORMAT = "hyperlift-report"


@dataclass(frozen=True, kw_only=True)
class RecordingJob:
    """Everything that defines the results of one recording; can be sent to another process."""

    source: Path
    """A video, or a keypoint file or folder."""
    out: Path
    """Folder for the results."""
    video: Path | None = None
    """The video of the keypoints."""
    model: str = "small"
    """Name of a bundled lifter, or an ONNX file."""
    options: LiftOptions = field(default_factory=LiftOptions)
    formats: tuple[OutputFormat, ...] = ("npz",)
    """Kinds of result files."""
    render: bool = True
    """Draw a video."""
    view: bool = False
    """Write a page to look at."""
    threads: int | None = None
    """CPU threads; None takes all cores. It changes no result."""

    def of(self, source: Path, out: Path) -> "RecordingJob":
        """The same for another recording."""
        return replace(self, source=source, out=out, video=None)

    def with_threads(self, threads: int) -> "RecordingJob":
        """The same on so many threads, where nothing else was asked for."""
        return self if self.threads is not None else replace(self, threads=threads)

    @property
    def outputs(self) -> list[Path]:
        """The files that the job writes, the report last."""
        poses = [self.out / f"{POSES_STEM}.{kind}" for kind in self.formats]
        drawn = [self.out / VIDEO_NAME] if self.render else []
        page = [self.out / PAGE_NAME] if self.view else []
        return [*poses, *drawn, *page, self.out / REPORT_NAME]


@dataclass(frozen=True)
class JobReport:
    """What a job did; ``report.json`` in its folder."""

    people: int
    frames: int
    """Of the recording."""
    warnings: tuple[str, ...]
    seconds: float
    stages_s: Mapping[str, float]
    summary: tuple[str, ...] = ()
    """Who was lifted and what was assumed, in sentences."""
    timings: str = ""
    """Time a stage, as a table for printing."""


def run_job(job: RecordingJob, lifter: Lifter | None = None, progress: Progress = silent) -> JobReport:
    """Lift one recording and write its results; each file appears whole or not at all, ``report.json`` last.

    Keypoints that an earlier run found in the same video with the same detector are used again.

    Args:
        job: what to do.
        lifter: an open lifter of ``job.model``, to save opening it.
        progress: told about every finished frame of a stage.

    Raises:
        InputError: as ``Lifter.lift``; or the folder cannot be written.
    """
    for path in job.outputs:
        check_output(path)
    lifter = lifter or Lifter(job.model, threads=job.threads)
    timings = Timings()
    motion = _lifted(job, lifter, progress, timings)
    with timings.stage("write"):
        _clear(job.out)
        for kind in job.formats:
            motion.save(job.out / f"{POSES_STEM}.{kind}")
    if job.render:
        with timings.stage("draw", motion.frames):
            motion.render(job.out / VIDEO_NAME, lambda done, total: progress("draw", done, total))
    if job.view:
        with timings.stage("page"):
            motion.view(job.out / PAGE_NAME)
    report = JobReport(
        people=len(motion.people),
        frames=motion.frames,
        warnings=motion.warnings,
        seconds=sum(timings.seconds.values()),
        stages_s={name: round(seconds, 3) for name, seconds in timings.seconds.items()},
        summary=motion.summary,
        timings=timings.table(),
    )
    content = {
        "format": FORMAT,
        "version": 1,
        "hyperlift": hyperlift.__version__,
        "made_from": _fingerprint(job),
        "outputs": [path.name for path in job.outputs],
    }
    with atomic_file(job.out / REPORT_NAME) as partial:
        partial.write_text(json.dumps(content | asdict(report), indent=1) + "\n")
    return report


def is_done(job: RecordingJob) -> bool:
    """Whether the results are complete and were made from the same files with the same options."""
    try:
        report = json.loads((job.out / REPORT_NAME).read_text())
        same = report["format"] == FORMAT and report["made_from"] == _fingerprint(job)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return same and all(path.is_file() for path in job.outputs)


def _lifted(job: RecordingJob, lifter: Lifter, progress: Progress, timings: Timings) -> Motion:
    recorded = open_recording(job.source, job.video, job.options)
    detections = recorded.detections
    if detections is None:
        found, facts = job.out / KEYPOINTS_NAME, job.out / f".{KEYPOINTS_NAME}.made_from"
        made_from = json.dumps([_file(job.source), job.options.detector])
        if not (found.is_file() and facts.is_file() and facts.read_text() == made_from):
            choose_camera(recorded, job.options)  # a mistake in it is told before the long work
            detections = lifter.detect(recorded, options=job.options, progress=progress, timings=timings)
            with timings.stage("write"):
                facts.unlink(missing_ok=True)
                save_keypoints(found, detections, recorded)
                with atomic_file(facts) as partial:
                    partial.write_text(made_from)
        else:
            _LOG.info("keypoints that an earlier run found are read from %s", found)
        # What is lifted is what stands in the file, so that a run that skips detection gives the same numbers.
        detections = read_keypoints(found)
    return lifter.lift_detections(detections, recorded, options=job.options, progress=progress, timings=timings)


def _clear(out: Path) -> None:
    """Take away the results of an earlier run, so that none stands beside results of other options. The report goes
    first: results are complete when it is there."""
    names = [f"{POSES_STEM}.{kind}" for kind in ("npz", "json", "csv", "meta.json")]
    for name in (REPORT_NAME, *names, VIDEO_NAME, PAGE_NAME):
        (out / name).unlink(missing_ok=True)
    for left_over in out.glob(f".*{PARTIAL_MARK}.*"):  # of a run that was killed
        left_over.unlink(missing_ok=True)


def _fingerprint(job: RecordingJob) -> dict[str, Any]:
    """What the results depend on."""
    model = Path(job.model)
    return {
        "source": _file(job.source),
        "video": None if job.video is None else _file(job.video),
        "model": hashlib.sha256(model.read_bytes()).hexdigest() if model.is_file() else job.model,
        "options": json.loads(json.dumps(asdict(job.options), default=str)),
        "hyperlift": hyperlift.__version__,
    }


def _file(path: Path) -> list[Any]:
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return [path.name, state.st_size, state.st_mtime_ns]
