"""The options of the commands around networks: train, measure, look into, export. Reading them imports neither NumPy
nor torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

from hyperlift.choices import Mean, RelationBias, SinkName, Slicing
from hyperlift.cli.data_commands import Changes, MotionSource
from hyperlift.config.option import Nested, Option, numbers_from_0, size_in_pixels
from hyperlift.errors import InputError

VERSION = "2"
_VERSION = "method of the hyperedge attention; 2 (joint-to-hyperedge attention with a learned bias) is the only one"
_UNUSED = "accepted because older command lines name it; not used"
_Int8 = partial(Option, group="8-bit multiplications")
_Keypoints = partial(Option, group="keypoints of a detector")
_NUMBERS = "NUMBERS"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The YAML files of a run, and what is changed in them."""

    config: Annotated[Path | None, Option("YAML of the run, under configs/")] = None
    changes: Changes = ()
    hyper_cfg: Annotated[Path | None, Option("YAML of the hypergraph, under hyper_config/")] = None
    hyper_relation_bias: Annotated[
        RelationBias | None,
        Option("what the joint-relation bias starts from: the normalised skeleton (uniform) or the identity (none)"),
    ] = None
    version: Annotated[str, Option(f"of the network: {_VERSION}", metavar="N")] = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise InputError(f"`version` is {self.version}: {_VERSION}; give 2")
        if self.changes and self.config is None:
            raise InputError("`changes`: keys of a configuration; name it with `config`")


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a lifter; the run folder gets checkpoints and a log."""

    network: Annotated[Configuration, Nested(required=("config",))]
    checkpoint: Annotated[Path | None, Option("folder of the run (default: checkpoint/pose3d/NAME)", metavar="DIR")] = (
        None
    )
    resume: Annotated[Path | None, Option("last.resume.pt of the run to go on with", aliases=("-r",))] = None
    pretrained: Annotated[
        tuple[Path, ...],
        Option(
            "checkpoint to start from; wants finetune: true. Twice, a frame lifter (depth 0) and a network without "
            "one: start as their mean",
            aliases=("-p",),
        ),
    ] = ()
    data: Annotated[Path | None, Option("folder of the clips, in place of data.root of the config", metavar="DIR")] = (
        None
    )
    preload: Annotated[bool, Option("read the clip stores into memory first")] = False
    seed: Annotated[int, Option("of weights, order of clips, flips, stochastic depth", default_text="0")] = 0
    device: Annotated[str | None, Option("cpu or cuda (default: cuda where there is one)")] = None
    threads: Annotated[int | None, Option("CPU threads (default: all cores)")] = None
    log: Annotated[tuple[SinkName, ...], Option("also log to TensorBoard or Weights & Biases; may be repeated")] = ()
    progress: Annotated[bool, Option("show a progress bar")] = True


@dataclass(frozen=True, kw_only=True)
class Distill:
    """Train a small lifter (student) from a large one (teacher).

    --set changes keys of --config, and with distillation. before them those of --distill-cfg.
    """

    train: Annotated[Train, Nested()]
    distill_cfg: Annotated[Path, Option("YAML of the distillation, under distill_config/")]
    teacher: Annotated[Path | None, Option("checkpoint, in place of the one in the YAML")] = None


@dataclass(frozen=True, kw_only=True)
class TrainWild:
    """Make clips from motion capture, train a lifter on them, export, measure, draw and describe it.

    A step whose output is newer than its inputs is skipped: start the same command again to go on. --set changes keys
    of CONFIG, and with recipe. before them those of the recipe of the clips.
    """

    config: Annotated[Path, Option("YAML of the run, such as configs/wild/small.yaml", positional=True)]
    changes: Changes = ()
    out: Annotated[
        Path | None,
        Option(
            "run folder (default: checkpoint/pose3d/NAME); stages before it lie beside it, by their names",
            metavar="DIR",
        ),
    ] = None
    source: Annotated[MotionSource, Nested()]
    store: Annotated[Path | None, Option("clip store, in place of data.root of the config", metavar="DIR")] = None
    data_config: Annotated[
        Path | None,
        Option("recipe of the clips (default: configs/data/STORE.yaml, else configs/data/mocap_wild.yaml)"),
    ] = None
    views: Annotated[int | None, Option("cameras that see each moment (default: the recipe's)")] = None
    processes: Annotated[int, Option("processes that train, a GPU each")] = 1
    distill_cfg: Annotated[Path | None, Option("YAML of a distillation, under distill_config/")] = None
    teacher: Annotated[Path | None, Option("its teacher, in place of the one in the YAML")] = None
    pretrained: Annotated[tuple[Path, ...], Option("checkpoint to start from, in place of stages")] = ()
    bench: Annotated[Path | None, Option("benchmark file to measure on as well", metavar="FILE.npz")] = None
    seed: Annotated[int, Option("of the training", default_text="0")] = 0
    device: Annotated[str | None, Option("cpu or cuda (default: cuda where there is one)")] = None
    threads: Annotated[int | None, Option("CPU threads of the training (default: all cores)")] = None
    progress: Annotated[bool, Option("show a progress bar")] = True


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score a lifter by the Human3.6M or MPI-INF-3DHP protocol on a clip store, or on a benchmark file.

    --config and --hyper-cfg are needed for older .bin files only; a contradiction is an error.
    """

    checkpoint: Annotated[Path | None, Option(_UNUSED, metavar="DIR")] = None
    network: Annotated[Configuration, Nested()] = field(default_factory=Configuration)
    weights: Annotated[
        Path | None,
        Option("weights to score", flag="--evaluate", metavar="CHECKPOINT", exclusive="lifter", one_required=True),
    ] = None
    onnx: Annotated[Path | None, Option("ONNX lifter to score", exclusive="lifter", one_required=True)] = None
    data: Annotated[Path | None, Option("clip store (default: the run's own data)", metavar="FOLDER")] = None
    protocol: Annotated[
        str,
        Option(
            "h36m, mocap, mpi_inf_3dhp; data: what fits the data; all: that in both slicings, with and without flip "
            "and the excluded sequences, side by side",
        ),
    ] = "data"
    slicing: Annotated[Slicing | None, Option("cut of the test videos (default: the store's own)")] = None
    mean: Annotated[Mean | None, Option("what the mean is over (default: the protocol's own)")] = None
    all_sequences: Annotated[bool, Option("score the excluded sequences too")] = False
    flip: Annotated[bool, Option("average with the mirrored input's mirrored output")] = True
    bench: Annotated[Path | None, Option("score on a benchmark file instead", metavar="FILE.npz")] = None
    leave_out: Annotated[str, Option("with --bench: joints whose truth was not measured", metavar="JOINT,…")] = ""
    save: Annotated[Path | None, Option("with --bench: write the predictions", metavar="PRED.npz")] = None
    json: Annotated[Path | None, Option("write the result as JSON")] = None
    device: Annotated[str | None, Option("cpu or cuda (default: cuda where there is one)")] = None

    def __post_init__(self) -> None:
        if (self.weights is None) == (self.onnx is None):
            raise InputError("give a lifter to score: either `weights` or `onnx`")


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Draw what a lifter attends to: joints, hyperedges and frames.

    Numbers are written 0,2,5-8. Without --data or --keypoints the run's own clips are taken where they lie in place,
    else an invented walk. --config and --hyper-cfg are needed for older .bin files only; a contradiction is an error.
    """

    weights: Annotated[Path, Option("weights to look into", flag="--evaluate", metavar="CHECKPOINT")]
    checkpoint: Annotated[Path | None, Option(_UNUSED, metavar="DIR")] = None
    network: Annotated[Configuration, Nested()] = field(default_factory=Configuration)
    layers: Annotated[
        Sequence[int] | None, Option("layers from 0 (default: all)", metavar=_NUMBERS, parse=numbers_from_0)
    ] = None
    heads: Annotated[
        Sequence[int] | None, Option("attention heads from 0 (default: all)", metavar=_NUMBERS, parse=numbers_from_0)
    ] = None
    frames: Annotated[
        Sequence[int] | None,
        Option("frames of the clip that look, from 0 (default: all)", metavar=_NUMBERS, parse=numbers_from_0),
    ] = None
    data: Annotated[
        Path | None,
        Option("clip store, or one split of it (default: the run's own)", metavar="FOLDER", exclusive="clip"),
    ] = None
    clip: Annotated[int, Option("number of the clip of the store", default_text="0")] = 0
    out: Annotated[Path | None, Option("a new folder (default: vis_data/<name of the lifter>)", metavar="DIR")] = None
    keypoints: Annotated[Path | None, Option("keypoints of a detector", metavar="FILE|FOLDER", exclusive="clip")] = None
    picture_size: Annotated[
        tuple[int, int] | None,
        _Keypoints("pixels of the video, such as 1920x1080", flag="--video-size", metavar="WxH", parse=size_in_pixels),
    ] = None
    fps: Annotated[float | None, _Keypoints("frames a second of the video", metavar="N")] = None
    person: Annotated[int | None, _Keypoints("whom (default: the one seen longest)", metavar="ID")] = None
    start: Annotated[int, _Keypoints("first frame", metavar="FRAME", default_text="0")] = 0


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a lifter as ONNX and compare it with torch.

    --config and --hyper-cfg are needed for older .bin checkpoints only; a contradiction is an error.
    """

    weights: Annotated[Path, Option("weights to export", flag="--evaluate", metavar="CHECKPOINT")]
    out: Annotated[Path, Option("the file to write", flag="--deployment", metavar="OUT.onnx")]
    checkpoint: Annotated[Path | None, Option(_UNUSED, metavar="DIR")] = None
    network: Annotated[Configuration, Nested()] = field(default_factory=Configuration)
    stream: Annotated[bool, Option("of a streaming lifter: one frame, its cache as inputs and outputs")] = False
    int8: Annotated[bool, _Int8("also write OUT-int8.onnx and a report, OUT-int8.json")] = False
    calibration: Annotated[
        Path | None,
        _Int8(
            "clips to fit and compare on: a clip store, an .npz or a keypoint file (default: procedural motions)",
            metavar="KEYPOINTS",
        ),
    ] = None
    picture_size: Annotated[
        tuple[int, int] | None,
        _Int8(
            "pixels of the video of a calibration keypoint file",
            flag="--video-size",
            metavar="WxH",
            parse=size_in_pixels,
        ),
    ] = None
    fps: Annotated[
        float | None, _Int8("of the video of a calibration keypoint file (default: the lifter's)", metavar="N")
    ] = None
    max_int8_error_mm: Annotated[
        float, _Int8("write nothing where int8 joints lie further from fp32 joints on average", metavar="MM")
    ] = 5.0
    keep_fp32: Annotated[
        str,
        _Int8(
            "multiplications that stay in fp32, by name with commas; auto: those that cost most accuracy",
            metavar="auto|none|NODES",
        ),
    ] = "auto"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Write a model card from a checkpoint, the clips it was trained on and its scores.

    No figure is typed by hand: scores come from evaluate --json.
    """

    weights: Annotated[Path, Option(".safetensors of the run", flag="--evaluate", metavar="CHECKPOINT")]
    data: Annotated[Path, Option("the clip store of the run", metavar="FOLDER")]
    out: Annotated[Path, Option("the card; replaced if it is there", metavar="FILE.md")]
    before: Annotated[tuple[Path, ...], Option("run folder it went on from; may be repeated", metavar="RUN")] = ()
    scores: Annotated[tuple[Path, ...], Option("scores of evaluate; may be repeated", metavar="FILE.json")] = ()
    onnx: Annotated[Path | None, Option("the exported file, for its size")] = None
    log: Annotated[Path | None, Option("log.jsonl of the run (default: beside the checkpoint)")] = None
    notes: Annotated[Path | None, Option("further known failures, a line each")] = None
    name: Annotated[str | None, Option("name of the lifter on the card (default: the checkpoint's)")] = None


@dataclass(frozen=True, kw_only=True)
class DrawCurves:
    """Draw loss, validation and learning rate of a run, or of several one after the other."""

    runs: Annotated[tuple[Path, ...], Option("run folder (or its log.jsonl), in order", positional=True, metavar="RUN")]
    out: Annotated[Path, Option("replaced if it is there", metavar="FILE.png")]
