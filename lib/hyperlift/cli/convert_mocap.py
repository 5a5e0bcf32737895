"""Motion capture to a clip store through virtual cameras."""

import argparse
import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from hyperlift.cli.app import guarded, log_to_stderr, say
from hyperlift.config import load_config
from hyperlift.data.mocap_store import MocapStoreConfig, write_mocap_split
from hyperlift.data.motion.bvh import Unit, UpAxis
from hyperlift.data.motion.collection import Collection, CollectionFormat, FileKind, read_collection
from hyperlift.data.motion.credits import CMU_CREDIT, credit_of
from hyperlift.data.motion.mocap_arrays import mocap_splits, read_mocap_arrays
from hyperlift.data.motion.procedural import procedural_recordings
from hyperlift.data.motion.recording import Recording
from hyperlift.data.motion.shelf import RecordingShelf, ShelfEntry
from hyperlift.data.variation import MotionVariation
from hyperlift.errors import InputError
from hyperlift.files import atomic_folder
from hyperlift.skeletons import H36M_25


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = argparse.ArgumentParser(
        description="Film recorded motion with virtual cameras and a virtual detector; write a clip store.",
        epilog="Every draw comes from --seed: the same seed gives the same bytes.",
    )
    source = arguments.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--arrays",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="folders of index.json with its .npz archives; their splits train, val and test are put together",
    )
    source.add_argument("--bvh", type=Path, metavar="DIR", help="BVH files, in subfolders too")
    source.add_argument("--asfamc", type=Path, metavar="DIR", help="ASF/AMC files as downloaded from the CMU database")
    source.add_argument("--procedural", type=int, metavar="N", help="N invented motions; needs no file at all")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the new clip store; must not exist")
    arguments.add_argument("--config", type=Path, help="YAML with any key of MocapStoreConfig, for the train split")
    arguments.add_argument("--n_frames", type=int, help="frames of a clip (243)")
    arguments.add_argument("--stride", type=int, help="frames from clip to clip, train (81)")
    arguments.add_argument("--views", type=int, help="cameras a recording, train (2)")
    arguments.add_argument("--view_frames", type=int, help="frames of a view, train; 0: whole recordings (0)")
    arguments.add_argument("--seed", type=int, help="(0)")
    arguments.add_argument("--workers", type=int, default=1, help="processes (%(default)s); the bytes stay the same")
    arguments.add_argument("--bvh_unit", default="auto", choices=get_args(Unit), help="unit of BVH lengths (auto)")
    arguments.add_argument("--bvh_up", default="auto", choices=get_args(UpAxis), help="up axis of BVH files (auto)")
    arguments.add_argument("--amc_fps", type=float, default=120.0, help="frame rate of AMC files (%(default)s)")
    arguments.add_argument(
        "--trials_csv",
        type=Path,
        help="columns trial, description, fps: motion groups and frame rates of AMC files",
    )
    arguments.add_argument(
        "--val_subjects", default="", metavar="A,B", help="subjects held out of train as a split val"
    )
    arguments.add_argument(
        "--test_subjects",
        default="",
        metavar="A,B",
        help="subjects of the test split, where the source names none",
    )
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = parser().parse_args(argv)
    log_to_stderr(logging.WARNING)
    if args.workers < 1:
        raise InputError(f"--workers {args.workers}: give at least 1")
    config = load_config(args.config, MocapStoreConfig) if args.config else MocapStoreConfig()
    given = {key: getattr(args, key) for key in ("n_frames", "stride", "views", "view_frames", "seed")}
    config = dataclasses.replace(config, **{key: value for key, value in given.items() if value is not None})
    # Held-out splits keep the recorded bodies and motions, film each motion twice and lose no frame.
    held_out = dataclasses.replace(
        config,
        stride=config.n_frames,
        views=2,
        balance=0.0,
        view_frames=0,
        proportions=0.0,
        hip_width=(1.0, 1.0),
        shoulder_width=(1.0, 1.0),
        variation=MotionVariation(),
        slicing="complete",
        ground_truth=True,
    )
    with atomic_folder(args.out) as folder, TemporaryDirectory(prefix=".motions.", dir=folder) as shelf:
        source = read_source(args, config, Path(shelf) / "joints.f32")
        for split, recordings in source.splits.items():
            split_config = config if split == "train" else held_out
            credit = source.credit or credit_of(one.dataset for one in _facts(recordings))
            clips = write_mocap_split(folder / split, recordings, split_config, source.name, credit, args.workers)
            say(f"{args.out / split}: {clips} clips of {config.n_frames} frames from {len(recordings)} recordings")
    if source.collection and source.collection.skipped:
        skipped = source.collection.skipped
        print(f"left out {len(skipped)} of {source.collection.files} files:")
        for entry in skipped:
            say(f"  {entry.reason}")
    return 0


Recordings = list[Recording] | RecordingShelf


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Where clips come from."""

    splits: dict[str, Recordings]
    name: str
    credit: str = ""
    """The data's credit line, where the recordings do not say from which data set they are."""
    collection: Collection | None = None
    """What was read and left out, where the source is a folder of motion files."""


def read_source(args: argparse.Namespace, config: MocapStoreConfig, shelf: Path) -> Source:
    """The recordings of each split.

    Args:
        args: of ``parser``.
        config: of the train split.
        shelf: file to keep the recordings of a folder in.

    Raises:
        InputError: something is missing or broken, or a subject is unknown.
    """
    if args.arrays:
        recordings = _read_arrays(args.arrays, config)
        splits = _hold_out(_hold_out(recordings, args.val_subjects, "val"), args.test_subjects, "test")
        datasets = ", ".join(sorted({one.dataset for one in splits["train"]}))
        return Source(splits=splits, name=f"motion capture of {datasets} (arrays)")
    if args.procedural is not None:
        count = args.procedural
        if count < 2:
            raise InputError(f"--procedural {count}: give at least 2, the last tenth becomes the test split")
        invented = procedural_recordings(count, seconds=12.0, seed=args.seed or 0)
        tests = max(1, count // 10)
        return Source(splits={"train": invented[:-tests], "test": invented[-tests:]}, name="procedural motion")
    kind: FileKind = "bvh" if args.bvh else "asfamc"
    form = CollectionFormat(
        kind=kind,
        bvh_unit=args.bvh_unit,
        bvh_up=args.bvh_up,
        amc_fps=args.amc_fps,
        trials_csv=args.trials_csv,
        highest_fps=2 * config.fps,
    )
    collection = read_collection(args.bvh or args.asfamc, form, shelf, args.workers)
    splits = _hold_out(
        _hold_out({"train": collection.recordings}, args.val_subjects, "val"), args.test_subjects, "test"
    )
    credit = CMU_CREDIT if kind == "asfamc" else ""
    return Source(splits=splits, name=f"{kind} files", credit=credit, collection=collection)


def _read_arrays(folders: Sequence[Path], config: MocapStoreConfig) -> dict[str, Recordings]:
    """The splits of several folders put together, without what has weight 0 in training.

    Raises:
        InputError: a folder does not fit, two recordings have one name, or a person to be measured is trained on.
    """
    unwanted = [name for name, weight in config.dataset_weights.items() if not weight]
    splits: dict[str, list[Recording]] = {}
    for folder in folders:
        for split in mocap_splits(folder):
            leave_out = unwanted if split == "train" else ()
            recordings = read_mocap_arrays(folder, split, leave_out, extremities=config.skeleton == H36M_25.name)
            splits.setdefault(split, []).extend(recordings)
    listed = ", ".join(map(str, folders))
    if not splits.get("train"):
        raise InputError(f"{listed}: there is nothing to train on; give a folder with a split train")
    for split, recordings in splits.items():
        twice = [name for name, count in Counter(one.name for one in recordings).items() if count > 1]
        if twice:
            raise InputError(f"{listed}: several recordings of split {split} are called {twice[0]}; give each one once")
    trained = {(one.dataset, one.subject) for one in splits["train"]}
    for split in splits.keys() - {"train"}:
        both = sorted({(one.dataset, one.subject) for one in splits[split]} & trained)
        if both:
            raise InputError(f"{listed}: {' '.join(both[0])} is in train and in {split}; hold out whom you measure on")
    return dict(splits)


def _facts(recordings: Recordings) -> Sequence[Recording | ShelfEntry]:
    """What is known of recordings without reading their joints."""
    return recordings.entries if isinstance(recordings, RecordingShelf) else recordings


def _hold_out(splits: dict[str, Recordings], subjects: str, name: str) -> dict[str, Recordings]:
    wanted = {subject.strip() for subject in subjects.split(",") if subject.strip()}
    if not wanted:
        return splits
    train = splits["train"]
    known = {one.subject for one in _facts(train)}
    if wanted - known:
        raise InputError(f"unknown subjects {sorted(wanted - known)}; the source has {sorted(known)}")
    if not known - wanted:
        raise InputError(f"{name} would take all subjects, {sorted(known)}; leave some to train on")
    if isinstance(train, RecordingShelf):
        held = RecordingShelf(train.path, [entry for entry in train.entries if entry.subject in wanted])
        kept = RecordingShelf(train.path, [entry for entry in train.entries if entry.subject not in wanted])
        return {**splits, "train": kept, name: held}
    return {
        **splits,
        "train": [recording for recording in train if recording.subject not in wanted],
        name: [*splits.get(name, ()), *(recording for recording in train if recording.subject in wanted)],
    }
