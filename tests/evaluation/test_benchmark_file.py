import subprocess
import sys

import numpy as np
import pytest
import synthetic_h36m
from shared_data import shared_path

from hyperlift.errors import InputError
from hyperlift.evaluation.benchmark_file import (
    SKELETON,
    BenchFile,
    lift_bench,
    load_poses,
    read_views,
    save_poses,
    score_bench,
)
from hyperlift.evaluation.report import bench_text
from hyperlift.geometry.normalisation import normalise_points


def views(sizes=((30, 640, 480), (12, 1920, 1080))):
    rng = np.random.default_rng(2)
    arrays = {}
    for number, (frames, width, height) in enumerate(sizes):
        joints_m = synthetic_h36m.camera_motion_m(frames, rng).astype(np.float32)
        K = np.array([[800.0, 0, width / 2], [0, 800, height / 2], [0, 0, 1]])
        keypoints = joints_m @ K.T.astype(np.float32)
        keypoints = keypoints / keypoints[..., 2:]
        keypoints[..., :2] += rng.normal(size=keypoints[..., :2].shape) * 4
        name = f"m{number}@0"
        arrays |= {
            f"{name}/kp": keypoints.astype(np.float32),
            f"{name}/cam": joints_m,
            f"{name}/K": K,
            f"{name}/wh": np.array([width, height], np.int32),
        }
    return arrays


def write(path, arrays):
    np.savez(path, **arrays)
    return path


def flat(pose2d_norm):
    return pose2d_norm * np.array([1, 1, 0], np.float32)


def noisy(pose2d_norm):
    rng = np.random.default_rng(len(pose2d_norm))
    pose = flat(pose2d_norm) + 0.05 * rng.normal(size=pose2d_norm.shape)
    return pose.astype(np.float32)


@pytest.mark.parametrize("lift", [flat, noisy])
@pytest.mark.parametrize("real", [False, True])
def test_equals_the_benchmarks_own_score(tmp_path, lift, real):
    script = shared_path("data/mocapbench/score.py")
    path = shared_path("data/mocapbench/test.npz") if real else write(tmp_path / "bench.npz", views())
    bench = BenchFile(path)
    poses = lift_bench(bench, lift)
    save_poses(tmp_path / "pred.npz", poses)
    run = subprocess.run(
        [sys.executable, str(script), str(path), str(tmp_path / "pred.npz")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert bench_text(score_bench(bench, poses)) == run.stdout.strip()
    assert bench_text(score_bench(bench, load_poses(tmp_path / "pred.npz"))) == run.stdout.strip()


def test_the_truth_scores_zero_whatever_its_size_and_place(tmp_path):
    arrays = views()
    bench = BenchFile(write(tmp_path / "bench.npz", arrays))
    poses = {name: 3 * arrays[f"{name}/cam"].astype(np.float64) + [1, 2, 3] for name in bench.names}
    result = score_bench(bench, poses)
    assert max(result.n_mpjpe_mm, result.pa_mpjpe_mm, result.jitter_mm) < 1e-6
    assert (result.views, result.frames) == (2, 42)


def test_views_weigh_by_their_frames(tmp_path):
    arrays = views()
    both = BenchFile(write(tmp_path / "bench.npz", arrays))
    poses = lift_bench(both, flat)
    single = []
    for name in both.names:
        own = {key: value for key, value in arrays.items() if key.startswith(name)}
        single.append(score_bench(BenchFile(write(tmp_path / f"{name}.npz", own)), poses))
    expected = np.average([r.n_mpjpe_mm for r in single], weights=[r.frames for r in single])
    assert score_bench(both, poses).n_mpjpe_mm == pytest.approx(expected)


def test_each_view_is_normalised_with_its_own_picture(tmp_path):
    arrays = views()
    seen = {}
    lift_bench(BenchFile(write(tmp_path / "bench.npz", arrays)), lambda x: seen.setdefault(len(x), x))
    keypoints = arrays["m1@0/kp"]
    np.testing.assert_allclose(seen[12][..., :2], normalise_points(keypoints[..., :2], 1920.0, 1080.0), atol=1e-6)
    np.testing.assert_array_equal(seen[12][..., 2], keypoints[..., 2])


def spoil(key, value):
    def change(arrays):
        arrays[key] = value(arrays[key])

    return change


def nan(array):
    array = array.copy()
    array[3, 3, 0] = np.nan
    return array


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil("m0@0/kp", nan), "m0@0/kp holds NaN"),
        (
            spoil("m0@0/kp", lambda a: a[:, :16]),
            r"m0@0/kp has shape \(30, 16, 3\), expected \(T, 17, 3\)",
        ),
        (spoil("m0@0/cam", lambda a: a[:-1]), r"m0@0/cam has shape .*expected \(30, 17, 3\)"),
        (spoil("m0@0/wh", lambda a: 0 * a), "view m0@0 has pictures of 0 ×"),
        (lambda a: a.pop("m0@0/wh"), "has no array m0@0/wh"),
        (
            lambda a: a.update({k: v[:0] for k, v in a.items() if k in ("m0@0/kp", "m0@0/cam")}),
            "has 0 frames",
        ),
        (lambda a: (a.clear(), a.update(x=np.zeros(3))), "holds no view"),
    ],
)
def test_a_bad_view_is_named(tmp_path, change, message):
    arrays = views()
    change(arrays)
    with pytest.raises(InputError, match=rf"bench\.npz: .*{message}"):
        lift_bench(BenchFile(write(tmp_path / "bench.npz", arrays)), flat)


def test_bad_files_and_predictions(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        BenchFile(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("not a zip")
    with pytest.raises(InputError, match=r"text\.npz"):
        BenchFile(tmp_path / "text.npz")
    np.savez(tmp_path / "objects.npz", **{"a/kp": np.array([{}], object)})
    with pytest.raises(InputError, match=r"objects\.npz"):
        BenchFile(tmp_path / "objects.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InputError, match="single array"):
        BenchFile(tmp_path / "one.npy")
    bench = BenchFile(write(tmp_path / "bench.npz", views()))
    with pytest.raises(InputError, match="m1@0 has no prediction"):
        score_bench(bench, {"m0@0": np.ones((30, 17, 3))})
    with pytest.raises(InputError, match="prediction of m0@0"):
        lift_bench(bench, lambda x: x[:-1])
    with pytest.raises(InputError, match="NaN"):
        lift_bench(bench, lambda x: np.full_like(x, np.inf))


def test_joints_that_were_not_measured_are_left_out(tmp_path):
    """Where their truth is nonsense nothing changes; the numbers are those of the other joints by hand."""
    arrays = views(sizes=((30, 640, 480),))
    lost = SKELETON.indices(["Spine", "Head"])
    spoiled = {**arrays, "m0@0/cam": arrays["m0@0/cam"].copy()}
    spoiled["m0@0/cam"][:, lost] += 5.0
    truth, nonsense = (BenchFile(write(tmp_path / f"{i}.npz", one)) for i, one in enumerate((arrays, spoiled)))
    poses = lift_bench(truth, noisy)
    result = score_bench(truth, poses, ["Spine", "Head"])
    assert score_bench(nonsense, poses, ["Spine", "Head"]) == result
    kept = np.delete(np.arange(17), lost)
    pose, joints_m = (np.asarray(one, np.float64) for one in (poses["m0@0"], arrays["m0@0/cam"]))
    pose, joints_m = (one - one[:, :1] for one in (pose, joints_m))
    pose, joints_m = pose[:, kept], joints_m[:, kept]
    off = pose * (pose * joints_m).sum() / (pose**2).sum() - joints_m
    assert result.n_mpjpe_mm == pytest.approx(1000 * np.linalg.norm(off, axis=-1).mean())
    assert result.jitter_mm == pytest.approx(1000 * np.linalg.norm(np.diff(off, 2, axis=0), axis=-1).mean())


@pytest.mark.parametrize("joint", ["Tail", "Pelvis"])
def test_joints_to_leave_out_are_checked(tmp_path, joint):
    bench = BenchFile(write(tmp_path / "bench.npz", views()))
    with pytest.raises(InputError, match=f"joints to leave out are {joint}"):
        score_bench(bench, lift_bench(bench, flat), [joint])


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("cam", 1e308, "values beyond 1e"),
        ("cam", -1e10, "values beyond 1e"),
        ("kp", 1e308, "values beyond 1e"),
        ("cam", np.inf, "NaN or infinite"),
        ("kp", np.nan, "NaN or infinite"),
        ("wh", 0, "pictures of 0 × 0 pixels"),
        ("wh", 1e-300, "pictures of"),
        ("wh", 1e12, "values beyond"),
    ],
)
def test_values_with_which_linear_algebra_hangs_are_refused(tmp_path, key, value, problem):
    arrays = {name: array.astype(np.float64) for name, array in views(sizes=((30, 640, 480),)).items()}
    arrays[f"m0@0/{key}"][:] = value
    with pytest.raises(InputError, match=f"m0@0.*{problem}"):
        read_views(write(tmp_path / "bench.npz", arrays))


def test_predictions_with_which_linear_algebra_hangs_are_refused(tmp_path):
    bench = BenchFile(write(tmp_path / "bench.npz", views(sizes=((30, 640, 480),))))
    for value in (1e308, -np.inf, np.nan):
        with pytest.raises(InputError, match="prediction of m0@0 holds"):
            score_bench(bench, {"m0@0": np.full((30, 17, 3), value)})
