"""The options of the commands that make clip stores and measure detectors. Reading them imports neither NumPy nor
torch."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from hyperlift.choices import ClipFormat, UpAxis
from hyperlift.config.option import Nested, Option
from hyperlift.datasets.clip_plan import ClipPlan, ClipPlan3DHP
from hyperlift.errors import InputError

Changes = Annotated[
    tuple[str, ...],
    Option(
        "change keys of the YAML, such as model.depth=4 training.epochs=2; values are written as in YAML",
        flag="--set",
        metavar="KEY=VALUE",
        multiple=True,
    ),
]
_Source = partial(Option, group="motion capture")


@dataclass(frozen=True, kw_only=True)
class ConvertH36M:
    """Cut the Human3.6M pickle with stacked-hourglass detections into clips."""

    dt_root: Annotated[Path, Option("folder of the pickle", metavar="DIR")] = Path("data/motion3d/H36M-SH")
    dt_file: Annotated[str, Option("name of the pickle")] = "h36m_sh_conf_cam_source_final.pkl"
    plan: Annotated[ClipPlan, Nested()]
    clip_format: Annotated[ClipFormat, Option("pkl: the older one pickle a clip", flag="--format")] = "store"
    out: Annotated[Path, Option("folder in which train/ and test/ appear", metavar="DIR")] = Path(
        "data/motion3d/H36M-SH"
    )


@dataclass(frozen=True, kw_only=True)
class ConvertMPIINF3DHP:
    """Turn MPI-INF-3DHP into a clip store.

    It is read from data_train_3dhp.npz and data_test_3dhp.npz, or from the data set's own folders of .mat files.
    """

    dt_root: Annotated[Path, Option("folder of the files", metavar="DIR")] = Path("data/motion3d/MPI-INF-3DHP")
    train_file: Annotated[str, Option("name, or a folder with S1/Seq1/annot.mat")] = "data_train_3dhp.npz"
    test_file: Annotated[str, Option("name, or a folder with TS1/annot_data.mat")] = "data_test_3dhp.npz"
    plan: Annotated[ClipPlan3DHP, Nested()]
    out: Annotated[Path, Option("folder in which train/ and test/ appear", metavar="DIR")] = Path(
        "data/motion3d/MPI-INF-3DHP"
    )


@dataclass(frozen=True, kw_only=True)
class MotionSource:
    """Motion capture to film, and who of it is held out."""

    arrays: Annotated[
        tuple[Path, ...],
        _Source(
            "folders of index.json with its .npz archives; their splits train, val and test are put together",
            metavar="DIR",
            multiple=True,
            exclusive="source",
        ),
    ] = ()
    bvh: Annotated[Path | None, _Source("BVH files, in subfolders too", metavar="DIR", exclusive="source")] = None
    asfamc: Annotated[
        Path | None, _Source("ASF/AMC files as downloaded from the CMU database", metavar="DIR", exclusive="source")
    ] = None
    procedural: Annotated[int | None, _Source("N invented motions, which need no file", exclusive="source")] = None
    bvh_unit: Annotated[
        str, _Source("unit of BVH lengths: m, cm, mm, inch, cmu, or metres such as 0.01", metavar="UNIT")
    ] = "auto"
    bvh_up: Annotated[UpAxis, _Source("up axis of BVH files")] = "auto"
    joint_map: Annotated[
        Path | None, _Source("YAML of names in BVH files that are not known, such as LHip: Oberschenkel_L")
    ] = None
    amc_fps: Annotated[float, _Source("frame rate of AMC files", metavar="N")] = 120.0
    trials_csv: Annotated[
        Path | None, _Source("columns trial, description, fps: motion groups and frame rates of AMC files")
    ] = None
    val_subjects: Annotated[str, _Source("subjects held out of train as a split val", metavar="A,B")] = ""
    test_subjects: Annotated[str, _Source("subjects of the test split, where the source names none", metavar="A,B")] = (
        ""
    )
    workers: Annotated[int, _Source("processes that make clips; the bytes stay the same")] = 1

    @property
    def named(self) -> bool:
        """Whether there is motion to film."""
        return bool(self.arrays or self.bvh or self.asfamc or self.procedural is not None)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InputError(f"`workers` is {self.workers}; give at least 1")
        if self.procedural is not None and self.procedural < 2:
            raise InputError(f"`procedural` is {self.procedural}; give at least 2, the last tenth is the test split")


@dataclass(frozen=True, kw_only=True)
class ConvertMocap:
    """Film recorded motion with virtual cameras and a virtual detector; write a clip store.

    Every draw comes from --seed: the same seed gives the same bytes.
    """

    source: Annotated[MotionSource, Nested()]
    out: Annotated[Path, Option("folder of the new clip store; must not exist", metavar="DIR")]
    config: Annotated[Path | None, Option("YAML with any key of MocapStoreConfig, for the train split")] = None
    changes: Changes = ()
    n_frames: Annotated[int | None, Option("frames of a clip (default: 243)")] = None
    stride: Annotated[int | None, Option("frames from clip to clip, train (default: 81)")] = None
    views: Annotated[int | None, Option("cameras a recording, train (default: 2)")] = None
    view_frames: Annotated[int | None, Option("frames of a view, train; 0: whole recordings (default: 0)")] = None
    seed: Annotated[int | None, Option("of every draw (default: 0)")] = None

    def __post_init__(self) -> None:
        if not self.source.named:
            raise InputError("no motion is named; give `arrays`, `bvh`, `asfamc` or `procedural`")


@dataclass(frozen=True, kw_only=True)
class FitDetectorNoise:
    """Measure jitter, bursts, exchanged sides and confidence of a detector on keypoint files.

    The figures are those of the sections 'detectors' of configs/data/mocap_wild.yaml. Lengths are fractions of the
    person's standing height.
    """

    keypoints: Annotated[tuple[Path, ...], Option("keypoint files or folders of any tool", positional=True)]
    fps: Annotated[tuple[float, ...], Option("frame rate of each file, or one for all", metavar="N", multiple=True)]
