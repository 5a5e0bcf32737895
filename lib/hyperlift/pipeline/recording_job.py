"""The job of one recording: from the source to a folder of results."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import hyperlift
from hyperlift.body.joint_limits import read_limits
from hyperlift.body.rigid_people import check_skeleton
from hyperlift.detection.journal import JournalFile
from hyperlift.errors import InputError
from hyperlift.files.atomic import check_output
from hyperlift.files.locks import folder_lock
from hyperlift.files.swap import complete_swap
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.alphapose_writer import read_recording, recording_path
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.recorded import Recorded
from hyperlift.motion.files import NAMED, check_kind, write_bodies
from hyperlift.motion.formats.poses_csv import meta_path
from hyperlift.motion.motion import Motion, save_keypoints
from hyperlift.pipeline.inputs import Inputs, detected_from, is_still, option_files, options_by_content, weights_hash
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import RecordingJob
from hyperlift.pipeline.progress import Progress, Timings, silent
from hyperlift.pipeline.recording_source import is_video, open_recording
from hyperlift.pipeline.results import REPORT_NAME, Results, bodies_in, obsolete, publish_results, staged
from hyperlift.pipeline.stages import choose_camera
from hyperlift.runtime.loading import bundled_file

_LOG = logging.getLogger(__name__)

POSES_STEM = "pose3d"
KEYPOINTS_NAME = "keypoints.json"
KEYPOINTS_NAMES = (KEYPOINTS_NAME, recording_path(KEYPOINTS_NAME).name)
JOURNAL_NAME = f".{KEYPOINTS_NAME}.journal"
VIDEO_NAME = "pose3d.mp4"
PAGE_NAME = "pose3d.html"
ANGLES_NAME = "angles.csv"


@dataclass(frozen=True)
class JobReport:
    """Report of a job, as in ``report.json``."""

    people: int
    frames: int
    """Number of frames of the recording."""
    warnings: tuple[str, ...]
    seconds: float
    stages_s: Mapping[str, float]
    summary: tuple[str, ...] = ()
    """``Motion.summary``."""
    timings: str = ""
    """Table of the time of each stage."""
    outputs: tuple[str, ...] = ()
    """Names of the files in the folder, the report last."""
    bodies: tuple[str, ...] = ()
    """Formats with one file per person."""
    gravity: Mapping[str, Any] | None = None
    """``Motion.gravity``."""
    rigid: Mapping[str, Any] | None = None
    """Changes by the rigid fit, and whether the joints are those of the fit; None without a fit."""
    removed: tuple[str, ...] = ()
    """Names of results of an earlier run that were removed and not written again."""


def run_job(job: RecordingJob, lifter: Lifter | None = None, progress: Progress = silent) -> JobReport:
    """Lift one recording and write its results, which replace those of an earlier run together at the end.

    Detections of an earlier run in the same video with the same detector are reused. One run at a time writes into a
    folder.

    Args:
        job: to run.
        lifter: an open lifter of ``job.model``; None opens it.
        progress: called for every finished frame of a stage.

    Raises:
        InputError: as for ``Lifter.lift``; or the folder cannot be written, another run writes into it, files of no
            earlier run would be replaced, or an input changed during the run.
    """
    with _own_folder(job):
        return _run(job, lifter, progress)


def run_unless_done(job: RecordingJob) -> JobReport | None:
    """``run_job``; None if the results are already complete, or complete after another run has ended.

    Raises:
        InputError: as ``run_job``.
    """
    if is_done(job):
        return None
    with _own_folder(job):
        return None if is_done(job) else _run(job, None, silent)


def outputs_of(job: RecordingJob) -> list[Path]:
    """The files that a job always writes, the report last; ``JobReport.outputs`` also has those of each person."""
    poses = [job.out / f"{POSES_STEM}.{kind}" for kind in job.formats]
    poses += [job.out / ANGLES_NAME] if job.angles else []
    drawn = [job.out / VIDEO_NAME] if job.render else []
    page = [job.out / PAGE_NAME] if job.view else []
    return [*poses, *drawn, *page, job.out / REPORT_NAME]


def is_done(job: RecordingJob) -> bool:
    """Whether the results are complete, and from the same files with the same options."""
    results = Results.of(job.out)
    try:
        if not results.complete:  # before the inputs are hashed, which is slow
            return False
        made_from, now = results.report["made_from"], _choices(job)
        return (
            {key: made_from[key] for key in now} == now
            and (made_from["video"] is None) == (job.video is None)
            and all(
                is_still(made_from[key], path, job.out)
                for key, path in (("source", job.source), ("video", job.video))
                if path is not None
            )
            and set(job.bodies) <= set(results.report["bodies"])
            and {path.name for path in outputs_of(job)} <= {*results.files, REPORT_NAME}
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_job(job: RecordingJob) -> None:
    """Check the options of a job before its work.

    Raises:
        InputError: an option requires another one, the naming is unknown, or the package for C3D is missing.
    """
    for kind in job.bodies:
        check_kind(job.out / f"{POSES_STEM}.{kind}", job.naming if f".{kind}" in NAMED else "plain")
    if job.options.limits is not None and not (job.bodies or job.options.rigid):
        raise InputError("`limits` hold in the fit of rigid bones; ask for one: `rigid=True`, or `bodies`")
    if job.naming != "plain" and not {f".{kind}" for kind in job.bodies} & set(NAMED):
        raise InputError(f"`naming` {job.naming} names the nodes of BVH and glTF; ask for one of them (`bodies`)")


@contextmanager
def _own_folder(job: RecordingJob) -> Iterator[None]:
    """Lock the folder of a job, and complete the interrupted replacement of an earlier run."""
    check_job(job)
    for path in outputs_of(job):
        check_output(path)
    with folder_lock(job.out, wait=job.wait):
        complete_swap(job.out, job.overwrite)
        yield


def _run(job: RecordingJob, lifter: Lifter | None, progress: Progress) -> JobReport:
    sources = [path for path in (job.source, job.video) if path is not None]
    weights = [Path(job.model)] if bundled_file(job.model) is None and Path(job.model).is_file() else []
    inputs = Inputs.now([*sources, *weights, *option_files(job.options)], job.out)
    made_from = {
        "source": inputs.files[job.source],
        "video": None if job.video is None else inputs.files[job.video],
        **_choices(job),
    }
    old = Results.of(job.out)
    inside = [path.name for path in inputs.files if path.resolve().parent == job.out.resolve()]
    old.replaceable(_names(job), inside, job.overwrite)  # fails before the long work
    lifter = lifter or Lifter(job.model, threads=job.threads)
    if job.bodies or job.angles:
        check_skeleton(lifter.spec.skeleton)
    timings = Timings()
    with staged(job.out) as new:
        recorded = open_recording(job.source, job.video, job.options)
        detections, found = _keypoints(job, recorded, new, old, inputs, lifter, progress, timings)
        motion = lifter.lift_detections(detections, recorded, options=job.options, progress=progress, timings=timings)
        bodies, names = _write(replace(job, out=new), motion, progress, timings)
        over = old.replaceable([*_names(job), *names], inside, job.overwrite)
        kept = [name for name in KEYPOINTS_NAMES if name not in names and old.holds(name)]
        detected = found or (old.report.get("detected_from") if kept else None)
        gone = obsolete(old, over, [*names, *kept, REPORT_NAME])
        outputs = [path.name for path in outputs_of(job)[:-1]]
        outputs += [name for name in (*names, *kept) if name not in outputs]
        report = JobReport(
            people=len(motion.people),
            frames=motion.frames,
            warnings=motion.warnings,
            seconds=sum(timings.seconds.values()),
            stages_s={name: round(seconds, 3) for name, seconds in timings.seconds.items()},
            summary=bodies.summary,
            timings=timings.table(),
            outputs=(*outputs, REPORT_NAME),
            bodies=tuple(job.bodies),
            gravity=motion.gravity,
            rigid={"joints_replaced": bool(motion.fits), **bodies.meta["rigid"]} if bodies.fits else None,
            removed=tuple(name for name in gone if not name.startswith(".")),
        )
        content = {"hyperlift": hyperlift.__version__, "made_from": made_from, "detected_from": detected}
        inputs.check_unchanged()
        publish_results(
            new, old, content | asdict(report), {name: over[name] for name in over if name not in inside}, kept
        )
    JournalFile(job.out / JOURNAL_NAME, "").remove()
    return report


def _write(staged: RecordingJob, motion: Motion, progress: Progress, timings: Timings) -> tuple[Motion, list[str]]:
    """Write all files except the report; returns the motion with rigid bodies, and the sorted names."""
    job, bodies = staged, motion
    if job.bodies and not motion.fits:
        with timings.stage("fit", sum(len(person.frame) for person in motion.people)):
            bodies = motion.rigid(None if job.options.limits is None else read_limits(job.options.limits))
    with timings.stage("write"):
        for kind in job.formats:
            motion.save(job.out / f"{POSES_STEM}.{kind}")
        for kind in job.bodies:
            naming = job.naming if f".{kind}" in NAMED else "plain"
            write_bodies(job.out / f"{POSES_STEM}.{kind}", bodies.fits, naming, numbered=True)
        if job.angles:
            motion.save_angles(job.out / ANGLES_NAME)
    if job.render:
        with timings.stage("draw", motion.frames):
            motion.render(job.out / VIDEO_NAME, lambda done, total: progress("draw", done, total))
    if job.view:
        with timings.stage("page"):
            motion.view(job.out / PAGE_NAME)
    return bodies, sorted(path.name for path in job.out.iterdir())


def _keypoints(
    job: RecordingJob,
    recorded: Recorded,
    new: Path,
    old: Results,
    inputs: Inputs,
    lifter: Lifter,
    progress: Progress,
    timings: Timings,
) -> tuple[Detections, Mapping[str, Any] | None]:
    """The keypoints of the recording, and ``detected_from`` if they come from a detector."""
    if recorded.detections is not None:
        return recorded.detections, None
    made_from = detected_from(inputs.files[job.source], job.options)
    found = job.out / KEYPOINTS_NAME
    if old.report.get("detected_from") == made_from and all(map(old.holds, KEYPOINTS_NAMES)):
        _LOG.info("keypoints of an earlier run are read from %s", found)
    else:
        choose_camera(recorded, job.options)  # fails before the long work
        found = new / KEYPOINTS_NAME
        # The journal is kept until the results are complete, so that an interrupted run can be resumed.
        journal = JournalFile(job.out / JOURNAL_NAME, json.dumps(made_from))
        detections = lifter.detect(recorded, options=job.options, journal=journal, progress=progress, timings=timings)
        try:
            inputs.check_unchanged()
        except InputError:
            journal.remove()
            raise
        with timings.stage("write"):
            save_keypoints(found, detections, recorded)
    # The file is lifted, not the detections in memory, so that a run that reuses it gives the same numbers.
    detections, facts = read_keypoints(found), read_recording(found)
    return replace(detections, tracked=facts is not None and facts.tracked), made_from


def _names(job: RecordingJob) -> list[str]:
    """All names that the job can write, as far as they are known before its work."""
    names = [path.name for path in outputs_of(job)]
    names += [meta_path(job.out / f"{POSES_STEM}.csv").name] if "csv" in job.formats else []
    names += KEYPOINTS_NAMES if is_video(job.source) else ()
    return [*names, *(bodies_in(job.out, POSES_STEM, job.bodies) if job.bodies else [])]


def _choices(job: RecordingJob) -> dict[str, Any]:
    """Everything that the results depend on, except the recording."""
    return {
        "model": weights_hash(job.model),
        "options": options_by_content(job.options),
        "naming": job.naming,
        "hyperlift": hyperlift.__version__,
    }
