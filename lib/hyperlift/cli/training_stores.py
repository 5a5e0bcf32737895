"""Clip stores of training runs, made from recipes."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hyperlift.cli import convert_mocap
from hyperlift.cli.data_commands import MotionSource
from hyperlift.cli.run_config import changes_by_file
from hyperlift.cli.training_commands import TrainWild
from hyperlift.config.loader import from_mapping, load_config, to_mapping
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.errors import InputError
from hyperlift.mocap.mocap_clips import MocapStoreConfig
from hyperlift.training.config import RunConfig

RECIPES = Path("configs/data")
DEFAULT_RECIPE = RECIPES / "mocap_wild.yaml"
"""Of a ``data.root`` whose name is that of no recipe."""

# A clip starts every third of its length, and a view has room for three clips (configs/data/mocap_wild.yaml).
_STRIDES_A_CLIP = 3
_STRIDES_A_VIEW = 5
"""Strides in a view: three clips of three strides, each starting one stride after the other."""


@dataclass(frozen=True, kw_only=True)
class WantedStore:
    """A clip store for training."""

    folder: Path
    recipe_file: Path | None
    """None: the store exists, and has no recipe."""
    recipe: MocapStoreConfig | None
    """What the file says, cut to the length that the networks want."""
    train: str
    """Split for training."""
    splits: frozenset[str]
    """Required splits."""

    @property
    def nature(self) -> str:
        """Properties that stores of one training must share."""
        if self.folder.exists():
            meta = ClipStore(self.folder / self.train).meta
            return f"{meta.skeleton} in clips of {meta.n_frames} at {meta.fps:g} frames a second"
        assert self.recipe is not None
        return f"{self.recipe.skeleton} in clips of {self.recipe.n_frames} at {self.recipe.fps:g} frames a second"


def recipe_of(store: Path) -> Path | None:
    """The recipe with the name of a store; None if there is none.

    ``mocap-wild``, and ``mocap-wild-243`` for clips of another length, are made by ``configs/data/mocap_wild.yaml``.
    """
    names = (store.name, re.sub(r"-\d+$", "", store.name))
    files = (RECIPES / f"{name.replace('-', '_')}.yaml" for name in names)
    return next((file for file in files if file.is_file()), None)


def wanted_stores(options: TrainWild, root: Path, runs: Sequence[RunConfig]) -> list[WantedStore]:
    """The distinct stores of runs, that of the last run's ``data.root`` first.

    Args:
        options: of the command.
        root: stands for the ``data.root`` of the last run.
        runs: that are trained one after the other.

    Raises:
        InputError: a store neither exists nor has a recipe, does not match its recipe, or differs from the others.
    """
    last = runs[-1]
    splits: dict[Path, set[str]] = {}
    for run in reversed(runs):
        for folder, needed in _named_by(run, last, root):
            splits.setdefault(folder, set()).update(needed)
    splits[root].add("test")
    stores = []
    for folder, needed in splits.items():
        recipe_file = recipe_of(folder)
        if folder == root:
            recipe_file = options.data_config or recipe_of(last.data.root) or DEFAULT_RECIPE
        if recipe_file is None and not folder.exists():
            raise InputError(
                f"{folder}: there are no clips, and no recipe {RECIPES / folder.name.replace('-', '_')}.yaml to make "
                "them by; write one, or name another store"
            )
        recipe = None if recipe_file is None else _clip_recipe(recipe_file, last.model.n_frames, options)
        store = WantedStore(
            folder=folder, recipe_file=recipe_file, recipe=recipe, train=last.data.train, splits=frozenset(needed)
        )
        if folder.exists():
            check_store(store)
        stores.append(store)
    natures = [store.nature for store in stores]
    if len(set(natures)) > 1:
        listed = "; ".join(f"{store.folder} has {nature}" for store, nature in zip(stores, natures, strict=True))
        raise InputError(f"clips that are trained on together must be alike: {listed}; convert them alike")
    return stores


def make_store(source: MotionSource, store: WantedStore) -> None:
    """Make a missing store.

    Raises:
        InputError: the source of motion is missing or invalid.
    """
    if not source.named:
        raise InputError(
            f"{store.folder}: there are no clips; give their source: `arrays`, `asfamc`, `bvh` or `procedural`"
        )
    assert store.recipe is not None
    convert_mocap.convert(source, store.recipe, store.folder)


def check_store(store: WantedStore) -> None:
    """Check the splits and the recipe of a store.

    Raises:
        InputError: a split is missing, or the training clips were made by another recipe.
    """
    for split in sorted(store.splits):
        if not (store.folder / split / "meta.json").is_file():
            raise InputError(
                f"{store.folder}: has no split {split!r}; make it again with `val_subjects` and `test_subjects`, "
                "or name another store"
            )
        ClipStore(store.folder / split)
    if store.recipe is None:
        return
    train_split = store.folder / store.train
    made_by = ClipStore(train_split).meta.details.get("mocap")
    if made_by is None:
        raise InputError(f"{train_split}: was not made by convert-mocap; name another store")
    # Keys that are newer than the store have their defaults.
    theirs = to_mapping(from_mapping(made_by, MocapStoreConfig, f"{train_split / 'meta.json'}"))
    ours = to_mapping(store.recipe)
    differing = sorted(key for key in ours if theirs[key] != ours[key])
    if differing:
        raise InputError(
            f"{store.folder}: was made by another recipe than {store.recipe_file} ({', '.join(differing)} differ); "
            "name another store or recipe, or remove this store to make it again"
        )


def _named_by(run: RunConfig, last: RunConfig, store: Path) -> Iterator[tuple[Path, set[str]]]:
    root = store if run.data.root == last.data.root else run.data.root
    yield root, {run.data.train, *filter(None, [run.data.validation])}
    for more in run.data.more:
        yield more, {run.data.train}


def _clip_recipe(file: Path, n_frames: int, options: TrainWild) -> MocapStoreConfig:
    """A recipe, cut to the length that the network wants."""
    recipe = load_config(file, MocapStoreConfig, changes_by_file(options.changes, "recipe")[1])
    if recipe.n_frames != n_frames:
        stride = max(n_frames // _STRIDES_A_CLIP, 1)
        view_frames = max(_STRIDES_A_VIEW * stride, n_frames) if recipe.view_frames else 0
        recipe = dataclasses.replace(recipe, n_frames=n_frames, stride=stride, view_frames=view_frames)
    return dataclasses.replace(recipe, views=options.views) if options.views else recipe
