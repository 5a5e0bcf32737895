"""Thousands of videos on a Ray cluster: the jobs of ``hyperlift lift FOLDER``, one Ray task each.

pip install 'hyperlift[cluster]'
python examples/cluster/lift_on_ray.py VIDEOS OUT [--address auto] [--cpus-per-video 2]

Every machine must see both folders (a network drive). A video whose results are complete is skipped, so the script can
be stopped and started again; a video that fails, or a machine that dies, stops nothing else.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import ray
import ray.exceptions

from hyperlift.pipeline.folder_jobs import JobResult, job_result, jobs_for
from hyperlift.pipeline.options import RecordingJob

# Ray reports its use to its makers unless this is set before it starts; for a cluster that runs already see README.md.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


def lift_all(jobs: list[RecordingJob], cpus_per_video: int) -> Iterator[JobResult]:
    """Results as they come; ``ray.init`` has been called."""
    # A worker that dies takes its video to another one, twice.
    task = ray.remote(num_cpus=cpus_per_video, max_retries=2)(job_result)
    waiting = {task.remote(job.with_threads(cpus_per_video)): job for job in jobs}
    while waiting:
        (done,), _ = ray.wait(list(waiting), num_returns=1)
        job = waiting.pop(done)
        try:
            yield ray.get(done)
        except ray.exceptions.RayError as error:
            yield JobResult(source=job.source, out=job.out, outcome="failed", message=str(error).splitlines()[0])


def main() -> int:
    """Parse, connect, lift; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--address", help="of a running cluster (auto: this machine's); default: a new local one")
    parser.add_argument("--cpus-per-video", type=int, default=2)
    parser.add_argument("--render", action="store_true", help="draw pose3d.mp4 too")
    args = parser.parse_args()
    videos, out = args.videos.resolve(), args.out.resolve()  # workers have other working folders
    ray.init(address=args.address, log_to_driver=False)
    failed = 0
    for result in lift_all(
        jobs_for(videos, out, RecordingJob(source=videos, out=out, render=args.render)), args.cpus_per_video
    ):
        print(f"{result.outcome:8} {result.source} ({result.message})", flush=True)
        failed += result.outcome == "failed"
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
