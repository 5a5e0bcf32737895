"""From a 1080p video to a file of 3D poses: what decoding, detecting, lifting and writing take, alone and together.

python benchmarks/pipeline.py VIDEO

The first frames of VIDEO, scaled so that its longer side is 1920 pixels, are written to an mp4 of their own, which
then goes through the parts one by one, on one thread, and through ``hyperlift lift --no-render`` as a whole, on all
cores that the process may use. The limit is what the machine would allow if nothing ever waited: the processor seconds
of the parts over the cores. (Those of the whole are no limit: threads that wait for one another turn in circles.)
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.detection import DETECTORS, detect_video
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.motion import save_keypoints
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.progress import Timings
from hyperlift.pipeline.recording_job import JobReport, RecordingJob, run_job
from hyperlift.pipeline.source import open_recording
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4
from hyperlift.wild.formats import read_keypoints

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


@dataclass
class Seconds:
    """Of one stage, a value a repetition."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a block, all its threads included."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)


def write_1080p(source: Path, target: Path, most_frames: int) -> tuple[int, int, int]:
    """The first frames of a video at another size; returns width, height and their number."""
    facts = video_facts(source)
    scale = LONG_SIDE / max(facts.size)
    width, height = (2 * round(side * scale / 2) for side in facts.size)
    frames = min(most_frames, facts.frames)
    with write_mp4(target, width, height, facts.fps) as writer:
        for frame in read_frames(source, (width, height), facts=facts):
            if frame.index >= frames:
                break
            writer.add(frame.rgb)
    return width, height, frames


def repetition(job: RecordingJob, one_thread: Lifter, all_cores: Lifter, alone: dict[str, Seconds]) -> JobReport:
    """Every part by itself, then the whole, whose report comes back."""
    video, recorded = job.source, open_recording(job.source, None, job.options)
    with alone["decode"].counted():
        for _ in read_frames(video, facts=recorded.facts):
            pass
    detector = one_thread.open_detector(job.options, recorded.fps)
    # Pictures of the whole video do not fit into memory: decoding is counted along and taken off.
    with alone["detect"].counted():
        detections = detect_video(read_frames(video, facts=recorded.facts), detector, source=str(video))
    alone["detect"].wall[-1] -= alone["decode"].wall[-1]
    alone["detect"].processor[-1] -= alone["decode"].processor[-1]
    with tempfile.TemporaryDirectory() as folder:
        keypoints = Path(folder) / "keypoints.json"
        writing = Seconds()
        with writing.counted():
            save_keypoints(keypoints, detections, recorded)
            detections = read_keypoints(keypoints)
        timings = Timings()
        lifted = Seconds()
        with lifted.counted():
            motion = one_thread.lift_detections(detections, recorded, options=job.options, timings=timings)
        # One thread at a time works on these two: their processor time is shared out by their wall time.
        for stage in ("lift", "place"):
            alone[stage].wall.append(timings.seconds[stage])
            share = timings.seconds[stage] / sum(timings.seconds.values())
            alone[stage].processor.append(lifted.processor[0] * share)
        with writing.counted():
            motion.save(Path(folder) / "pose3d.npz")
        alone["write"].wall.append(sum(writing.wall))
        alone["write"].processor.append(sum(writing.processor))
    with tempfile.TemporaryDirectory() as folder, alone[WHOLE].counted():
        return run_job(replace(job, out=Path(folder)), all_cores)


def table(alone: dict[str, Seconds], inside: dict[str, list[float]], what: str, cores: int) -> str:
    """Medians as Markdown."""

    def median(values: list[float]) -> float:
        return float(np.median(values))

    processor = {stage: median(alone[stage].processor) for stage in STAGES}
    total = sum(processor.values())
    in_turn = sum(median(alone[stage].wall) for stage in STAGES)
    whole_s, whole_busy_s = median(alone[WHOLE].wall), median(alone[WHOLE].processor)
    lines = [
        "| stage | alone on one thread, s | processor, s | share of processor | in the whole, s |",
        "|---|---|---|---|---|",
    ]
    for stage, name in STAGES.items():
        lines.append(
            f"| {name} | {median(alone[stage].wall):.2f} | {processor[stage]:.2f} | "
            f"{100 * processor[stage] / total:.1f} % | {median(inside[stage]):.2f} |"
        )
    share = median([a / b for a, b in zip(inside["lift"], alone[WHOLE].wall, strict=True)])
    lines += [
        f"| one after the other | {in_turn:.2f} | {total:.2f} | 100 % | |",
        f"| **side by side** (`hyperlift lift --no-render`) | **{whole_s:.2f}** | {whole_busy_s:.2f} | | |",
        f"| arithmetic limit: {cores} core{'s' if cores > 1 else ''}, no gap | {total / cores:.2f} | | | |",
        "",
        f"{what}. Lifting takes {100 * share:.1f} % of the whole (target: at most {100 * TARGET:.0f} %), which reaches "
        f"{100 * total / cores / whole_s:.0f} % of the limit with {whole_busy_s / whole_s:.1f} of {cores} cores busy "
        f"on it. Decoding runs beside detection: in the whole its seconds are those in which its thread was busy.",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, help="with people in it")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--detector", choices=[name for name in DETECTORS if name != "rtmlib"], default="movenet")
    parser.add_argument("--no-page", action="store_true", help="print, and leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.mp4"
        width, height, frames = write_1080p(args.video, video, args.frames)
        options = LiftOptions(detector=args.detector)
        job = RecordingJob(source=video, out=Path(folder), options=options, render=False)
        one_thread, all_cores = Lifter(threads=1), Lifter(threads=cores)
        alone = {stage: Seconds() for stage in (*STAGES, WHOLE)}
        reports = [repetition(job, one_thread, all_cores, alone) for _ in range(args.repetitions)]
    inside = {stage: [report.stages_s.get(stage, 0.0) for report in reports] for stage in STAGES}
    people = "1 person" if reports[0].people == 1 else f"{reports[0].people} people"
    what = (
        f"{frames} frames of {width} × {height}, {people}, detector {args.detector}, lifter "
        f"{job.model}; medians of {args.repetitions} interleaved repetitions on {machine()}"
    )
    text = table(alone, inside, what, cores)
    print(text)
    if not args.no_page:
        write_section("pipeline", text)


if __name__ == "__main__":
    main()
