"""``Lifter``: a network that turns videos and keypoints into ``Motion``, and streams of keypoints into poses."""

import logging
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from hyperlift.contract import LifterSpec, StreamPredictor
from hyperlift.detection.detector import Detector, detect_video
from hyperlift.detection.journal import JournalFile
from hyperlift.detection.registry import make_detector
from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.recorded import Recorded
from hyperlift.lifting.open_streams import open_stream, open_streams
from hyperlift.lifting.recurrent_stream import least_lookahead
from hyperlift.lifting.streams import LiftStream, Streams
from hyperlift.motion.motion import Motion
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.progress import Progress, Timings, silent
from hyperlift.pipeline.recording_source import open_recording
from hyperlift.pipeline.stages import lift_keypoints
from hyperlift.runtime.loading import load_lifter
from hyperlift.skeletons.joint_sets import H36M_17, skeleton_named
from hyperlift.video.facts import Frame
from hyperlift.video.prefetch import ahead

_LOG = logging.getLogger(__name__)

LOOK_AHEAD = 4
"""Default look-ahead of live streams in frames. Chosen: 0.16 s at 25 frames a second, for less jitter."""


class Lifter:
    """Turns videos and keypoints into 3D motion.

    The constructor loads the network, which can then lift any number of recordings, one at a time.

    Args:
        model: name of a lifter that comes with the package ("small"), or the path of an ONNX file.
        threads: CPU threads; None takes all cores.

    Raises:
        InputError: the model does not exist, or the file is no lifter.

    Example:
        >>> import hyperlift
        >>> lifter = hyperlift.Lifter("nano")
        >>> lifter
        Lifter(nano: h36m17, 25 frames/s, 81 frames at once)
        >>> options = hyperlift.LiftOptions(picture_size=(1768, 994), fps=30)
        >>> lifter.lift("examples/sports2d_demo.alphapose.json", options=options)
        Motion(sports2d_demo.alphapose.json: 226 frames; p0 frames 0–168, p1 frames 40–202, p2 frames 190–225)
    """

    spec: LifterSpec
    """The contract of the network."""

    def __init__(self, model: str | Path = "small", *, threads: int | None = None) -> None:
        self._network = load_lifter(model, threads)
        self._threads = threads
        self.spec = self._network.spec

    def __repr__(self) -> str:
        spec = self.spec
        waits = ", streaming" if isinstance(self._network, StreamPredictor) else ""
        return f"Lifter({spec.name}: {spec.skeleton}, {spec.fps:g} frames/s, {spec.n_frames} frames at once{waits})"

    def lift(
        self,
        source: str | Path,
        *,
        video: str | Path | None = None,
        options: LiftOptions | None = None,
        detector: Detector | None = None,
        journal: JournalFile | None = None,
        progress: Progress = silent,
        timings: Timings | None = None,
    ) -> Motion:
        """Lift all people of a recording.

        Args:
            source: a video, or a keypoint file or folder of any supported tool.
            video: the video of the keypoints, for its size, time stamps and pictures.
            options: None uses the defaults.
            detector: replaces the detector that the options name.
            journal: stores detections, so that an interrupted run can be resumed.
            progress: called for every finished frame of a stage.
            timings: receives the time of each stage.

        Raises:
            InputError: a file cannot be read, files and options contradict each other, or nobody can be tracked.
        """
        options = options or LiftOptions()
        timings = timings or Timings()
        recorded = open_recording(Path(source), None if video is None else Path(video), options)
        detections = recorded.detections
        if detections is None:
            detections = self.detect(
                recorded, options=options, detector=detector, journal=journal, progress=progress, timings=timings
            )
        return self.lift_detections(detections, recorded, options=options, progress=progress, timings=timings)

    def detect(
        self,
        recorded: Recorded,
        *,
        options: LiftOptions,
        detector: Detector | None = None,
        journal: JournalFile | None = None,
        progress: Progress = silent,
        timings: Timings | None = None,
    ) -> Detections:
        """Detect the keypoints of all people in a video; decoding runs in parallel.

        Args:
            recorded: of a video.
            options: name the detector.
            detector: replaces the named one.
            journal: stores detections. Those of an interrupted run with the same detector are reused; the results equal
                those of an uninterrupted run.
            progress: as for ``lift``.
            timings: as for ``lift``; the time of decoding is that of its own thread.

        Raises:
            InputError: the video cannot be decoded, ``options.detector`` is "none", the detector fails, or the journal
                cannot be written.
        """
        timings = timings or Timings()
        if recorded.video is None or recorded.facts is None:
            raise InputError(f"{recorded.path}: comes without a video to look at; give it (`video`)")
        if detector is None:
            if options.detector == "none":
                raise InputError(
                    f"{recorded.path}: is a video and `detector` is none; give its keypoints, or another detector"
                )
            detector = self.open_detector(options, recorded.facts.fps)
        from hyperlift.video.reading import read_frames  # PyAV is slow to import

        total, source = recorded.facts.frames, str(recorded.path)
        with timings.stage("detect"), nullcontext() if journal is None else journal.opened(detector) as log:
            first = 0 if log is None else log.next_frame
            if first:
                _LOG.info("%s: continuing at frame %d of %d", source, first, total)
            frames: Iterator[Frame] = iter(())
            if first < total:
                frames = read_frames(
                    recorded.video, facts=recorded.facts, allow_truncated=options.allow_truncated, first=first
                )
            with closing(ahead(timings.waiting("decode", frames))) as coming:
                detections = detect_video(_counted(coming, progress, total), detector, source=source, log=log)
        timings.frames["detect"] += sum(frame >= first for frame in detections.frames)
        return detections

    def lift_detections(
        self,
        detections: Detections,
        recorded: Recorded,
        *,
        options: LiftOptions,
        progress: Progress = silent,
        timings: Timings | None = None,
    ) -> Motion:
        """Lift detections in memory: ``lift`` without detection.

        Args:
            detections: of all people.
            recorded: picture size and times of the video.
            options: as for ``lift``.
            progress: as for ``lift``.
            timings: as for ``lift``.

        Raises:
            InputError: as ``lift``.
        """
        return lift_keypoints(detections, recorded, self._network, options, progress, timings or Timings())

    def stream(
        self, width: int, height: int, fps: float, lookahead: int | None = None, *, skeleton: str = H36M_17.name
    ) -> LiftStream:
        """Lift one person live: keypoints of a frame in, the pose of the frame ``lookahead`` frames ago out.

        Args:
            width: of the picture in pixels.
            height: of the picture in pixels.
            fps: frame rate, used for frames without time stamps.
            lookahead: latency in frames; more is more accurate. None is 4, or more if the lifter needs more.
            skeleton: of the keypoints, such as "coco17".

        Raises:
            InputError: an argument is out of range.

        Example:
            >>> import hyperlift
            >>> stream = hyperlift.Lifter("nano").stream(1768, 994, fps=25, lookahead=1, skeleton="coco17")
            >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
            >>> for people in list(detections.frames.values())[:2]:
            ...     pose = stream.push(people[0].keypoints_px)
            >>> pose.index, pose.time_s, pose.pose_norm.shape
            (0, 0.0, (17, 3))
        """
        lookahead = self.look_ahead(fps) if lookahead is None else lookahead
        return open_stream(self._network, self.spec, width, height, fps, lookahead, skeleton=skeleton_named(skeleton))

    def look_ahead(self, fps: float) -> int:
        """The default look-ahead in frames: 4, or more if a streaming lifter needs more.

        Raises:
            InputError: the frame rate is out of range.
        """
        if not isinstance(self._network, StreamPredictor):
            return LOOK_AHEAD
        return max(LOOK_AHEAD, least_lookahead(self._network.stream, self.spec, fps))

    def streams(
        self,
        width: int,
        height: int,
        fps: float,
        lookahead: int | None = None,
        *,
        skeleton: str = H36M_17.name,
        min_confidence: float = LiftOptions.min_confidence,
    ) -> Streams:
        """Lift several people live, by person id.

        Args:
            width: as for ``stream``.
            height: as for ``stream``.
            fps: as for ``stream``.
            lookahead: as for ``stream``.
            skeleton: as for ``stream``.
            min_confidence: keypoints below it count as missing.

        Raises:
            InputError: as for ``stream``.
        """
        return open_streams(
            self._network,
            self.spec,
            width,
            height,
            fps,
            self.look_ahead(fps) if lookahead is None else lookahead,
            skeleton=skeleton_named(skeleton),
            min_confidence=min_confidence,
        )

    def open_detector(self, options: LiftOptions, fps: float) -> Detector:
        """Open the detector that the options name, for a video with this frame rate.

        Raises:
            InputError: the detector does not exist, or cannot be opened.
        """
        return _make_detector(options, fps, self._threads)


def _make_detector(options: LiftOptions, fps: float, threads: int | None) -> Detector:
    if options.detector != "rtmlib":
        return make_detector(options.detector, fps=fps, threads=threads)
    return make_detector(
        "rtmlib",
        det_onnx=options.det_onnx,
        pose_onnx=options.pose_onnx,
        skeleton=options.skeleton or "coco17",
        download=options.rtmlib_download,
    )


def _counted(frames: Iterator[Frame], progress: Progress, total: int) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        progress("detect", frame.index + 1, total)
