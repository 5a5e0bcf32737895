"""The configuration of a training run, as the YAML files under ``configs/`` write it."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hyperlift.errors import InputError
from hyperlift.models.hyperlifter.lifter import ModelConfig
from hyperlift.training.pose_losses import LossWeights


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the clips lie."""

    root: Path
    """Folder of a clip store, or of older one-pickle-a-clip folders."""
    more: tuple[Path, ...] = ()
    """Folders whose ``train`` split is trained on as well, of the same kind. One that is named twice counts twice."""
    train: str = "train"
    """Split to train on, a folder below ``root``."""
    validation: str | None = "test"
    """Split to measure after every epoch, None for none."""
    flip: bool = True
    """Mirror training clips at random."""
    crop_frames: int | None = None
    """Train on as many neighbouring frames of every clip, from a random one on; None takes all of it. Frames of one
    clip resemble each other: short crops bring more different poses, and steps, for the same arithmetic."""
    gt_2d: bool = False
    """Feed exact projections with confidence 1 in place of detections."""
    fps: float | None = None
    """Frames a second that the clips must have; None takes what the clip store says. One-pickle-a-clip folders name no
    rate: there it is what they are taken to have, 25 where it is None."""
    credit: str = ""
    """Credit line of the data; it travels with the weights."""

    def __post_init__(self) -> None:
        if self.crop_frames is not None and self.crop_frames < 1:
            raise InputError(f"crop_frames is {self.crop_frames}; it must be at least 1")
        if self.fps is not None and self.fps <= 0:
            raise InputError(f"fps is {self.fps:g}; it must be positive")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the network is fitted."""

    epochs: int = 120
    batch_size: int = 4
    clips_per_epoch: int | None = None
    """Shorter epochs for large stores; every epoch draws other clips."""
    lr: float = 8.0e-5
    schedule: Literal["exponential", "cosine"] = "exponential"
    """Exponential: lr times ``lr_decay`` after every epoch. Cosine: down to zero at the last step."""
    lr_decay: float = 0.99
    warmup_steps: int = 0
    """Steps over which the learning rate rises linearly."""
    weight_decay: float = 0.01
    clip_gradient: float | None = None
    """Largest norm of the gradient."""
    ema: float | None = None
    """Decay a step of an exponential moving average of the weights; the average is what is measured and saved."""
    finetune: bool = False
    """Start from the weights of a checkpoint (``pretrained``) instead of from random ones."""
    after: tuple[Path, ...] = ()
    """Configurations of the runs whose best weights this one starts from: one, or a frame lifter and a network without
    one. ``hyperlift train-wild`` trains them first; wants ``finetune: true``."""
    hand_on: Literal["best", "last"] = "best"
    """Which weights a run that comes after starts from, and ``hyperlift train-wild`` exports: those with the lowest
    validation error, or the last ones. Few validation subjects tell little about the best epoch."""
    partial_train: tuple[str, ...] | None = None
    """Train only the parameters whose names begin with one of these, such as "head"; None trains all."""
    one_frame: bool = False
    """Lift one frame of every crop, a random one for each batch, so that every sample is a window of its own. For
    networks without transformer (``model.depth: 0``)."""
    accumulate: int = 1
    """Parts into which a batch is cut to save memory; the gradient is that of the whole batch."""
    compile: bool = False
    """torch.compile the network; the first step takes long."""
    amp: bool = True
    """bfloat16 autocast where the device is a GPU."""
    amp_on_cpu: Literal[False, True, "native"] = False
    """The same where the device is a CPU. native: where the CPU multiplies bfloat16 itself: wide networks train three
    times as fast (``docs/training.md``). On others it is slower than float32; true is for trying it out there."""
    validate_every: int = 1
    """Epochs between measurements."""

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
            raise InputError(f"after is {names}; a run that starts from another one's weights has finetune: true")

    def learning_rate(self, step: int, steps_per_epoch: int) -> float:
        """Of one step, counted from 0 over the whole run."""
        warmup = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        if self.schedule == "exponential":
            return self.lr * warmup * self.lr_decay ** (step // steps_per_epoch)
        progress = step / (self.epochs * steps_per_epoch)
        return self.lr * warmup * 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that defines a run, apart from its seed and folder."""

    name: str
    data: DataConfig
    model: ModelConfig
    training: TrainConfig
    loss: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        if self.training.one_frame and self.model.depth:
            raise InputError(f"one_frame wants a network without transformer; model.depth is {self.model.depth}, not 0")
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
