import json
from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from wild_people import write_flat_lifter

from hyperlift.contract import METADATA_KEY
from hyperlift.errors import InputError
from hyperlift.runtime.loading import BUNDLED, load_lifter


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return write_flat_lifter(tmp_path / "flat.onnx", fps=30.0, n_frames=27, licence="CC0-1.0")


@pytest.mark.parametrize("shape", [(1, 1, 17, 3), (3, 5, 17, 3), (2, 27, 17, 3)])
def test_lifts_any_number_of_clips_and_frames(flat: Path, shape: tuple):
    clips = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected = (clips - clips[:, :, :1]) * np.array([1, 1, 0])
    np.testing.assert_allclose(load_lifter(flat)(clips), expected, atol=1e-6)


def test_clips_that_are_longer_than_the_lifter_takes(flat: Path):
    with pytest.raises(InputError, match=r"a clip has 28 frames; this lifter takes n_frames = 27 at most"):
        load_lifter(flat)(np.zeros((1, 28, 17, 3)))


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_lifters_refuse_longer_clips_alike(name: str):
    lifter = load_lifter(name)
    longest = lifter.spec.n_frames
    assert lifter(np.zeros((1, longest, 17, 3))).shape[1] == longest
    with pytest.raises(InputError, match=rf"{name}.* n_frames = {longest} at most"):
        lifter(np.zeros((1, longest + 1, 17, 3)))


def test_takes_float64_and_returns_float32(flat: Path):
    assert load_lifter(flat, threads=1)(np.zeros((1, 2, 17, 3))).dtype == np.float32


def test_contract_comes_from_the_file(flat: Path):
    spec = load_lifter(flat).spec
    assert (spec.name, spec.fps, spec.n_frames, spec.licence) == ("flat", 30.0, 27, "CC0-1.0")


@pytest.mark.parametrize("shape", [(2, 5, 16, 3), (0, 5, 17, 3), (2, 0, 17, 3), (2, 5, 17, 2)])
def test_other_shapes(flat: Path, shape: tuple):
    with pytest.raises(InputError, match=r"expected \[clips, frames, 17, 3\]"):
        load_lifter(flat)(np.zeros(shape))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_no_numbers(flat: Path, wrong: float):
    clips = np.zeros((1, 4, 17, 3))
    clips[0, 2, 5, 1] = wrong
    with pytest.raises(InputError, match="NaN or infinite"):
        load_lifter(flat)(clips)


def test_files_that_are_no_lifter(tmp_path: Path):
    with pytest.raises(InputError, match=r"gone\.onnx: no such file"):
        load_lifter(tmp_path / "gone.onnx")
    (tmp_path / "noise.onnx").write_bytes(b"\x00\x01 this is no protobuf")
    with pytest.raises(InputError, match=r"noise\.onnx: is not an ONNX model") as caught:
        load_lifter(tmp_path / "noise.onnx")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="carries no HyperLift metadata"):
        load_lifter(write_flat_lifter(tmp_path / "bare.onnx", metadata=False))


def test_metadata_of_another_version(flat: Path):
    model = onnx.load(flat)
    helper.set_model_props(model, {METADATA_KEY: json.dumps({"name": "flat", "colour": "red"})})
    onnx.save(model, flat)
    with pytest.raises(InputError, match="another version"):
        load_lifter(flat)


def test_ports_that_do_not_fit_the_skeleton(flat: Path):
    model = onnx.load(flat)
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 16
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 16
    onnx.save(model, flat)
    with pytest.raises(InputError, match="expected one input"):
        load_lifter(flat)


def test_no_threads(flat: Path):
    with pytest.raises(InputError, match="0 threads"):
        load_lifter(flat, threads=0)


def test_bundled_lifter_by_default_and_by_name():
    assert load_lifter().spec == load_lifter("small").spec
    assert np.isfinite(load_lifter()(np.zeros((1, 4, 17, 3)))).all()


def test_installation_without_the_bundled_lifter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(InputError, match="give an ONNX file"):
        load_lifter()
