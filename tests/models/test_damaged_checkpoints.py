"""Checkpoints that lie about themselves or are damaged: one line each, before memory is taken."""

import json
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hyperlift.contract import METADATA_KEY, LifterSpec
from hyperlift.errors import InputError
from hyperlift.models.checkpoint import Checkpoint, load_bin_weights, load_checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.torch_files import load_weights_only
from hyperlift.readers import UnforeseenDamage

CONFIG = ModelConfig(
    channels=8,
    depth=1,
    heads=2,
    n_frames=3,
    hypergraph=HypergraphConfig(joint_label=(0,) * 7 + (1,) + (2,) * 9),
)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return HyperLifter(CONFIG).eval()


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "a.safetensors"
    save_checkpoint(path, Checkpoint(model=model, spec=LifterSpec(name="t", n_frames=3), run={}, metrics={}))
    return path


def metadata_of(path) -> dict[str, str]:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length])["__metadata__"]


def changed(whole, tmp_path, key, value):
    metadata = metadata_of(whole)
    path = tmp_path / "changed.safetensors"
    save_file(
        load_file(whole), path, {name: text for name, text in {**metadata, key: value}.items() if text is not None}
    )
    return path


def refused(read, *arguments) -> str:
    with pytest.raises(InputError) as caught:
        read(*arguments)
    message = str(caught.value)
    assert not isinstance(caught.value, UnforeseenDamage)
    assert "\n" not in message
    assert len(message) < 900
    return message


HUGE = [
    {"channels": 2**20},
    {"channels": 2**40},
    {"n_frames": 10**12},
    {"depth": 10**12},
    {"depth": 900},
    {"depth": 10**12, "share_layers": True},
    {"mlp_ratio": 1e12},
    {"smoothing": 10**12},
    {"frame_lifter": {"channels": 10**6}},
    {"frame_lifter": {"depth": 10**12}},
    {"frame_lifter": {"frames": 10**12}},
    {"frame_lifter": {"smoothing": 10**12}},
    {"token_merge": {"after": [1], "size": 10**12}, "depth": 2},
    {"streaming": {"look_back": 10**12}},
    {"hypergraph": {"joint_label": [10**12, *[0] * 16]}},
    {"hypergraph": {"random_edges": 10**12, "membership": "learned"}},
]


@pytest.mark.parametrize("sizes", HUGE, ids=str)
def test_a_network_of_10_to_the_12_is_never_built(whole, tmp_path, sizes):
    model = {**json.loads(metadata_of(whole)["model"]), **sizes}
    assert "changed.safetensors" in refused(load_checkpoint, changed(whole, tmp_path, "model", json.dumps(model)))


def test_the_numbers_are_named(whole, tmp_path):
    model = {**json.loads(metadata_of(whole)["model"]), "channels": 2**20}
    message = refused(load_checkpoint, changed(whole, tmp_path, "model", json.dumps(model)))
    held = sum(tensor.numel() for tensor in load_file(whole).values())
    assert f"and has {held:,} weights" in message


@pytest.mark.parametrize("key", ["format", "model", "run", "metrics", METADATA_KEY])
@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "{",
        "null",
        "[]",
        "3",
        '"x"',
        "[" * 100_000,
        "9" * 5000,
        '{"a": ' + "9" * 5000 + "}",
        '{"channels": 1e999}',
        "\\ud800",
    ],
    ids=lambda value: str(value)[:12],
)
def test_metadata_of_other_kinds(whole, tmp_path, key, value):
    path = changed(whole, tmp_path, key, value)
    if key in ("run", "metrics") and value == '{"channels": 1e999}':  # a run that came to nothing says so
        assert load_checkpoint(path)
    else:
        refused(load_checkpoint, path)


@pytest.mark.parametrize("value", ["x", -1, 1.5, None, [], {}, True, "9" * 300, 1e308, -(10**12)], ids=str)
@pytest.mark.parametrize("key", ["channels", "depth", "n_frames", "skeleton", "mlp_ratio", "hypergraph", "token_merge"])
def test_sizes_of_other_kinds(whole, tmp_path, key, value):
    model = {**json.loads(metadata_of(whole)["model"]), key: value}
    if model == json.loads(metadata_of(whole)["model"]):
        return
    refused(load_checkpoint, changed(whole, tmp_path, "model", json.dumps(model)))


def mutants(content: bytes, count: int, seed: int, within: int | None = None):
    rng = np.random.default_rng(seed)
    end = min(within or len(content), len(content))
    for number in range(count):
        mutant = bytearray(content[: rng.integers(end)] if number % 16 == 0 else content)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(min(end, max(len(mutant), 1))))
            if rng.integers(4) == 0:
                del mutant[at : at + int(rng.integers(1, 9))]
            else:
                mutant[at : at + 1] = bytes([rng.integers(256)])
        yield bytes(mutant)


def outcomes(read, path, cases) -> int:
    """How many were refused; none ends in another exception, nor by the net."""
    count = 0
    for content in cases:
        path.write_bytes(content)
        try:
            read(path)
        except UnforeseenDamage:
            raise
        except InputError:
            count += 1
    return count


def test_mutated_checkpoints(whole, tmp_path):
    content = whole.read_bytes()
    assert outcomes(load_checkpoint, tmp_path / "m.safetensors", mutants(content, 200, 0, 3000)) > 100


@pytest.mark.parametrize("zipped", [True, False])
def test_mutated_older_files(model, tmp_path, zipped):
    torch.save({"epoch": 3, "model_pos": model.state_dict()}, tmp_path / "a.bin", _use_new_zipfile_serialization=zipped)
    content = (tmp_path / "a.bin").read_bytes()
    fresh = HyperLifter(CONFIG)
    read = lambda path: load_bin_weights(path, fresh)  # noqa: E731
    assert outcomes(read, tmp_path / "m.bin", mutants(content, 200, 1, 4000)) > 60
    if zipped:
        assert outcomes(read, tmp_path / "m.bin", mutants(content[-4000:], 40, 2)) > 20


@pytest.mark.parametrize(
    "content",
    [
        {"model_pos": {"a": 1}},
        {"model_pos": {3: torch.zeros(2)}},
        {"model_pos": {"a": torch.zeros(2, dtype=torch.complex64)}},
        {"model_pos": {"a": torch.zeros(2).to_sparse()}},
        {"model_pos": {"a": torch.zeros(2, device="meta")}},
        {"model_pos": []},
        {},
        [],
        3,
    ],
    ids=str,
)
def test_older_files_of_other_things(model, tmp_path, content):
    torch.save(content, tmp_path / "a.bin")
    refused(load_bin_weights, tmp_path / "a.bin", HyperLifter(CONFIG))


def test_a_packed_file_is_refused_with_its_numbers(tmp_path):
    torch.save({"model_pos": {"a": torch.zeros(10**6)}}, tmp_path / "a.bin")
    with (
        zipfile.ZipFile(tmp_path / "a.bin") as plain,
        zipfile.ZipFile(tmp_path / "b.bin", "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for member in plain.infolist():
            out.writestr(member.filename, plain.read(member))
    assert f"{(tmp_path / 'b.bin').stat().st_size:,} to 4,0" in refused(load_weights_only, tmp_path / "b.bin")


def test_a_deep_key_does_not_overflow_the_stack(tmp_path):
    deep = b"\x80\x02}" + b")" + b"\x85" * 200_000 + b"Ns."
    for name, content in (("legacy.bin", deep), ("zip.bin", None)):
        if content is None:
            with zipfile.ZipFile(tmp_path / name, "w") as archive:
                archive.writestr("a/data.pkl", deep)
                archive.writestr("a/version", "3\n")
        else:
            (tmp_path / name).write_bytes(
                b"".join(pickle.dumps(n, 2) for n in (0x1950A86A20F9469CFC6C, 1001, {})) + deep
            )
        assert "100 levels deep" in refused(load_weights_only, tmp_path / name)


@pytest.mark.parametrize("instruction", [b"B", b"X", b"T"])
def test_a_length_of_gigabytes_takes_no_memory(tmp_path, instruction):
    """BINBYTES, BINUNICODE and BINSTRING of 2 GB in a file of 20 bytes, as damage makes them."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x80\x02" + instruction + struct.pack("<i", 2_000_000_000) + b"some text.")
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"a\.bin: cannot be loaded as weights only"):
            load_weights_only(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


PAIR = b"(" + b"X\x01\x00\x00\x00aNl"


@pytest.mark.parametrize(
    ("function", "arguments", "calls", "words"),
    [
        (
            b"c_codecs\nencode\n",
            b"X\x00\x00\x10\x00" + b"a" * 2**20 + b"X\x06\x00\x00\x00latin1\x86",
            2000,
            "given more",
        ),
        # The memo holds the list from before it was filled.
        (b"ccollections\nOrderedDict\n", b"]q\x02(" + PAIR * 2**14 + b"e0h\x02\x85", 2000, "given more"),
        (b"c__builtin__\nbytearray\n", b"J\x00\x00\x00\x7f\x85", 1, "bytearray"),
    ],
)
def test_calls_take_no_memory_that_the_file_does_not_have(tmp_path, function, arguments, calls, words):
    content = b"\x80\x02" + function + b"q\x00" + arguments + b"q\x01(" + b"h\x00h\x01R" * calls + b"t\x87."
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
        archive.writestr("a/data.pkl", content)
        archive.writestr("a/version", "3\n")
    assert words in refused(load_weights_only, tmp_path / "a.bin")


def test_nobody_is_told_to_run_what_a_file_holds(tmp_path):
    torch.save({"model_pos": {}, "random": np.random.RandomState(0)}, tmp_path / "a.bin")
    message = refused(load_weights_only, tmp_path / "a.bin")
    assert "numpy.random" in message
    assert not any(word in message for word in ("can still be loaded", "add_safe_globals", "\N{REPLACEMENT CHARACTER}"))
