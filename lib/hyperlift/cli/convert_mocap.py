"""``hyperlift convert-mocap``: motion capture to a clip store through virtual cameras."""

import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hyperlift.cli.app import log_to_stderr, say
from hyperlift.cli.data_commands import ConvertMocap, MotionSource
from hyperlift.config.loader import load_config, load_yaml
from hyperlift.errors import InputError, quoted
from hyperlift.files.atomic import atomic_folder
from hyperlift.mocap.arrays import mocap_splits, read_mocap_arrays
from hyperlift.mocap.augmentation.motion_variation import MotionVariation
from hyperlift.mocap.collection import Collection, CollectionFormat, FileKind, read_collection
from hyperlift.mocap.credits import CMU_CREDIT, credit_of
from hyperlift.mocap.mocap_clips import MocapStoreConfig, write_mocap_split
from hyperlift.mocap.motion_checks import plausible_parts
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.recording import Recording
from hyperlift.mocap.recording_store import RecordingStore, StoredRecording
from hyperlift.skeletons.joint_sets import H36M_25


def main(options: ConvertMocap) -> int:
    """Run the command; returns its exit code."""
    config = load_config(options.config, MocapStoreConfig, options.changes)
    given = {key: getattr(options, key) for key in ("n_frames", "stride", "views", "view_frames", "seed")}
    config = dataclasses.replace(config, **{key: value for key, value in given.items() if value is not None})
    convert(options.source, config, options.out, options.seed or 0)
    return 0


def convert(source: MotionSource, config: MocapStoreConfig, out: Path, procedural_seed: int = 0) -> None:
    """Write the clip store of a source and print a summary.

    Args:
        source: names its motion.
        config: of the train split; held-out splits take what they have in common from it.
        out: a new folder.
        procedural_seed: of invented motions.

    Raises:
        InputError: something is missing or broken, or a subject is unknown.
    """
    log_to_stderr(ConvertMocap, logging.WARNING)
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
    with atomic_folder(out) as folder, TemporaryDirectory(prefix=".motions.", dir=folder) as shelf:
        read = read_source(source, config, Path(shelf) / "joints.f32", procedural_seed)
        for split, recordings in read.splits.items():
            split_config = config if split == "train" else held_out
            credit = read.credit or credit_of(one.dataset for one in _facts(recordings))
            clips = write_mocap_split(folder / split, recordings, split_config, read.name, credit, source.workers)
            say(f"{out / split}: {clips} clips of {config.n_frames} frames from {len(recordings)} recordings")
    if read.collection and read.collection.skipped:
        print(f"left out {len(read.collection.skipped)} of {read.collection.files} files:")
        for entry in read.collection.skipped:
            say(f"  {entry.reason}")


Recordings = list[Recording] | RecordingStore


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Where clips come from."""

    splits: dict[str, Recordings]
    name: str
    credit: str = ""
    """The data's credit line, where the recordings do not say from which data set they are."""
    collection: Collection | None = None
    """Files that were read and skipped, for a folder of motion files."""


def read_source(source: MotionSource, config: MocapStoreConfig, shelf: Path, procedural_seed: int) -> Source:
    """The recordings of each split.

    Args:
        source: names them.
        config: of the train split.
        shelf: file to keep the recordings of a folder in.
        procedural_seed: of invented motions.

    Raises:
        InputError: something is missing or broken, or a subject is unknown.
    """
    if source.arrays:
        splits = _held_out(_read_arrays(source.arrays, config), source)
        datasets = ", ".join(sorted({one.dataset for one in _facts(splits["train"])}))
        return Source(splits=splits, name=f"motion capture of {datasets} (arrays)")
    if source.procedural is not None:
        invented = procedural_recordings(source.procedural, seconds=12.0, seed=procedural_seed)
        tests = max(1, source.procedural // 10)
        return Source(splits={"train": invented[:-tests], "test": invented[-tests:]}, name="procedural motion")
    kind: FileKind = "bvh" if source.bvh else "asfamc"
    folder = source.bvh or source.asfamc
    assert folder is not None, "the options ask for a source"
    form = CollectionFormat(
        kind=kind,
        bvh_unit=source.bvh_unit,
        bvh_up=source.bvh_up,
        joint_map=_joint_map(source.joint_map),
        amc_fps=source.amc_fps,
        trials_csv=source.trials_csv,
        highest_fps=2 * config.fps,
    )
    collection = read_collection(folder, form, shelf, source.workers)
    splits = _held_out({"train": collection.recordings}, source)
    credit = CMU_CREDIT if kind == "asfamc" else ""
    return Source(splits=splits, name=f"{kind} files", credit=credit, collection=collection)


def _joint_map(file: Path | None) -> dict[str, str]:
    """The names of joints in the files, by our names."""
    names = {} if file is None else load_yaml(file)
    wrong = [joint for joint, name in names.items() if not isinstance(name, str)]
    if wrong:
        raise InputError(
            f"{file}: {wrong[0]} is {quoted(names[wrong[0]])}; expected the name of a joint in the BVH file"
        )
    return names


def _read_arrays(folders: Sequence[Path], config: MocapStoreConfig) -> dict[str, Recordings]:
    """The merged splits of several folders, without recordings of weight 0.

    Raises:
        InputError: a folder does not fit, two recordings have one name, or a person to be measured is trained on.
    """
    unwanted = [name for name, weight in config.dataset_weights.items() if not weight]
    splits: dict[str, list[Recording]] = {}
    for folder in folders:
        for split in mocap_splits(folder):
            leave_out = unwanted if split == "train" else ()
            recordings = read_mocap_arrays(folder, split, leave_out, extremities=config.skeleton == H36M_25.name)
            splits.setdefault(split, []).extend(part for one in recordings for part in plausible_parts(one))
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


def _facts(recordings: Recordings) -> Sequence[Recording | StoredRecording]:
    """Facts of recordings, without reading their joints."""
    return recordings.entries if isinstance(recordings, RecordingStore) else recordings


def _held_out(splits: dict[str, Recordings], source: MotionSource) -> dict[str, Recordings]:
    return _hold_out(_hold_out(splits, source.val_subjects, "val"), source.test_subjects, "test")


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
    if isinstance(train, RecordingStore):
        held = RecordingStore(train.path, [entry for entry in train.entries if entry.subject in wanted])
        kept = RecordingStore(train.path, [entry for entry in train.entries if entry.subject not in wanted])
        return {**splits, "train": kept, name: held}
    return {
        **splits,
        "train": [recording for recording in train if recording.subject not in wanted],
        name: [*splits.get(name, ()), *(recording for recording in train if recording.subject in wanted)],
    }
