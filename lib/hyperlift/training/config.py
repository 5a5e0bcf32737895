"""Configuration of a training run; the YAML files under ``configs/`` fill it."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hyperlift.errors import InputError
from hyperlift.models.hyperlifter.lifter import ModelConfig
from hyperlift.training.pose_losses import LossWeights


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Training and validation clips."""

    root: Path
    """Folder of a clip store, or of an older data set with one pickle per clip."""
    more: tuple[Path, ...] = ()
    """Further folders of the same kind whose ``train`` split is used too. A folder listed twice counts twice."""
    train: str = "train"
    """Training split, a folder below ``root``."""
    validation: str | None = "test"
    """Validation split; None: no validation."""
    flip: bool = True
    """Mirror random training clips."""
    crop_frames: int | None = None
    """Train on this many consecutive frames of each clip, from a random start; None: all frames. Frames of one clip are
    similar, so short crops give more different poses, and more steps, per computation."""
    gt_2d: bool = False
    """Use exact projections with confidence 1 as input, instead of detections."""
    fps: float | None = None
    """Required frame rate of the clips; None: the rate of the clip store. Folders with one pickle per clip state no
    rate: there this is the assumed rate, 25 if None."""
    credit: str = ""
    """Credit line of the data, stored with the weights."""

    def __post_init__(self) -> None:
        if self.crop_frames is not None and self.crop_frames < 1:
            raise InputError(f"crop_frames is {self.crop_frames}; it must be at least 1")
        if self.fps is not None and self.fps <= 0:
            raise InputError(f"fps is {self.fps:g}; it must be positive")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Optimisation of the network."""

    epochs: int = 120
    batch_size: int = 4
    clips_per_epoch: int | None = None
    """Clips drawn per epoch; each epoch draws other clips. None: all clips."""
    lr: float = 8.0e-5
    schedule: Literal["exponential", "cosine"] = "exponential"
    """exponential: lr is multiplied by ``lr_decay`` after each epoch. cosine: lr falls to 0 at the last step."""
    lr_decay: float = 0.99
    warmup_steps: int = 0
    """Steps of linear warm-up of the learning rate."""
    weight_decay: float = 0.01
    clip_gradient: float | None = None
    """Maximum norm of the gradient; None: no clipping."""
    ema: float | None = None
    """Decay per step of an exponential moving average of the weights, which is then validated and saved."""
    finetune: bool = False
    """Initialise from a checkpoint (``pretrained``) instead of at random."""
    after: tuple[Path, ...] = ()
    """Configurations of the runs whose weights initialise this one: one run, or a frame lifter and a transformer.
    ``hyperlift train-wild`` trains them first. Requires ``finetune: true``."""
    hand_on: Literal["best", "last"] = "best"
    """Weights for later runs and for the export of ``hyperlift train-wild``: those of lowest validation error, or the
    last ones. With few validation subjects the choice of the best epoch is unreliable."""
    partial_train: tuple[str, ...] | None = None
    """Train only parameters whose names start with one of these, such as "head"; None: all."""
    one_frame: bool = False
    """Lift one random frame of each crop per batch, so that every sample is a window of its own. For networks without
    transformer (``model.depth: 0``)."""
    accumulate: int = 1
    """Split a batch into this many parts to save memory; the gradient is that of the whole batch."""
    compile: bool = False
    """Compile the network with torch.compile; the first step is slow."""
    amp: bool = True
    """bfloat16 autocast on a GPU."""
    amp_on_cpu: Literal[False, True, "native"] = False
    """bfloat16 autocast on a CPU. native: only if the CPU has bfloat16 instructions: wide networks then train three
    times as fast (``docs/training.md``). true: always, which is slower than float32 on other CPUs."""
    validate_every: int = 1
    """Epochs between validations."""

    def __post_init__(self) -> None:
        if (
            min(self.epochs, self.batch_size, self.validate_every, self.accumulate) < 1
            or (self.clips_per_epoch or 1) < 1
        ):
            raise InputError("epochs, batch_size, validate_every, accumulate and clips_per_epoch must be at least 1")
        if self.lr <= 0 or not 0 < self.lr_decay <= 1 or self.weight_decay < 0 or self.warmup_steps < 0:
            raise InputError("lr must be positive, lr_decay in (0, 1], weight_decay and warmup_steps not negative")
        if self.ema is not None and not 0 < self.ema < 1:
            raise InputError(f"ema is {self.ema}; it lies between 0 and 1")
        if self.after and not self.finetune:
            names = ", ".join(map(str, self.after))
            raise InputError(f"after is {names}; a run that starts from other weights needs finetune: true")

    def learning_rate(self, step: int, steps_per_epoch: int) -> float:
        """Learning rate of a step; steps count from 0 over the whole run."""
        warmup = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        if self.schedule == "exponential":
            return self.lr * warmup * self.lr_decay ** (step // steps_per_epoch)
        progress = step / (self.epochs * steps_per_epoch)
        return self.lr * warmup * 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Complete definition of a run, except its seed and folder."""

    name: str
    data: DataConfig
    model: ModelConfig
    training: TrainConfig
    loss: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        if self.training.one_frame and self.model.depth:
            raise InputError(f"one_frame needs a network without transformer; model.depth is {self.model.depth}, not 0")
        if bool(self.loss.uncertainty) != self.model.uncertainty:
            raise InputError(
                f"model.uncertainty is {str(self.model.uncertainty).lower()} and loss.uncertainty "
                f"{self.loss.uncertainty:g}; an uncertainty is trained by its loss: set both or none"
            )
        if bool(self.loss.extremities) != self.model.predicts_extremities:
            raise InputError(
                f"model.extremities is {self.model.extremities} and loss.extremities {self.loss.extremities:g}; feet "
                "and hands that are predicted have a loss of their own: set both or none"
            )
        crop = self.data.crop_frames
        lifted = 1 if self.model.frame_lifter is None else self.model.frame_lifter.frames
        if self.training.one_frame and (crop or self.model.n_frames) < lifted:
            raise InputError(f"data.crop_frames is {crop}; the frame lifter lifts {lifted} frames at once")
        if crop is not None and crop > self.model.n_frames:
            raise InputError(f"data.crop_frames is {crop}; clips have at most model.n_frames, {self.model.n_frames}")
