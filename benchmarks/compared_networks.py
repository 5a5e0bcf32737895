"""Our network, others, and ours with parts left out, by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from other_networks import PerFrameMlp, PlainTransformer, TemporalConvolutions
from short_runs import POSES, Contender, Recipe
from torch import nn

from hyperlift.contract import LabelSpace
from hyperlift.datasets.clips import Clips
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig

LABELS = HypergraphConfig(joint_label=(0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5))
NEIGHBOURS = (-12, -8, -5, -3, -1, 0, 1, 3, 5, 8, 12)
OURS = ModelConfig(
    channels=96, depth=3, heads=4, drop_path=0.0, n_frames=27, frame_patch=9,
    frame_lifter=FrameLifterConfig(channels=512, depth=3, neighbours=NEIGHBOURS), input_frame="person",
    foreshortening=(0.25, 0.4, 0.6, 0.9), label_space="camera", hypergraph=LABELS,
)  # fmt: skip
MOVING = replace(POSES, velocity=2.0)
TASKS = {
    "From random weights": Recipe(steps=300, clips=9, crop=27, loss=MOVING),
    "A trained network without one part, trained on": Recipe(steps=150, clips=8, crop=81, lr=3e-4, loss=MOVING),
    "Input and answer, by the per-frame part alone": Recipe(steps=400, clips=256, crop=1),
}
SCRATCH, ON, SINGLE = TASKS


@dataclass(frozen=True)
class Network:
    """A network, how it starts, what it does and the space that it answers in."""

    task: str
    make: Callable[[], nn.Module]
    space: LabelSpace = "camera"
    shape: float = 0.0
    """Weight of the error after the best similarity of every frame."""

    def contender(self, steps: int | None, clips: Clips) -> Contender:
        """``steps``: in place of those of the task."""
        task = TASKS[self.task]
        recipe = replace(task, steps=steps or task.steps, loss=replace(task.loss, similarity_aligned=self.shape))
        return Contender(self.make, recipe, clips, max(recipe.crop or 0, 27))


def ours(task: str, shape: float = 0.0, **changes: Any) -> Network:
    config = replace(OURS, **changes)
    return Network(task, lambda: HyperLifter(config), config.label_space, shape)


def networks(start: Path | None) -> dict[str, Network]:
    """All, by name; those of ``ON`` only where there is a network to go on from."""
    found = {
        "per-frame MLP": Network(SCRATCH, lambda: PerFrameMlp(512, 3)),
        "temporal convolutions": Network(SCRATCH, lambda: TemporalConvolutions(256)),
        "plain transformer": Network(SCRATCH, lambda: PlainTransformer(96, 3, 4, 27)),
        "HyperLift's transformer alone": ours(SCRATCH, frame_lifter=None),
        "HyperLift": ours(SCRATCH),
    }
    if start is not None:
        trained = load_checkpoint(start).model

        def without(**changes: Any) -> Network:
            config = replace(trained.config, hypergraph=replace(trained.config.hypergraph, **changes))
            return Network(ON, lambda: bent(trained, config), config.label_space)

        found |= {
            "whole": without(),
            "without the joint-relation bias": without(relation_term=False),
            "without q·e": without(query_term=False),
            "without w·e": without(bias_term=False),
            "every joint its own hyperedge": without(joint_label=tuple(range(17))),
        }
    told: dict[str, Any] = {"depth": 0, "frame_lifter": FrameLifterConfig(channels=512, depth=3)}
    alone: dict[str, Any] = told | {"foreshortening": ()}
    picture: dict[str, Any] = {"input_frame": "picture"}
    return found | {
        "from the person, in camera axes": ours(SINGLE, **alone),
        "… told how foreshortened bones are": ours(SINGLE, **told),
        "… and shape alone in the loss too": ours(SINGLE, **told, shape=1.0),
        "from the picture's centre, in camera axes": ours(SINGLE, **alone, **picture),
        "from the person, in picture space": ours(SINGLE, **alone, label_space="image"),
        "from the picture's centre, in picture space (Human3.6M)": ours(
            SINGLE, **alone, **picture, label_space="image"
        ),
    }


def bent(trained: HyperLifter, config: ModelConfig) -> HyperLifter:
    """A trained network with another hypergraph: it keeps every weight that still has a place."""
    model = HyperLifter(config)
    wanted = model.state_dict()
    for name, tensor in trained.state_dict().items():
        # Incidence is no weight: the model's own. Queries stand before values.
        if name in wanted and "membership" not in name:
            wanted[name] = tensor if tensor.shape == wanted[name].shape else tensor[-len(wanted[name]) :]
    model.load_state_dict(wanted)
    return model
