"""The teacher: loading its checkpoint, and checking that it fits the student."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hyperlift.config.loader import from_mapping, to_mapping
from hyperlift.errors import InputError, quoted
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.training.distillation.config import DistillationConfig

_CONTENT = "teacher_sha256"

_SAME_TASK = ("skeleton", "label_space", "rootrel", "n_frames")


@dataclass(frozen=True)
class Teacher:
    """A trained network with frozen weights."""

    model: HyperLifter
    fps: float
    source: Path
    sha256: str
    """Hash of the file: a resumed run must have the same teacher, at any path."""


def choose_teacher(config: DistillationConfig, student: ModelConfig, given: Path | None) -> Path:
    """Path of the teacher: ``given``, or the one in the configuration for this kind of student.

    Raises:
        InputError: neither is set.
    """
    named = config.teacher if student.rootrel else config.teacher_global or config.teacher
    if given is None and named is None:
        raise InputError("no teacher is named; give `teacher`, or teacher: FILE in the distillation config")
    path = given or named
    assert path is not None
    return path


def load_teacher(path: Path) -> Teacher:
    """Read a checkpoint; the network is in eval mode and frozen.

    Raises:
        InputError: the file is missing or is no checkpoint.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such teacher; train it first, or give `teacher`")
    if path.suffix == ".bin":
        raise InputError(f"{path}: holds no configuration of its network; a teacher is a .safetensors checkpoint")
    checkpoint = load_checkpoint(path)
    model = checkpoint.model.eval().requires_grad_(False)
    return Teacher(model, checkpoint.spec.fps, path, hashlib.sha256(path.read_bytes()).hexdigest())


def check_pair(config: DistillationConfig, student: ModelConfig, fps: float, teacher: Teacher) -> None:
    """Check that every enabled term can compare the two networks.

    Args:
        config: the terms.
        student: the network to train.
        fps: frame rate of the training clips.
        teacher: the teacher.

    Raises:
        InputError: task or token grid differ, or a layer does not exist.
    """
    theirs = teacher.model.config
    # Poses are comparable for any tokens; hidden layers only for equal tokens.
    compared = (*_SAME_TASK, *(("frame_patch", "token_merge") if config.feature_terms else ()))
    differing = [
        f"{name} is {quoted(getattr(theirs, name))} in the teacher, {quoted(getattr(student, name))} in the student"
        for name in compared
        if getattr(theirs, name) != getattr(student, name)
    ]
    if teacher.fps != fps:
        differing.append(f"the teacher knows {teacher.fps:g} frames a second, the clips have {fps:g}")
    if differing:
        raise InputError(f"{teacher.source}: cannot teach this student: {'; '.join(differing)}")
    for name, term in config.feature_terms.items():
        _check_layers(f"{name}.student_layers", term.student_layers, student.depth, "student")
        _check_layers(f"{name}.teacher_layers", term.teacher_layers, theirs.depth, "teacher")
    if config.generation.enabled and student.n_frames // student.frame_patch < 2:
        raise InputError("generation masks every second token in time, the student has one; set enabled: false")


def _check_layers(key: str, layers: tuple[int, ...], depth: int, whose: str) -> None:
    outside = [layer for layer in layers if not 0 <= layer < depth]
    if outside:
        raise InputError(f"{key} names layer {outside[0]}; the {whose} has layers 0 to {depth - 1}")


def identity(config: DistillationConfig, teacher: Teacher) -> Mapping[str, Any]:
    """Definition of a distillation for the record of a run: terms, and the hash of the teacher instead of its path."""
    return {**_parts(config), _CONTENT: teacher.sha256}


def complete_identity(values: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Add defaults for missing keys to the ``identity`` of an older run.

    Args:
        values: result of ``identity`` in that run.
        where: file, for messages.

    Raises:
        InputError: a key is unknown.
    """
    parts = {key: value for key, value in values.items() if key != _CONTENT}
    return {**_parts(from_mapping(parts, DistillationConfig, where)), _CONTENT: values.get(_CONTENT)}


def _parts(config: DistillationConfig) -> dict[str, Any]:
    return {key: value for key, value in to_mapping(config).items() if not key.startswith("teacher")}
