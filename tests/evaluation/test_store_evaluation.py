import json
from dataclasses import replace

import numpy as np
import pytest
import synthetic_h36m
import torch
from scipy.spatial.transform import Rotation

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import ClipStore, StoreMeta, StoreWriter, Video
from hyperlift.datasets.h36m_clips import ClipPlan, convert_h36m
from hyperlift.datasets.slicing import clip_rows
from hyperlift.errors import InputError
from hyperlift.evaluation import store_evaluation
from hyperlift.evaluation.named_protocols import protocol_named, variants
from hyperlift.evaluation.protocol import HUMAN36M, MOCAP, protocol_for
from hyperlift.evaluation.report import report_json, report_text
from hyperlift.evaluation.store_evaluation import evaluate_protocols, evaluate_store
from hyperlift.evaluation.variants_report import variants_json, variants_text
from hyperlift.geometry.body_size import body_scale
from hyperlift.geometry.flip import flip_pose
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.predictor import TorchPredictor
from hyperlift.skeletons.joint_sets import H36M_17

IMAGE = LifterSpec(name="oracle", n_frames=27)
CAMERA = LifterSpec(name="oracle", n_frames=27, label_space="camera")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("h36m")
    source = synthetic_h36m.write(folder / "h36m.pkl", synthetic_h36m.build())
    convert_h36m(source, folder / "out", ClipPlan(n_frames=27, stride=9, test_stride=27))
    return ClipStore(folder / "out" / "test")


class Oracle:
    """Knows the label of every input, and of its mirror image; ``change`` spoils the answer."""

    def __init__(self, store, labels=None, change=lambda label: label):
        self.inputs = store.array("pose2d_norm").reshape(-1, 51)
        self.labels = store.array("label_norm") if labels is None else labels
        self.known = {row.tobytes(): i for i, row in enumerate(self.inputs)}
        self.change = change

    def __call__(self, clips):
        return np.stack([self.clip(clip) for clip in clips]).astype(np.float32)

    def clip(self, clip):
        if clip[0].tobytes() in self.known:
            return self.change(self.labels[[self.known[frame.tobytes()] for frame in clip]])
        mirrored = flip_pose(clip, H36M_17)
        return flip_pose(self.change(self.labels[[self.known[frame.tobytes()] for frame in mirrored]]), H36M_17)


def test_an_oracle_scores_zero(store):
    for slicing in (None, "published", "complete"):
        result = evaluate_store(Oracle(store), IMAGE, store, replace(HUMAN36M, slicing=slicing))
        for errors in result.actions.values():
            assert max(errors.values_mm) < 1e-3


def test_the_root_may_lie_anywhere(store):
    # Root-relative and absolute labels score alike, since the root is taken away after denormalisation.
    moved = Oracle(store, change=lambda label: label - label[:, :1] + np.array([0.3, -0.2, 0.7]))
    assert evaluate_store(moved, IMAGE, store, HUMAN36M).overall.p1_mm < 1e-3


def test_a_known_offset_is_found_in_millimetres(store):
    # All joints but the root too deep by 0.02 = 10 pixels of a picture 1000 wide, at this frame's mm/px.
    def deeper(label):
        spoiled = np.array(label)
        spoiled[:, 1:, 2] += 0.02
        return spoiled

    result = evaluate_store(Oracle(store, change=deeper), IMAGE, store, replace(HUMAN36M, mean="frame"))
    mm_per_px = store.array("mm_per_px")
    for action, errors in result.actions.items():
        seen = [store.frames_of(i) for i in range(len(store)) if store.video_of(i).action == action]
        frames = np.unique(np.concatenate(seen))
        assert errors.frames == len(frames)
        assert errors.p1_mm == pytest.approx(10 * mm_per_px[frames].mean() * 16 / 17, rel=1e-5)
    weights = [errors.frames for errors in result.actions.values()]
    expected = np.average([errors.p1_mm for errors in result.actions.values()], weights=weights)
    assert result.overall.p1_mm == pytest.approx(expected)
    assert result.mean("action").p1_mm == pytest.approx(np.mean([e.p1_mm for e in result.actions.values()]))


def test_p2_is_blind_to_similarities_and_n_to_scale(store):
    rotation = Rotation.from_euler("xyz", [20, 30, 40], degrees=True).as_matrix()
    turned = Oracle(store, change=lambda label: 1.7 * (label - label[:, :1]) @ rotation.T)
    errors = evaluate_store(turned, IMAGE, store, replace(HUMAN36M, flip=False)).overall
    assert errors.p1_mm > 100
    assert errors.p2_mm < 1e-3
    assert errors.n_mpjpe_mm > 100
    scaled = Oracle(store, change=lambda label: 1.7 * (label - label[:, :1]))
    errors = evaluate_store(scaled, IMAGE, store, replace(HUMAN36M, flip=False)).overall
    assert errors.p1_mm > 100
    assert max(errors.p2_mm, errors.n_mpjpe_mm) < 1e-3


def test_flip_averages_the_mirrored_prediction(store):
    def aside(label):
        return label + np.array([0.01, 0, 0]) * np.arange(17)[:, None]

    class Sideways(Oracle):
        """Errs by the same offset whether it sees the person or the mirror image."""

        def clip(self, clip):
            return aside(super().clip(clip))

    without = evaluate_store(Sideways(store), IMAGE, store, replace(HUMAN36M, flip=False)).overall.p1_mm
    averaged = evaluate_store(Sideways(store), IMAGE, store, HUMAN36M).overall.p1_mm
    # Averaged, joint j errs by the mean of its offset and minus that of its mirror joint, root at 0.
    offset = 0.01 * np.arange(17)
    mm = np.mean(without / offset.mean())
    assert averaged == pytest.approx(mm * np.abs((offset - offset[H36M_17.mirror]) / 2).mean(), rel=1e-4)


def test_excluded_sequences_do_not_count(store):
    class Bad(Oracle):
        """Is right only where it is scored."""

        def clip(self, clip):
            label = super().clip(clip)
            known = clip if clip[0].tobytes() in self.known else flip_pose(clip, H36M_17)
            position = self.known[known[0].tobytes()]
            video = next(v for v in store.videos if v.first <= position < v.first + v.frames)
            return -label if HUMAN36M.excludes(video.source) else label

    result = evaluate_store(Bad(store), IMAGE, store, HUMAN36M)
    assert result.overall.p1_mm < 1e-3
    assert "Greeting" not in result.actions
    assert result.videos_excluded == 4
    everything = evaluate_store(Bad(store), IMAGE, store, replace(HUMAN36M, excluded=()))
    assert everything.actions["Greeting"].p1_mm > 100
    assert everything.actions["Directions"].p1_mm < 1e-3


def test_actions_are_compared_whole_and_slicings_differ_in_frames(store):
    published = evaluate_store(Oracle(store), IMAGE, store, HUMAN36M)
    complete = evaluate_store(Oracle(store), IMAGE, store, replace(HUMAN36M, slicing="complete"))
    assert list(published.actions) == ["Directions", "Sitting", "SittingDown"]
    assert published.overall.frames < complete.overall.frames == complete.frames_total
    assert published.frames_total == complete.frames_total


def test_exclusion_compares_whole_names():
    assert HUMAN36M.excludes("s_09_act_05_subact_02_ca_03")
    assert HUMAN36M.excludes("s_09_act_05_subact_02")
    assert not HUMAN36M.excludes("s_09_act_05_subact_021")
    assert not HUMAN36M.excludes("s_09_act_05_subact_01_ca_01")
    assert protocol_for(["CMU_05_01@0"]) == MOCAP
    assert protocol_for(["s_09_act_05_subact_01_ca_01"]) == HUMAN36M


def test_shorter_windows_of_the_lifter(store):
    result = evaluate_store(Oracle(store), replace(IMAGE, n_frames=9), store, HUMAN36M)
    assert (result.n_frames, result.stride) == (9, 9)
    assert result.overall.p1_mm < 1e-3


@pytest.fixture(scope="module")
def metric_store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mocap") / "test"
    rng = np.random.default_rng(5)
    meta = StoreMeta(skeleton="h36m17", fps=25.0, n_frames=27, stride=27, slicing="complete", source="invented")
    with StoreWriter(folder, meta) as writer:
        for number, (frames, size) in enumerate([(60, 1.0), (27, 0.8), (10, 1.2)]):
            joints_m = synthetic_h36m.camera_motion_m(frames, rng) * size
            label = rng.normal(size=(frames, 17, 3))
            video = Video(
                source=f"m{number}@0",
                subject="a",
                action="walk" if number else "run",
                frames=frames,
                width=640.0,
                height=480.0,
            )
            writer.add_video(video, {"pose2d_norm": label, "label_norm": label, "joints_m": joints_m})
        writer.finish(clip_rows([(v.first, v.frames) for v in writer.videos], 27, 27, "complete"))
    return ClipStore(folder)


def test_camera_space_is_scored_at_the_persons_size(metric_store):
    labels = np.array(metric_store.array("joints_m"), np.float64)
    for video in metric_store.videos:
        part = slice(video.first, video.first + video.frames)
        labels[part] = (labels[part] - labels[part][:, :1]) * body_scale(labels[part], H36M_17)
    result = evaluate_store(Oracle(metric_store, labels), CAMERA, metric_store, MOCAP)
    assert max(result.overall.values_mm) < 1e-2
    assert result.size_given
    assert "size is given" in report_text(result)
    # A body 10 % too small shows in P1 by a tenth of each joint's distance from the root, and nowhere else.
    small = evaluate_store(Oracle(metric_store, 0.9 * labels), CAMERA, metric_store, replace(MOCAP, mean="frame"))
    joints_mm = 1000 * np.array(metric_store.array("joints_m"), np.float64)
    expected = 0.1 * np.linalg.norm(joints_mm - joints_mm[:, :1], axis=-1).mean()
    assert small.overall.p1_mm == pytest.approx(expected, rel=1e-4)
    assert max(small.overall.p2_mm, small.overall.n_mpjpe_mm) < 1e-2


def test_what_does_not_fit_is_refused(store, metric_store):
    oracle = Oracle(store)
    with pytest.raises(InputError, match="joints_m"):
        evaluate_store(oracle, CAMERA, store, HUMAN36M)
    with pytest.raises(InputError, match="truth_mm"):
        evaluate_store(oracle, IMAGE, metric_store, MOCAP)
    with pytest.raises(InputError, match="25 frames a second"):
        evaluate_store(oracle, replace(IMAGE, fps=50.0), store, HUMAN36M)
    with pytest.raises(InputError, match="skeleton h36m17"):
        evaluate_store(oracle, replace(IMAGE, skeleton="coco17"), store, HUMAN36M)
    with pytest.raises(InputError, match="no frame to score"):
        evaluate_store(oracle, IMAGE, store, replace(HUMAN36M, excluded=("s_09", "s_11")))
    with pytest.raises(InputError, match="not finite"):
        evaluate_store(lambda x: x * np.float32(np.nan), IMAGE, store, HUMAN36M)


def noisy(clips):
    """Lifts each clip by itself, with a generator that depends on the clip alone."""
    lifted = []
    for clip in clips:
        rng = np.random.default_rng(int(abs(float(clip.sum())) * 1e6) % 2**32)
        lifted.append(clip * [1, 1, 0] + 0.05 * rng.normal(size=clip.shape))
    return np.stack(lifted).astype(np.float32)


def test_the_batch_does_not_matter(store, monkeypatch):
    whole = evaluate_store(noisy, IMAGE, store, HUMAN36M)
    monkeypatch.setattr(store_evaluation, "MAX_FRAMES_PER_CALL", 1)
    assert report_json(evaluate_store(noisy, IMAGE, store, HUMAN36M)) == report_json(whole)


def test_a_networks_batch_does_not_matter(store):
    torch.manual_seed(0)
    model = HyperLifter(ModelConfig(channels=8, depth=1, heads=2, n_frames=27))
    singly = evaluate_store(TorchPredictor(model, batch_size=1), IMAGE, store, HUMAN36M).overall
    together = evaluate_store(TorchPredictor(model, batch_size=64), IMAGE, store, HUMAN36M).overall
    assert singly.values_mm == pytest.approx(together.values_mm, rel=1e-5)


def test_variants_equal_their_own_evaluations_and_share_the_lifting(store):
    lifted = []

    def counting(clips):
        lifted.append(len(clips))
        return noisy(clips)

    protocols = variants(protocol_named("all", store))
    results = evaluate_protocols(counting, IMAGE, store, protocols)
    windows = clip_rows([(v.first, v.frames) for v in store.videos], 27, 27, "complete")
    assert sum(lifted) == 2 * len(windows)  # plain and mirrored; the published windows are among them
    for protocol, result in list(zip(protocols, results, strict=True))[::3]:
        assert report_json(result) == report_json(evaluate_store(noisy, IMAGE, store, protocol))
    lifted.clear()
    evaluate_protocols(counting, IMAGE, store, [p for p in protocols if not p.flip])
    assert sum(lifted) == len(windows)


def test_all_means_are_means_of_the_same_errors(store):
    result = evaluate_store(noisy, IMAGE, store, HUMAN36M)
    frames = [errors.frames for errors in result.actions.values()]
    for key in ("p1_mm", "p2_mm", "r_mpjpe_mm", "n_mpjpe_mm", "n_mpjpe_frame_mm", "pck_150", "auc_150", "bone_sd_mm"):
        values = [getattr(errors, key) for errors in result.actions.values()]
        assert getattr(result.mean("action"), key) == pytest.approx(np.mean(values))
        assert getattr(result.mean("frame"), key) == pytest.approx(np.average(values, weights=frames))


def test_joints_and_motion_by_hand(store):
    # RWrist off by 20 mm in every second frame of a video, to be seen in P1, MPJVE and the forearm's length.
    joint = H36M_17.index("RWrist")
    labels = np.array(store.array("label_norm"), np.float64)
    for video in store.videos:
        odd = slice(video.first + 1, video.first + video.frames, 2)
        labels[odd, joint, 2] += 20 / store.array("mm_per_px")[odd] * 2 / video.width
    protocol = replace(HUMAN36M, flip=False, slicing="complete", mean="frame")
    result = evaluate_store(Oracle(store, labels), IMAGE, store, protocol)
    odd_frames = sum(v.frames // 2 for v in store.videos if not HUMAN36M.excludes(v.source))
    expected = 20 * odd_frames / result.frames_total
    assert result.overall.joints["RWrist"]["p1_mm"] == pytest.approx(expected, rel=1e-3)
    assert result.overall.joints["RWrist"]["mpjve_mm_per_frame"] == pytest.approx(20, rel=1e-3)
    assert result.overall.joints["LWrist"]["p1_mm"] < 1e-3
    assert result.overall.p1_mm == pytest.approx(expected / 17, rel=1e-3)
    perfect = evaluate_store(Oracle(store), IMAGE, store, protocol)
    changed = [
        bone
        for bone, sd in result.overall.bones_sd_mm.items()
        if sd != pytest.approx(perfect.overall.bones_sd_mm[bone], abs=1e-3)
    ]
    assert changed == ["RElbow-RWrist"]


def test_variants_side_by_side(store):
    standard = protocol_named("all", store)
    results = evaluate_protocols(noisy, IMAGE, store, variants(standard))
    lines = variants_text(results, standard).splitlines()
    cells = {}
    heading = ""
    for line in lines:
        words = line.rsplit(maxsplit=8)
        if len(words) == 9:
            cells[heading, words[0].strip()] = words[1:]
        elif "  " not in line:
            heading = line
    for over, name in (("action", "mean over actions *"), ("frame", "mean over frames")):
        assert cells[name, "P1"] == [f"{result.mean(over).p1_mm:.1f}" for result in results]
        assert cells[name, "AUC"] == [f"{result.mean(over).auc_150:.3f}" for result in results]
    assert len(cells["P1 by action, mm", "Sitting"]) == 8
    greeting = next(line for line in lines if line.startswith("Greeting"))
    assert len(greeting.split()) == 1 + 4  # only where the three sequences count
    assert "input:     detections" in lines
    exact = replace(standard, gt_2d=True)
    assert "input:     exact projections (GT 2D)" in variants_text(results, exact)
    content = json.loads(variants_json(results, standard))
    assert [variant["slicing"] for variant in content["variants"]] == ["published"] * 4 + ["complete"] * 4
    for variant, result in zip(content["variants"], results, strict=True):
        assert variant["mean_over_actions"]["p2_mm"] == result.mean("action").p2_mm
        assert (
            variant["actions"]["Sitting"]["joints"]["Head"]["p1_mm"]
            == result.actions["Sitting"].joints["Head"]["p1_mm"]
        )
        assert bool(variant["excluded"]) == ("Greeting" not in variant["actions"])


def test_reports_state_their_protocol(store):
    protocol = replace(HUMAN36M, slicing="complete", flip=False, mean="frame")
    result = evaluate_store(Oracle(store), IMAGE, store, protocol)
    text = report_text(result)
    for statement in (
        "mean over all frames",
        "flip:      off",
        "s_09_act_05_subact_02",
        "complete, windows of 27",
        "100.0 %",
    ):
        assert statement in text
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith("Sitting")}
    bone_sd = f"{result.actions['SittingDown'].bone_sd_mm:.1f}"
    assert rows["SittingDown"][1:] == ["44", *["0.0"] * 5, "1.000", "0.968", "0.00", bone_sd]
    own = json.loads(report_json(evaluate_store(Oracle(store), IMAGE, store, HUMAN36M)))
    # Where nothing is asked for, the report says what the data's own slicing is.
    assert own["protocol"]["slicing"] == own["slicing"] == "published"
    assert own["protocol"]["flip"] is True
    assert own["protocol"]["excluded"] == list(HUMAN36M.excluded)
