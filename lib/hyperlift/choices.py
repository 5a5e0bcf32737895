"""The accepted values of options and configuration keys, without importing what they select: ``--help`` starts fast."""

from typing import Literal

# Recordings.
OutputFormat = Literal["npz", "json", "csv"]
BodyFormat = Literal["bvh", "glb", "trc", "c3d"]
NodeNaming = Literal["plain", "mixamo"]
"""``plain``: names of the joints. ``mixamo``: names of Mixamo characters, for retargeting by name."""
Smoothing = Literal["one-euro", "savgol"]
DetectorName = Literal["movenet", "movenet-fast", "rtmlib"]
# fmt: off
KeypointFormat = Literal[
    "coco-results", "alphapose", "openpose", "mmpose", "coco-annotations", "ultralytics", "ultralytics-labels",
    "detectron", "videopose3d", "deeplabcut", "sleap", "ultralytics-csv", "long-table", "mediapipe", "array",
]
SkeletonName = Literal[
    "h36m17", "h36m25", "coco17", "coco18", "body19", "body25", "body25b", "openpose_mpi15", "halpe26",
    "halpe136", "coco_wholebody133", "mediapipe33", "mpii16", "mpi_inf_3dhp17",
]
# fmt: on

# Training and evaluation.
RelationBias = Literal["uniform", "none"]
SinkName = Literal["tensorboard", "wandb"]
Mean = Literal["frame", "action"]
Slicing = Literal["published", "complete"]
ClipFormat = Literal["store", "pkl"]

# Motion capture.
UpAxis = Literal["auto", "y", "z"]
