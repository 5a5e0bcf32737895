"""Jobs for a folder of videos: resumable, each in its own process, so that a failure affects one job only."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal

from hyperlift.errors import InputError, printable, valid_unicode
from hyperlift.files.atomic import atomic_file, check_output, remove_leftovers
from hyperlift.files.locks import remove_lock
from hyperlift.pipeline.options import RecordingJob
from hyperlift.pipeline.recording_job import is_done, run_unless_done
from hyperlift.pipeline.recording_source import VIDEO_SUFFIXES
from hyperlift.pipeline.results import REPORT_NAME
from hyperlift.safe_io.json_text import read_json

JOBS_NAME = "jobs.json"
_LISTED = ("source", "out", "outcome", "message")
_POLL_S = 0.2
"""Interval at which a running job checks whether to stop. Chosen: short for a user."""


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """Outcome of the job of one recording."""

    source: Path
    out: Path
    outcome: Literal["lifted", "skipped", "failed"]
    message: str = ""
    """The error in one line, or a summary with the time."""


def videos_in(folder: Path) -> list[Path]:
    """All videos below a folder, sorted, without hidden files.

    Raises:
        InputError: the folder has no video.
    """
    videos = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not videos:
        raise InputError(f"{folder}: holds no video ({', '.join(sorted(VIDEO_SUFFIXES))}) and no keypoint files")
    return videos


def jobs_for(folder: Path, out: Path, template: RecordingJob) -> list[RecordingJob]:
    """One job per video; results of ``a/b.mp4`` go to ``<out>/a/b.mp4/``.

    Args:
        folder: with the videos.
        out: folder of the results.
        template: has the options of all jobs.

    Raises:
        InputError: the folder has no video.
    """
    if out.resolve() == folder.resolve():
        raise InputError(f"{out}: results would lie among the videos; choose another folder (`out`)")
    inside = out.resolve()
    videos = [video for video in videos_in(folder) if not video.resolve().is_relative_to(inside)]
    return [template.of(video, out / video.relative_to(folder)) for video in videos]


def run_jobs(
    jobs: Sequence[RecordingJob], at_once: int, on_result: Callable[[JobResult], object] = lambda result: None
) -> list[JobResult]:
    """Run jobs in parallel, each in its own process with an equal share of the cores.

    A job whose results are complete, from the same file with the same options, is skipped. If a process dies (out of
    memory, killed), only its job fails.

    Args:
        jobs: to run.
        at_once: number of parallel processes.
        on_result: called with each result.

    Returns:
        The results in the order of ``jobs``.
    """
    if at_once < 1:
        raise InputError(f"`jobs` is {at_once}; give 1 or more")
    threads = max(1, (os.cpu_count() or 1) // at_once)
    results: dict[int, JobResult] = {}
    stop = threading.Event()
    with ThreadPoolExecutor(at_once) as pool:
        try:
            running = {
                pool.submit(_in_own_process, job.with_threads(threads), stop): number for number, job in enumerate(jobs)
            }
            for future in as_completed(running):
                results[running[future]] = future.result()
                on_result(results[running[future]])
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [results[number] for number in range(len(jobs))]


def check_results(out: Path, overwrite: bool) -> None:
    """Check before the work that ``write_results`` replaces only a file of an earlier run.

    Raises:
        InputError: it would replace another file without ``overwrite``, or the folder cannot be written.
    """
    path = out / JOBS_NAME
    check_output(path)
    if os.path.lexists(path) and not overwrite and not _lists_jobs(path):
        raise InputError(
            f"{path}: is no list of videos that an earlier run wrote; move it away, choose another output folder "
            "(`out`), or let the new list take its place (`overwrite=True`)"
        )


def write_results(out: Path, results: Sequence[JobResult]) -> None:
    """Write ``jobs.json``: the outcome of all jobs of the last run.

    Raises:
        InputError: the folder cannot be written.
    """
    listed = [
        dict(zip(_LISTED, map(valid_unicode, (r.source, r.out, r.outcome, r.message)), strict=True)) for r in results
    ]
    with atomic_file(out / JOBS_NAME) as partial:
        partial.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


def job_result(job: RecordingJob) -> JobResult:
    """Run one job in this process, unless it is done; an ``InputError`` becomes a failed result.

    Arguments and result can be pickled, so a cluster can call it.
    """
    try:
        report = run_unless_done(job)
    except (InputError, OSError) as error:
        return JobResult(source=job.source, out=job.out, outcome="failed", message=printable(error))
    if report is None:
        return JobResult(source=job.source, out=job.out, outcome="skipped", message="already lifted")
    people = "1 person" if report.people == 1 else f"{report.people} people"
    plural = "s" * (len(report.warnings) != 1)
    warned = f", {len(report.warnings)} warning{plural} in {REPORT_NAME}" if report.warnings else ""
    removed = f", removed of an earlier run: {', '.join(report.removed)}" if report.removed else ""
    message = f"{people} in {report.frames} frames, {report.seconds:.1f} s{warned}{removed}"
    return JobResult(source=job.source, out=job.out, outcome="lifted", message=message)


def _lists_jobs(path: Path) -> bool:
    try:
        listed = read_json(path, "")
    except InputError:
        return False
    return isinstance(listed, list) and all(isinstance(job, dict) and set(job) == set(_LISTED) for job in listed)


def _in_own_process(job: RecordingJob, stop: threading.Event) -> JobResult:
    if is_done(job):
        return job_result(job)
    if hasattr(signal, "pthread_sigmask"):
        # Ctrl-C reaches all processes of a terminal. It is blocked in this thread, and so in the processes that it
        # starts, because the command handles it. The resource tracker unblocks the signal at its start, so it starts
        # first.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while not ours.poll(_POLL_S):
            if stop.is_set():
                process.kill()
        outcome, message = json.loads(ours.recv_bytes())
    except EOFError:
        process.join()
        outcome, message = "failed", f"its process ended with exit code {process.exitcode}"
        remove_lock(job.out)
        remove_leftovers(job.out)
    finally:
        ours.close()
        process.join()
    return JobResult(source=job.source, out=job.out, outcome=outcome, message=message)


def _work(job: RecordingJob, results: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    result = job_result(job)
    with suppress(BrokenPipeError):
        results.send_bytes(json.dumps([result.outcome, result.message]).encode())


def _end_with_parent() -> None:
    """End this process if the command is killed: after a restart, two processes would write the same files."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
