"""The networks whose error is compared with their cost, by name."""

from dataclasses import dataclass, replace
from functools import partial

from network_cost import FRAMES
from pareto_speed import SEVERAL, cheaper
from short_runs import POSES, Contender, Recipe

from hyperlift.datasets.clips import Clips
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig

WINDOW, LR = 27, 1e-3
PLAIN = "plain transformer"
CONFIG = ModelConfig(
    channels=64, depth=4, heads=4, drop_path=0.0, n_frames=WINDOW, input_frame="person",
    foreshortening=(0.25, 0.4, 0.6, 0.9), label_space="camera",
)  # fmt: skip
COLOURS = {"one thing cheaper": "#1f5fbf", "several": "#7a3fa8", "frame lifter alone": "#c96a00", "both": "#1d7a3a"}


@dataclass(frozen=True)
class Network:
    """A network and how it is fed."""

    kind: str
    config: ModelConfig
    crop: int = WINDOW
    """Neighbouring frames of a clip; a step sees ``FRAMES`` frames of as many clips as that makes."""

    def contender(self, steps: int, clips: Clips) -> Contender:
        """For whole windows the loss is of their motion too."""
        loss = replace(POSES, velocity=2.0 if self.crop == WINDOW else 0.0)
        warmup = min(50, steps // 4 + 1)
        recipe = Recipe(steps=steps, clips=FRAMES // self.crop, lr=LR, warmup=warmup, crop=self.crop, loss=loss)
        return Contender(partial(HyperLifter, self.config), recipe, clips, WINDOW)


def networks() -> dict[str, Network]:
    """All, by name."""

    def frames(channels: int, at_once: int, neighbours: tuple[int, ...]) -> FrameLifterConfig:
        return FrameLifterConfig(channels=channels, depth=3, neighbours=neighbours, frames=at_once)

    found = {name: Network("one thing cheaper", config) for name, config in {PLAIN: CONFIG, **cheaper(CONFIG)}.items()}
    found["3 frames a token, hourglass, one block, narrow"] = Network("several", replace(CONFIG, **SEVERAL))
    for channels, at_once in ((128, 1), (256, 1), (512, 1), (256, 3), (512, 3), (1024, 3)):
        own = tuple(range(-(at_once // 2), at_once // 2 + 1))
        config = replace(CONFIG, depth=0, frame_lifter=frames(channels, at_once, own))
        found[f"frame lifter of {channels}, {at_once} at once"] = Network("frame lifter alone", config, crop=at_once)
    for at_once in (1, 3):
        config = replace(CONFIG, frame_patch=9, frame_lifter=frames(256, at_once, (-8, -3, -1, 0, 1, 3, 8)))
        found[f"9 frames a token after a frame lifter of 256, {at_once} at once"] = Network("both", config)
    return found
