"""The one place that owns an ONNX Runtime session."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as onnxruntime  # whoever needs more of it than a session takes it from here

from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError, one_line
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import skeleton_named

if hasattr(onnxruntime, "disable_telemetry_events"):
    # ``hyperlift/__init__.py`` has kept it from starting, unless somebody imported it before us or this is a build
    # for Windows that has no other switch.
    onnxruntime.disable_telemetry_events()

_SLOW_FUSIONS = ("SkipLayerNormFusion",)
"""ONNX Runtime's own kernel of a sum and its LayerNorm takes five times as long on a CPU as the two apart."""

_LEAST_FRAMES = 9
"""Shorter clips are lifted sooner than threads have shared them out."""
_LEAST_CLIPS = 2
"""A single one is lifted by threads inside of operators (``benchmarks/two_cores.py``)."""
INT8_KEY = "int8"
"""Metadata of files whose products of integers take their range from all clips of a run; so each clip has its own."""

Optimisation = Literal["none", "basic", "extended", "all"]
_LEVELS = {
    "none": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}

_QUIET = 3
"""ONNX Runtime's severity "error": what goes wrong reaches the user as one message of ours."""


def open_session(
    model: Path | bytes,
    source: str,
    threads: int | None = None,
    optimisation: Optimisation = "all",
    *,
    idle_threads_wait: bool = True,
) -> onnxruntime.InferenceSession:
    """Open an ONNX model on the CPU.

    Args:
        model: path of the file, or its bytes.
        source: name of the model in messages.
        threads: CPU threads; None takes all cores.
        optimisation: of the graph; less than everything is for comparisons.
        idle_threads_wait: threads without work keep their cores busy for a while, so that the next of many small
            operators starts at once. False where sessions take turns, whose waiting threads take cores from each other.

    Raises:
        InputError: the file is no ONNX model, or fewer than one thread is asked for.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.graph_optimization_level = _LEVELS[optimisation]
    if threads is not None:
        if threads < 1:
            raise InputError(f"{threads} threads asked for; give 1 or more")
        options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if idle_threads_wait else "0")
    try:
        return onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=list(_SLOW_FUSIONS),
        )
    except Exception as error:  # its exception classes are private and share no other base
        reason = one_line(" ".join(str(error).split()), 160)
        raise InputError(f"{source}: is not an ONNX model that can be run ({reason}); export it again") from error


def metadata_of(session: onnxruntime.InferenceSession, source: str) -> dict[str, str]:
    """The texts that an ONNX file carries beside its graph.

    Raises:
        InputError: they are no UTF-8.
    """
    try:
        return session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: its metadata is no text in UTF-8; export it again") from error


STD = "std"
"""Name of the second output, of lifters that say how sure they are."""


class OnnxLifter:
    """A lifter ``pose2d [N,T,V,3] -> pose3d [N,T,V,3]`` from an ONNX file, run on the CPU.

    A ``Predictor``; what its numbers mean is in ``spec``.
    """

    spec: LifterSpec

    def __init__(
        self,
        model: Path | bytes,
        source: str,
        threads: int | None = None,
        session: onnxruntime.InferenceSession | None = None,
    ) -> None:
        """Open the session.

        Args:
            model: path of the file, or its bytes.
            source: name of the model in messages.
            threads: CPU threads; None takes all cores.
            session: of the model with so many threads, where one is open already.

        Raises:
            InputError: the file is no ONNX model, or not one of ours.
        """
        self._model = model
        self._threads = _cores() if threads is None else threads
        self._session = session or open_session(model, source, threads)
        metadata = metadata_of(self._session, source)
        self._each_alone = INT8_KEY in metadata
        self.spec = LifterSpec.from_metadata(metadata, source)
        self._joints = len(skeleton_named(self.spec.skeleton))
        self._source = source
        self._check_ports()

    def __call__(self, pose2d_norm: np.ndarray) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift clips of x, y (normalised picture space) and confidence into the label space of ``spec``.

        Several clips are shared out among the threads, which changes poses by less than a thousandth of a millimetre.

        Args:
            pose2d_norm: floating-point [clips, frames, joints, 3]; checked here, so that any array may come.

        Raises:
            InputError: another shape, more frames than ``n_frames`` of ``spec`` (streaming lifters take any number), no
                numbers, NaN or infinite values.
        """
        return self._lifted(pose2d_norm, self._outputs[:1])[0]

    def with_std(
        self, pose2d_norm: np.ndarray
    ) -> tuple[Float[np.ndarray, "clips frames joints 3"], Float[np.ndarray, "clips frames joints"] | None]:
        """Lift, and say how sure each joint is.

        Returns:
            The poses, and the standard deviation of every joint's error along each axis: metres of a body of standard
            size, after the best scale of the clip with the root at 0. None of a lifter that does not say it.

        Raises:
            InputError: as for lifting.
        """
        pose, *std = self._lifted(pose2d_norm, self._outputs)
        return pose, (std[0] if std else None)

    def _lifted(self, pose2d_norm: np.ndarray, outputs: list[str]) -> list[np.ndarray]:
        clips = self._checked_clips(pose2d_norm)
        enough = len(clips) >= _LEAST_CLIPS and clips.shape[1] >= _LEAST_FRAMES
        if self._threads == 1 or not enough:
            return self._run(self._session, clips, outputs)
        # Each thread with clips of its own waits for no other between operators, as threads inside of operators do.
        alone, pool = self._single_threaded
        own, *others = np.array_split(clips, min(self._threads, len(clips)))
        lifted = [pool.submit(self._run, alone, part, outputs) for part in others]
        parts = [self._run(alone, own, outputs), *(part.result() for part in lifted)]
        return [np.concatenate(of_all) for of_all in zip(*parts, strict=True)]

    def _checked_clips(self, pose2d_norm: np.ndarray) -> np.ndarray:
        clips = np.asarray(pose2d_norm)
        if clips.ndim != 4 or clips.shape[2:] != (self._joints, 3) or 0 in clips.shape:
            raise InputError(
                f"{self._source}: pose2d has the shape {list(clips.shape)}; "
                f"expected [clips, frames, {self._joints}, 3] with at least one clip and frame"
            )
        longest = self.spec.longest_clip
        if longest is not None and clips.shape[1] > longest:
            raise InputError(
                f"{self._source}: a clip has {clips.shape[1]} frames; this lifter takes n_frames = {longest} "
                "at most: cut it, as hyperlift.lifting.windows.lift_windows does"
            )
        if not np.issubdtype(clips.dtype, np.floating):
            raise InputError(f"{self._source}: pose2d holds {clips.dtype}; expected floating-point numbers")
        if not np.isfinite(clips).all():
            raise InputError(
                f"{self._source}: pose2d holds NaN or infinite values; fill missing joints and give them confidence 0"
            )
        return np.ascontiguousarray(clips, dtype=np.float32)

    def _run(self, session: onnxruntime.InferenceSession, clips: np.ndarray, outputs: list[str]) -> list[np.ndarray]:
        parts = np.array_split(clips, len(clips)) if self._each_alone else [clips]
        lifted = [session.run(outputs, {self._input: part}) for part in parts]
        return [np.concatenate([np.asarray(array) for array in of_all]) for of_all in zip(*lifted, strict=True)]

    @cached_property
    def _single_threaded(self) -> tuple[onnxruntime.InferenceSession, ThreadPoolExecutor]:
        """Opened when several clips come for the first time; a session may be run from many threads at once, of which
        the caller's is one."""
        return open_session(self._model, self._source, 1), ThreadPoolExecutor(self._threads - 1)

    def _check_ports(self) -> None:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        wanted = [self._joints, 3]
        further = [port.name for port in outputs[1:]]
        if len(inputs) != 1 or further not in ([], [STD]) or list(inputs[0].shape[2:]) != wanted:
            came = ", ".join(f"{port.name} {port.shape}" for port in inputs)
            raise InputError(f"{self._source}: takes {came}; expected one input [clips, frames, {self._joints}, 3]")
        self._input, self._outputs = inputs[0].name, [port.name for port in outputs]


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
