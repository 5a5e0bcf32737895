"""From a 1080p video to a file of 3D poses: what decoding, detecting, lifting and writing take, alone and together.

python benchmarks/pipeline.py VIDEO

The first frames of VIDEO, scaled so that its longer side is 1920 pixels, are written to an mp4 of their own, which
then goes through the parts one by one, on one thread, and through ``hyperlift lift --no-render`` as a whole, on all
cores that the process may use. The limit is what the machine would allow if nothing ever waited: the processor seconds
of the parts over the cores. (Those of the whole are no limit: threads that wait for one another turn in circles.)
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from runner import Repetitions, Report, cores, counted, run, table
from timing import Seconds

from hyperlift.detection.detector import detect_video
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.motion.motion import save_keypoints
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import LiftOptions, RecordingJob
from hyperlift.pipeline.progress import Timings
from hyperlift.pipeline.recording_job import JobReport, run_job
from hyperlift.pipeline.recording_source import open_recording
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4

LONG_SIDE = 1920
TARGET = 0.05
"""Lifting is to take no more than this share of the whole."""
STAGES = {
    "decode": "decode, to upright RGB",
    "detect": "detect",
    "lift": "lift: follow, fill gaps, network with flip",
    "place": "place in metres",
    "write": "write keypoints and poses",
}
WHOLE = "whole"


def write_1080p(source: Path, target: Path, most_frames: int) -> str:
    """The first frames of a video at another size; returns their number, width and height in words."""
    facts = video_facts(source)
    width, height = (2 * round(side * LONG_SIDE / max(facts.size) / 2) for side in facts.size)
    frames = min(most_frames, facts.frames)
    with write_mp4(target, width, height, facts.fps) as writer:
        for frame in read_frames(source, (width, height), facts=facts):
            if frame.index >= frames:
                break
            writer.add(frame.rgb)
    return f"{frames} frames of {width} × {height}"


def repetition(job: RecordingJob, one_thread: Lifter, all_cores: Lifter, alone: dict[str, Seconds]) -> JobReport:
    """Every part by itself, then the whole, whose report comes back."""
    recorded = open_recording(job.source, None, job.options)
    with alone["decode"].counted():
        for _ in read_frames(job.source, facts=recorded.facts):
            pass
    detector = one_thread.open_detector(job.options, recorded.fps)
    # Pictures of the whole video do not fit into memory: decoding is counted along and taken off.
    with alone["detect"].counted():
        found = detect_video(read_frames(job.source, facts=recorded.facts), detector, source=str(job.source))
    alone["detect"].walls[-1] -= alone["decode"].walls[-1]
    alone["detect"].processors[-1] -= alone["decode"].processors[-1]
    writing, lifting, timings = Seconds(), Seconds(), Timings()
    with tempfile.TemporaryDirectory() as folder:
        keypoints = Path(folder) / "keypoints.json"
        with writing.counted():
            save_keypoints(keypoints, found, recorded)
            found = read_keypoints(keypoints)
        with lifting.counted():
            motion = one_thread.lift_detections(found, recorded, options=job.options, timings=timings)
        with writing.counted():
            motion.save(Path(folder) / "pose3d.npz")
    # One thread at a time works on these two: their processor time is shared out by their wall time.
    for stage in ("lift", "place"):
        alone[stage].walls.append(timings.seconds[stage])
        alone[stage].processors.append(lifting.processor * timings.seconds[stage] / sum(timings.seconds.values()))
    alone["write"].walls.append(sum(writing.walls))
    alone["write"].processors.append(sum(writing.processors))
    with tempfile.TemporaryDirectory() as folder, alone[WHOLE].counted():
        return run_job(replace(job, out=Path(folder)), all_cores)


def pipeline(
    video: Annotated[Path, "with people in it"],
    *,
    frames: int = 120,
    repetitions: Repetitions = 3,
    detector: Literal["movenet", "movenet-fast"] = "movenet",
) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "video.mp4"
        what = write_1080p(video, large, frames)
        job = RecordingJob(source=large, out=Path(folder), options=LiftOptions(detector=detector), render=False)
        lifters = Lifter(threads=1), Lifter(threads=cores())
        alone = {stage: Seconds() for stage in (*STAGES, WHOLE)}
        reports = [repetition(job, *lifters, alone) for _ in range(repetitions)]
    inside = {stage: [report.stages_s.get(stage, 0.0) for report in reports] for stage in STAGES}
    total, whole = sum(alone[stage].processor for stage in STAGES), alone.pop(WHOLE)
    rows: list[tuple] = [
        (STAGES[stage], s.wall, s.processor, 100 * s.processor / total, float(np.median(inside[stage])))
        for stage, s in alone.items()
    ]
    rows += [
        ("one after the other", sum(seconds.wall for seconds in alone.values()), total, "100 %", None),
        ("**side by side** (`hyperlift lift --no-render`)", f"**{whole.wall:.2f}**", whole.processor, None, None),
        (f"arithmetic limit: {counted(cores(), 'core')}, no gap", total / cores(), None, None, None),
    ]
    columns = ("alone on one thread, s {:.2f}", "processor, s {:.2f}", "share of processor {:.1f} %")
    yield table(["stage", *columns, "in the whole, s {:.2f}"], rows)
    people = "1 person" if reports[0].people == 1 else f"{reports[0].people} people"
    share = np.median(np.divide(inside["lift"], whole.walls))
    yield (
        f"{what}, {people}, detector {detector}, lifter {job.model}; medians of {repetitions} interleaved repetitions. "
        f"Lifting takes {100 * share:.1f} % of the whole (target: at most {100 * TARGET:.0f} %), which reaches "
        f"{100 * total / cores() / whole.wall:.0f} % of the limit with {whole.processor / whole.wall:.1f} of {cores()} "
        "cores busy on it. Decoding runs beside detection: in the whole its seconds are those in which its thread was "
        "busy."
    )


if __name__ == "__main__":
    run(pipeline, repetitions=1, frames=10)
