"""One recording to one folder of results: what a command, a folder of videos and a cluster all run."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import hyperlift
from hyperlift.detection import JournalFile
from hyperlift.errors import InputError
from hyperlift.files import PARTIAL_MARK, atomic_file, check_output
from hyperlift.kinematics import read_limits
from hyperlift.pipeline.lifter import Lifter, choose_camera
from hyperlift.pipeline.motion import Motion, save_keypoints
from hyperlift.pipeline.motion_files import BODIES, NAMED, check_kind, write_bodies
from hyperlift.pipeline.options import BodyFormat, LiftOptions, OutputFormat
from hyperlift.pipeline.progress import Progress, Timings, silent
from hyperlift.pipeline.rigid import check_skeleton
from hyperlift.pipeline.source import open_recording
from hyperlift.runtime import bundled_file
from hyperlift.wild.formats import read_keypoints

_LOG = logging.getLogger(__name__)

REPORT_NAME = "report.json"
POSES_STEM = "pose3d"
KEYPOINTS_NAME = "keypoints.json"
JOURNAL_NAME = f".{KEYPOINTS_NAME}.journal"
VIDEO_NAME = "pose3d.mp4"
PAGE_NAME = "pose3d.html"
ANGLES_NAME = "angles.csv"
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
    bodies: tuple[BodyFormat, ...] = ()
    """Kinds of animation and marker files, one a person: ``pose3d_p0.bvh`` …"""
    naming: str = "plain"
    """Of the nodes in BVH and glTF."""
    angles: bool = False
    """Write a table of angles."""
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
        """The files that the job writes whoever is in the recording, the report last; ``JobReport.outputs`` has those
        of each person as well."""
        poses = [self.out / f"{POSES_STEM}.{kind}" for kind in self.formats]
        poses += [self.out / ANGLES_NAME] if self.angles else []
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
    outputs: tuple[str, ...] = ()
    """Names of the files in the job's folder, the report last."""
    bodies: tuple[str, ...] = ()
    """Kinds of files that were written for each person."""
    gravity: Mapping[str, Any] | None = None
    """How the camera was held, how surely that is known, and by which roll keypoints were turned upright; None where
    nobody was seen."""
    rigid: Mapping[str, Any] | None = None
    """What the fit of rigid bones moved, where one was made, and whether the joints are the fit's."""
    removed: tuple[str, ...] = ()
    """Names of an earlier run's results that were taken away and not written again."""


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
    check_job(job)
    for path in job.outputs:
        check_output(path)
    lifter = lifter or Lifter(job.model, threads=job.threads)
    if job.bodies or job.angles:
        check_skeleton(lifter.spec.skeleton)
    timings = Timings()
    motion = _lifted(job, lifter, progress, timings)
    bodies, paths = motion, list[Path]()
    if job.bodies and motion.fits is None:
        with timings.stage("fit", sum(len(person.frame) for person in motion.people)):
            bodies = motion.rigid(None if job.options.limits is None else read_limits(job.options.limits))
    with timings.stage("write"):
        old = _clear(job.out)
        for kind in job.formats:
            paths += motion.save(job.out / f"{POSES_STEM}.{kind}")
        for kind in job.bodies:
            naming = job.naming if f".{kind}" in NAMED else "plain"
            paths += write_bodies(job.out / f"{POSES_STEM}.{kind}", bodies.fits or {}, naming, numbered=True)
        if job.angles:
            motion.save_angles(job.out / ANGLES_NAME)
    if job.render:
        with timings.stage("draw", motion.frames):
            motion.render(job.out / VIDEO_NAME, lambda done, total: progress("draw", done, total))
    if job.view:
        with timings.stage("page"):
            motion.view(job.out / PAGE_NAME)
    made = {path.name for path in (*job.outputs, *paths)}
    report = JobReport(
        people=len(motion.people),
        frames=motion.frames,
        warnings=motion.warnings,
        seconds=sum(timings.seconds.values()),
        stages_s={name: round(seconds, 3) for name, seconds in timings.seconds.items()},
        summary=bodies.summary,
        timings=timings.table(),
        outputs=tuple(path.name for path in [*job.outputs[:-1], *(p for p in paths if p not in job.outputs)])
        + (REPORT_NAME,),
        bodies=tuple(job.bodies),
        gravity=motion.gravity,
        rigid=None
        if bodies.rigid_record is None
        else {"joints_replaced": motion.fits is not None, **bodies.rigid_record},
        removed=tuple(name for name in old if name not in made and not (job.out / name).exists()),
    )
    content = {
        "format": FORMAT,
        "version": 1,
        "hyperlift": hyperlift.__version__,
        "made_from": _fingerprint(job),
    }
    with atomic_file(job.out / REPORT_NAME) as partial:
        partial.write_text(json.dumps(content | asdict(report), indent=1) + "\n")
    return report


def is_done(job: RecordingJob) -> bool:
    """Whether the results are complete and were made from the same files with the same options."""
    try:
        report = json.loads((job.out / REPORT_NAME).read_text())
        same = report["format"] == FORMAT and report["made_from"] == _fingerprint(job)
        written = [job.out / name for name in report["outputs"]]
        same = same and set(job.bodies) <= set(report["bodies"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return same and all(path.is_file() for path in [*job.outputs, *written])


def check_job(job: RecordingJob) -> None:
    """Tell before the work what would stop it at its end, whatever is in the recording.

    Raises:
        InputError: options that need one another, an unknown naming, or the package for C3D is missing.
    """
    for kind in job.bodies:
        check_kind(job.out / f"{POSES_STEM}.{kind}", job.naming if f".{kind}" in NAMED else "plain")
    if job.options.limits is not None and not (job.bodies or job.options.rigid):
        raise InputError(
            "limits hold in the fit of rigid bones; ask for one: rigid=True (--rigid), or bodies such as bvh (--bvh, "
            "--glb, --trc, --c3d)"
        )
    if job.naming != "plain" and not {f".{kind}" for kind in job.bodies} & set(NAMED):
        raise InputError(
            f"naming (--naming) {job.naming} names the nodes of BVH and glTF; ask for one of them (--bvh, --glb)"
        )


def _lifted(job: RecordingJob, lifter: Lifter, progress: Progress, timings: Timings) -> Motion:
    recorded = open_recording(job.source, job.video, job.options)
    detections = recorded.detections
    if detections is None:
        found, facts = job.out / KEYPOINTS_NAME, job.out / f".{KEYPOINTS_NAME}.made_from"
        made_from = json.dumps(
            [_file(job.source), hyperlift.__version__, job.options.detector, *_detector_networks(job.options)]
        )
        journal = JournalFile(job.out / JOURNAL_NAME, made_from)
        if not (found.is_file() and facts.is_file() and facts.read_text() == made_from):
            choose_camera(recorded, job.options)  # a mistake in it is told before the long work
            detections = lifter.detect(
                recorded, options=job.options, journal=journal, progress=progress, timings=timings
            )
            with timings.stage("write"):
                facts.unlink(missing_ok=True)
                save_keypoints(found, detections, recorded)
                with atomic_file(facts) as partial:
                    partial.write_text(made_from)
        else:
            _LOG.info("keypoints that an earlier run found are read from %s", found)
        journal.remove()
        # What is lifted is what stands in the file, so that a run that skips detection gives the same numbers.
        detections = read_keypoints(found)
    return lifter.lift_detections(detections, recorded, options=job.options, progress=progress, timings=timings)


def _clear(out: Path) -> list[str]:
    """Take away the results of an earlier run, so that none stands beside results of other options; returns their
    names. The report goes first: results are complete when it is there."""
    names = [f"{POSES_STEM}.{kind}" for kind in ("npz", "json", "csv", "meta.json")]
    old = [out / name for name in (REPORT_NAME, *names, VIDEO_NAME, PAGE_NAME, ANGLES_NAME)]
    for suffix in BODIES:
        bodies = sorted(out.glob(f"{POSES_STEM}_p*{suffix}"))
        old += [body for body in bodies if body.stem.removeprefix(f"{POSES_STEM}_p").isdecimal()]
    old = [path for path in old if path.exists()]
    for path in old:
        path.unlink()
    for left_over in out.glob(f".*{PARTIAL_MARK}.*"):  # of a run that was killed
        left_over.unlink(missing_ok=True)
    return [path.name for path in old]


def _fingerprint(job: RecordingJob) -> dict[str, Any]:
    """What the results depend on."""
    return {
        "source": _file(job.source),
        "video": None if job.video is None else _file(job.video),
        "model": _weights_hash(job.model),
        "options": json.loads(json.dumps(asdict(job.options), default=str)),
        "detector": _detector_networks(job.options),
        "limits": None if job.options.limits is None else _file(job.options.limits),
        "naming": job.naming,
        "hyperlift": hyperlift.__version__,
    }


def _weights_hash(model: str) -> str:
    """Of a bundled lifter too: another version of the package may bring other weights under the same name."""
    file = bundled_file(model) or Path(model)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else model


def _detector_networks(options: LiftOptions) -> list[str]:
    """What an rtmlib detector's keypoints depend on beside the pictures: its networks, by content, and their joints.

    Empty for the other detectors, whose name says it.
    """
    if options.detector != "rtmlib":
        return []
    networks = ["" if path is None else _weights_hash(str(path)) for path in (options.det_onnx, options.pose_onnx)]
    return [*networks, options.skeleton or "", options.rtmlib_download or ""]


def _file(path: Path) -> list[Any]:
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return [path.name, state.st_size, state.st_mtime_ns]
