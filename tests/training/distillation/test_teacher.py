"""Which teachers fit which students, and which file is taken."""

import dataclasses
from pathlib import Path

import pytest

from hyperlift.config.loader import load_config
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.models.checkpoint import Checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.training.config import RunConfig
from hyperlift.training.distillation.config import DistillationConfig, FeatureTerm, OutputTerm
from hyperlift.training.distillation.teacher import Teacher, check_pair, choose_teacher, identity, load_teacher

ROOT = Path(__file__).resolve().parents[3]
SIZES = ModelConfig(channels=8, depth=2, heads=2, n_frames=9, frame_patch=3)
PAIR = FeatureTerm(student_layers=(0, 1), teacher_layers=(0, 1))
PARTS = DistillationConfig(spatial_mimicking=PAIR, temporal_mimicking=PAIR, generation=PAIR)
OFF = FeatureTerm(enabled=False)


def teacher(**changes) -> Teacher:
    return Teacher(HyperLifter(dataclasses.replace(SIZES, **changes)), 25.0, Path("t.safetensors"), "0")


def test_shipped_configurations_fit_the_networks_they_are_for():
    config = load_config(ROOT / "distill_config/distillation_config.yaml", DistillationConfig)
    assert set(config.terms) == {"spatial_mimicking", "temporal_mimicking", "generation"}
    for suffix in ("", "_global"):
        student = load_config(ROOT / f"configs/pose3d/train_h36m_small{suffix}_distill.yaml", RunConfig).model
        sizes = load_config(ROOT / f"configs/pose3d/train_h36m{suffix}.yaml", RunConfig).model
        narrow = HyperLifter(dataclasses.replace(sizes, channels=8))
        check_pair(config, student, 25.0, Teacher(narrow, 25.0, Path("t"), "0"))
        assert choose_teacher(config, student, None) == Path(f"checkpoint/pose3d/h36m{suffix}/best.safetensors")
        assert choose_teacher(config, student, Path("mine")) == Path("mine")
    with pytest.raises(InputError, match="no teacher is named; give `teacher`"):
        choose_teacher(
            dataclasses.replace(config, teacher=None),
            load_config(ROOT / "configs/pose3d/train_h36m_small_distill.yaml", RunConfig).model,
            None,
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame_patch": 1}, "frame_patch is 1 in the teacher, 3 in the student"),
        ({"n_frames": 27}, "n_frames is 27 in the teacher, 9 in the student"),
        ({"rootrel": False}, "rootrel is False in the teacher, True in the student"),
        ({"label_space": "camera"}, "label_space is 'camera' in the teacher, 'image' in the student"),
        ({"depth": 1}, "spatial_mimicking.teacher_layers names layer 1; the teacher has layers 0 to 0"),
    ],
)
def test_a_teacher_of_another_kind_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        check_pair(PARTS, SIZES, 25.0, teacher(**changes))


def test_a_teacher_of_another_frame_rate_or_skeleton_is_refused():
    with pytest.raises(InputError, match="the teacher knows 25 frames a second, the clips have 50"):
        check_pair(PARTS, SIZES, 50.0, teacher())
    other = teacher()
    object.__setattr__(other.model.config, "skeleton", "coco17")
    with pytest.raises(InputError, match="skeleton is 'coco17' in the teacher, 'h36m17' in the student"):
        check_pair(PARTS, SIZES, 25.0, other)


def test_wider_and_deeper_teachers_fit_and_poses_compare_across_token_grids():
    check_pair(PARTS, SIZES, 25.0, teacher(channels=16, depth=3, heads=4, input_frame="person"))
    poses = DistillationConfig(
        spatial_mimicking=OFF, temporal_mimicking=OFF, generation=OFF, output=OutputTerm(enabled=True)
    )
    check_pair(poses, SIZES, 25.0, teacher(frame_patch=1))


def test_layers_that_the_student_lacks_and_single_tokens_are_refused():
    with pytest.raises(InputError, match=r"generation\.student_layers names layer 5; the student has layers 0 to 1"):
        check_pair(DistillationConfig(spatial_mimicking=PAIR, temporal_mimicking=PAIR), SIZES, 25.0, teacher(depth=8))
    late = FeatureTerm(student_layers=(-1,), teacher_layers=(0,))
    with pytest.raises(InputError, match="names layer -1"):
        check_pair(dataclasses.replace(PARTS, generation=late), SIZES, 25.0, teacher())
    with pytest.raises(InputError, match="the student has one"):
        check_pair(PARTS, dataclasses.replace(SIZES, frame_patch=9), 25.0, teacher(frame_patch=9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("teacher: a\nspatial_mimicking: {student_layers: [0, 1], teacher_layers: [0]}", "must be pairs"),
        ("generation: {weight: 0.0}", "enabled: false switches a part off"),
        ("output: {enabled: true, balance: -1.0}", "must be positive"),
        ("balance_every: 0", "balance_every is 0"),
        (
            "spatial_mimicking: {enabled: false}\ntemporal_mimicking: {enabled: false}\ngeneration: {enabled: false}",
            "every part of the distillation is off",
        ),
        ("colour: red", "unknown key colour"),
        ("generation: {weight: 1e-6}", r"generation: weight: YAML reads 1e-6 as text; write 1\.0e-6"),
    ],
)
def test_configurations_that_make_no_sense(tmp_path, text, message):
    path = tmp_path / "distill.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load_config(path, DistillationConfig)
    assert "distill.yaml" in str(error.value)


def test_a_teacher_comes_frozen_from_its_checkpoint_and_is_known_by_content(tmp_path):
    spec = LifterSpec(name="t", n_frames=9, fps=50.0)
    for name in ("a", "b"):
        save_checkpoint(tmp_path / f"{name}.safetensors", Checkpoint(model=HyperLifter(SIZES), spec=spec))
    (tmp_path / "moved.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes())
    first, moved, second = (load_teacher(tmp_path / f"{name}.safetensors") for name in ("a", "moved", "b"))
    assert not first.model.training
    assert not any(parameter.requires_grad for parameter in first.model.parameters())
    assert first.fps == 50.0
    assert identity(PARTS, first) == identity(PARTS, moved) != identity(PARTS, second)
    with pytest.raises(InputError, match="no such teacher; train it first"):
        load_teacher(tmp_path / "none.safetensors")
    (tmp_path / "old.bin").write_bytes(b"")
    with pytest.raises(InputError, match=r"old\.bin: holds no configuration of its network"):
        load_teacher(tmp_path / "old.bin")
