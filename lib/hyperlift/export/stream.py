"""Exports one step of a streaming lifter to ONNX, with its cache as named inputs and outputs."""

from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor, nn

from hyperlift.contract import NEXT, STREAM_METADATA_KEY, LifterSpec, StreamSpec
from hyperlift.errors import InputError
from hyperlift.export.onnx import INPUT, OUTPUT, Parity, keep_if_equal, parity, set_contract, to_onnx
from hyperlift.models.hyperlifter.lifter import HyperLifter, StreamCache
from hyperlift.models.hyperlifter.transformer import Past
from hyperlift.runtime.stream import OnnxStream

_COMPARED_PEOPLE = (1, 3)
"""Streams per comparison. Chosen: one, and a batch."""


class ExportedStep(nn.Module):
    """The exported signature: ``pose2d [N,1,V,3]``, cache -> ``pose3d [N,1,V,3]``, next cache; N is dynamic."""

    def __init__(self, model: HyperLifter) -> None:
        super().__init__()
        self.model = model
        empty = model.new_cache(1)
        self.layers = len(empty.past.keys)
        self.filtered = bool(empty.answers.numel())

    @property
    def names(self) -> list[str]:
        """Names of the cache tensors, in order."""
        past = [f"{kind}_{layer}" for layer in range(self.layers) for kind in ("key", "value")]
        return ["frames_seen", "recent", *(["answers"] if self.filtered else []), *past]

    def flat(self, cache: StreamCache) -> list[Tensor]:
        """The tensors of a cache in the order of ``names``, without empty ones."""
        past = [tensor for pair in zip(*cache.past, strict=True) for tensor in pair]
        return [cache.frames_seen, cache.recent, *([cache.answers] if self.filtered else []), *past]

    def forward(self, pose2d: Tensor, cache: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Lift the next frame."""
        seen, recent = cache[:2]
        answers = cache[2] if self.filtered else recent[:, :0]
        past = cache[3 if self.filtered else 2 :]
        kept = Past(tuple(past[::2]), tuple(past[1::2]))
        pose, following = self.model.step(pose2d, StreamCache(seen, recent, answers, kept))
        return pose, self.flat(following)


def export_stream(model: HyperLifter, spec: LifterSpec, path: Path | str, seed: int = 0) -> Parity:
    """Write one step of a streaming network, and compare the file with the network on clips.

    Args:
        model: a network with ``config.streaming``, which is exported in eval mode, in float32, on the CPU.
        spec: contract, stored in the metadata of the file with the ``StreamSpec``.
        path: output file.
        seed: seed of the compared random clips.

    Returns:
        The comparison; ``passed`` is False if the file was deleted.

    Raises:
        InputError: the network is not a streaming one, or the folder is not writable.
    """
    streaming = model.config.streaming
    if streaming is None:
        raise InputError(
            f"{spec.name}: is no streaming lifter (its configuration has no model.streaming); export whole clips"
        )
    model = model.cpu().eval()
    step = ExportedStep(model).eval()
    example = step.flat(model.new_cache(2))
    people = torch.export.Dim("people", min=1)
    proto = to_onnx(
        step,
        (torch.zeros(2, 1, len(model.skeleton), 3), example),
        [INPUT, *step.names],
        [OUTPUT, *(name + NEXT for name in step.names)],
        {INPUT: {0: people}, "cache": [{0: people} for _ in example]},
    )
    stream = StreamSpec(**{field.name: getattr(streaming, field.name) for field in fields(StreamSpec)})
    set_contract(proto, model, spec, {STREAM_METADATA_KEY: stream.to_json()})
    return keep_if_equal(proto, Path(path), lambda partial: compare_stream(model, partial, seed))


def compare_stream(model: HyperLifter, path: Path | str, seed: int = 0) -> Parity:
    """Compare the file, run frame by frame, with the network on random clips longer than twice the look-back.

    Raises:
        InputError: the file cannot be opened.
    """
    assert model.config.streaming is not None
    frames = 2 * model.config.streaming.look_back + model.config.streaming.look_ahead + 3
    shapes = tuple((people, frames) for people in _COMPARED_PEOPLE)
    return parity(OnnxStream(Path(path), str(path), threads=1), model, shapes, seed, path)
