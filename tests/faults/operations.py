"""What is killed: every kind of work that writes files, as a user starts it."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

ROOT = Path(__file__).resolve().parents[2]
SENTINELS = {"notes.txt": "not ours\n", "sub/walk.txt": "not ours either\n", ".hidden": "nor is this\n"}
"""Files of the user's in every folder that is written into."""


@dataclass(frozen=True)
class Operation:
    """A command, again and again on the same folder."""

    name: str
    work: Callable[[Path], int]
    """Does it, all of it, into a folder; goes on where the command can."""
    earlier: Callable[[Path], int] | None = None
    """Fills a folder with the results of other options, which stand until new ones are there."""
    folder_is_result: bool = False
    """The folder itself appears when the work is done; nothing of the user's can be in it."""


def prepare(base: Path) -> None:
    """Make what the operations start from; imports everything that they import."""
    from tiny_store import write_run, write_store

    from hyperlift.cli import animate, convert_mocap, export, lift, train  # noqa: F401
    from hyperlift.video.reading import read_frames
    from hyperlift.video.writing import write_mp4

    import torch  # isort: skip

    torch.set_num_threads(1)
    (base / "videos").mkdir(parents=True)
    for name, first in (("videos/a.mp4", 0), ("videos/b.mp4", 40)):
        with write_mp4(base / name, 272, 480, 30.0) as video:
            for frame in read_frames(ROOT / "examples" / "multiperson.mp4", (272, 480), first=first):
                if frame.index >= first + 16:
                    break
                video.add(frame.rgb)
    write_run(base / "tiny.yaml", write_store(base / "store"), training="")
    (base / "tiny.yaml").write_text((base / "tiny.yaml").read_text().replace("epochs: 2", "epochs: 6"))


def make_inputs(base: Path) -> int:
    """What only a command can make, for the commands after it; in a process of its own."""
    return _train(base, base / "trained") or _lift(base / "videos" / "a.mp4", base / "lifted")


def operations(base: Path) -> list[Operation]:
    """All of them, on what ``prepare`` and ``make_inputs`` made."""
    clip, lifted = base / "videos" / "a.mp4", base / "lifted" / "pose3d.npz"
    return [
        Operation(
            "lift",
            lambda out: _lift(clip, out, "--json", "--csv", "--bvh"),
            lambda out: _lift(clip, out, "--csv", "--angles", "--height", "1.9"),
        ),
        Operation(
            "folder",
            lambda out: _lift(base / "videos", out, "--json", "--jobs", "2"),
            lambda out: _lift(base / "videos", out, "--csv", "--height", "1.9", "--jobs", "2"),
        ),
        Operation("training", lambda out: _train(base, out)),
        Operation("conversion", _convert, folder_is_result=True),
        Operation(
            "export",
            lambda out: _export(base, out / "lifter.onnx"),
            lambda out: _another_lifter(out / "lifter.onnx"),
        ),
        Operation(
            "animate",
            lambda out: _animate(lifted, out, "--rigid"),
            lambda out: _animate(lifted, out),
        ),
    ]


def _lift(source: Path, out: Path, *more: str) -> int:
    from hyperlift.cli.main import run as hyperlift

    usual = ["--detector", "movenet-fast", "--no-render", "--no-flip", "--model", "nano", "--threads", "1"]
    return hyperlift("lift", [str(source), "--out", str(out), *usual, *more])


def _train(base: Path, out: Path) -> int:
    from hyperlift.cli.main import run as hyperlift

    state = out / "last.resume.pt"
    goes_on = ["-r", str(state)] if state.exists() else ["--checkpoint", str(out)]
    return hyperlift("train", ["--config", str(base / "tiny.yaml"), "--no-progress", "--threads", "1", *goes_on])


def _convert(out: Path) -> int:
    from hyperlift.cli.main import run as hyperlift

    if out.exists():
        return 0
    usual = ["--n_frames", "27", "--stride", "9", "--views", "1", "--view_frames", "54"]
    return hyperlift("convert-mocap", ["--procedural", "3", "--out", str(out), *usual])


def _export(base: Path, out: Path) -> int:
    from hyperlift.cli.main import run as hyperlift

    weights = base / "trained" / "last.safetensors"
    eight_bits = ["--int8", "--max_int8_error_mm", "1e6"]
    return hyperlift("export", ["--evaluate", str(weights), "--deployment", str(out), *eight_bits])


def _animate(lifted: Path, out: Path, *more: str) -> int:
    from hyperlift.cli.main import run as hyperlift

    codes: Sequence[int] = [
        hyperlift("animate", [str(lifted), str(out / name), *more])
        for name in ("m.csv", "m.bvh", "m.json", "m.npz", "m.mp4")
    ]
    return max(codes)


def _another_lifter(target: Path) -> int:
    from hyperlift.runtime.loading import bundled_file

    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(bundled_file("nano") or "", target)
    return 0
