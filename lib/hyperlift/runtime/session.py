"""ONNX Runtime sessions, and the lifter that runs one; only this module imports ONNX Runtime."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as onnxruntime  # other modules import it from here

from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError, one_line
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import skeleton_named

if hasattr(onnxruntime, "disable_telemetry_events"):
    # ``hyperlift/__init__.py`` prevents its start, except if ONNX Runtime was imported earlier or in builds for Windows
    # without another switch.
    onnxruntime.disable_telemetry_events()

_SLOW_FUSIONS = ("SkipLayerNormFusion",)
"""Disabled: the fused kernel of addition and LayerNorm takes five times as long on a CPU as separate operators."""

_MIN_FRAMES = 9
"""Minimum clip length for splitting a batch over threads. Chosen: below it the overhead exceeds the gain."""
_MIN_CLIPS = 2
"""Minimum clips for splitting a batch; a single clip uses threads within operators (``benchmarks/two_cores.py``)."""
INT8_KEY = "int8"
"""Metadata key of 8-bit files: their quantisation range covers all clips of a call, so each clip is run alone."""

Optimisation = Literal["none", "basic", "extended", "all"]
_LEVELS = {
    "none": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}

_QUIET = 3
"""Severity "error" of ONNX Runtime; failures are reported as ``InputError``."""


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
        threads: CPU threads; None: all cores.
        optimisation: level of graph optimisation; levels below "all" are for comparisons.
        idle_threads_wait: idle threads spin, so that the next small operator starts at once. Set False if several
            sessions alternate, because spinning threads of one session take cores from the other.

    Raises:
        InputError: the file is no ONNX model, or ``threads`` is below 1.
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
    """Metadata of an ONNX file.

    Raises:
        InputError: the metadata is not UTF-8.
    """
    try:
        return session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: its metadata is no text in UTF-8; export it again") from error


STD = "std"
"""Name of the second output of lifters that predict a standard deviation."""


class OnnxLifter:
    """A lifter ``pose2d [N,T,V,3] -> pose3d [N,T,V,3]`` from an ONNX file, run on the CPU.

    It is a ``Predictor``; ``spec`` states frame, units and joints.
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
            threads: CPU threads; None: all cores.
            session: an open session of the model with these threads, to reuse.

        Raises:
            InputError: the file is no ONNX model, or no lifter of HyperLift.
        """
        self._model = model
        self._threads = _cores() if threads is None else threads
        self._session = session or open_session(model, source, threads)
        metadata = metadata_of(self._session, source)
        self._one_clip_per_run = INT8_KEY in metadata
        self.spec = LifterSpec.from_metadata(metadata, source)
        self._joints = len(skeleton_named(self.spec.skeleton))
        self._source = source
        self._check_ports()

    def __call__(self, pose2d_norm: np.ndarray) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift clips of x, y (normalised picture space) and confidence into the label space of ``spec``.

        Several clips are split over the threads, which changes poses by less than 0.001 mm.

        Args:
            pose2d_norm: floating-point [clips, frames, joints, 3]; any array is accepted and checked.

        Raises:
            InputError: another shape or dtype, NaN or infinite values, or more frames than ``n_frames`` of ``spec``
                (no limit for streaming lifters).
        """
        return self._lifted(pose2d_norm, self._outputs[:1])[0]

    def with_std(
        self, pose2d_norm: np.ndarray
    ) -> tuple[Float[np.ndarray, "clips frames joints 3"], Float[np.ndarray, "clips frames joints"] | None]:
        """Lift, and return the predicted standard deviation of each joint.

        Returns:
            Poses, and the standard deviation of the error per axis, in metres of a body of standard size, root-relative
            and after the optimal scale per clip; None if the lifter does not predict it.

        Raises:
            InputError: as for lifting.
        """
        pose, *std = self._lifted(pose2d_norm, self._outputs)
        return pose, (std[0] if std else None)

    def _lifted(self, pose2d_norm: np.ndarray, outputs: list[str]) -> list[np.ndarray]:
        clips = self._checked_clips(pose2d_norm)
        enough = len(clips) >= _MIN_CLIPS and clips.shape[1] >= _MIN_FRAMES
        if self._threads == 1 or not enough:
            return self._run(self._session, clips, outputs)
        # Threads with separate clips need no synchronisation between operators, unlike threads within operators.
        session, pool = self._single_threaded
        own, *others = np.array_split(clips, min(self._threads, len(clips)))
        lifted = [pool.submit(self._run, session, part, outputs) for part in others]
        parts = [self._run(session, own, outputs), *(part.result() for part in lifted)]
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
        parts = np.array_split(clips, len(clips)) if self._one_clip_per_run else [clips]
        lifted = [session.run(outputs, {self._input: part}) for part in parts]
        return [np.concatenate([np.asarray(array) for array in of_all]) for of_all in zip(*lifted, strict=True)]

    @cached_property
    def _single_threaded(self) -> tuple[onnxruntime.InferenceSession, ThreadPoolExecutor]:
        """A session for concurrent runs from several threads, including the caller's; opened at the first batch."""
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
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
