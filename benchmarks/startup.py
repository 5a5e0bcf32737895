"""Start-up of fresh processes, what they import, and the memory that lifting takes above its imports.

python benchmarks/startup.py
"""

import json
import os
import re
import resource
import subprocess
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
from runner import ROOT, Repetitions, Report, in_own_process, run, table
from timing import interleaved

KEYPOINTS = ROOT / "examples" / "sports2d_demo.alphapose.json"
FRAMES = 81
PACKAGES = ("numpy", "onnxruntime", "scipy", "av", "PIL", "yaml", "hyperlift")
STAGES = """
import time; marks = [time.perf_counter()]
def mark(): marks.append(time.perf_counter())
{}
print([after - before for before, after in zip(marks, marks[1:])])
"""
ARRAYS = """
import numpy as np; from hyperlift.runtime.loading import load_lifter; mark()
lifter = load_lifter("small", threads=1); mark()
lifter(np.zeros((1, 81, 17, 3), np.float32)); mark()
"""
STREAM = """
from hyperlift import Lifter; import numpy as np; mark()
lifter = Lifter("small", threads=1); mark()
stream = lifter.stream(1920, 1080, 25.0, lookahead=0)
stream.push(np.full((17, 3), 0.9) + np.random.default_rng(0).uniform(100, 900, (17, 3)) * [1, 1, 0]); mark()
"""
MOTION = """
from hyperlift import Lifter, LiftOptions; mark()
lifter = Lifter("small", threads=1); mark()
lifter.lift({!r}, options=LiftOptions(picture_size=(1768, 994), fps=30.0)); mark()
"""


def memory_mb(frames: int) -> tuple[float, float, float]:
    """Peak of a process with everything imported; above it, of the keypoints of one person, and of lifting them too."""
    import scipy.linalg
    import scipy.optimize  # noqa: F401

    from hyperlift import Lifter, LiftOptions
    from hyperlift.keypoints.detections import Detections
    from hyperlift.keypoints.formats.registry import read_keypoints
    from hyperlift.keypoints.recorded import Recorded
    from hyperlift.keypoints.timestamps import even_times

    def peak_mb() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    imports_mb = peak_mb()
    seen = read_keypoints(KEYPOINTS, picture_size=(1768, 994))
    person = [own for frame in seen.frames.values() for own in frame if own.track_id == 1]
    to_and_fro = person + person[::-1]
    sightings = {frame: [to_and_fro[frame % len(to_and_fro)]] for frame in range(frames)}
    found = Detections(source="long", tool="test", skeleton=seen.skeleton, frames=sightings)
    recorded = Recorded(
        path=Path("long"), video=None, facts=None, detections=found, width=1768, height=994, fps=30.0,
        times_s=even_times(frames, 30.0),
    )  # fmt: skip
    keypoints_mb = peak_mb()
    motion = Lifter("small", threads=1).lift_detections(found, recorded, options=LiftOptions())
    assert sum(len(person.frame) for person in motion.people) == frames
    return imports_mb, keypoints_mb - imports_mb, peak_mb() - imports_mb


def fresh(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python. Compiled modules are kept, as for anybody who starts twice; without them it takes twice as long."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=kept, check=True)


def imports_ms(code: str) -> str:
    """Milliseconds that each package's own modules take to import, the slowest first."""
    spent: dict[str, float] = defaultdict(float)
    for own_us, module in re.findall(
        r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", fresh("-X", "importtime", "-c", code).stderr
    ):
        package = module.split(".")[0]
        spent[package if package in PACKAGES else "other"] += float(own_us) / 1e3
    return ", ".join(f"{name} {ms:.0f}" for name, ms in sorted(spent.items(), key=lambda item: -item[1]) if ms >= 1)


def startup(
    *, repetitions: Repetitions = 7, long: Annotated[int, "frames lifted to measure memory"] = 10_000
) -> Report:
    cli = "import sys; from hyperlift.cli.main import main; sys.exit(main({}))"
    with TemporaryDirectory() as folder:
        window = Path(folder) / "window.json"
        entries = json.loads(KEYPOINTS.read_text())
        window.write_text(json.dumps([one for one in entries if int(Path(one["image_id"]).stem) < FRAMES]))
        staged = {
            "`load_lifter()`, one window of arrays": ARRAYS,
            '`Lifter("small")`, first pose of a stream': STREAM,
            f'`Lifter("small").lift(…)`, {FRAMES} frames of a keypoint file to metres': MOTION.format(str(window)),
        }
        codes = {
            "Python alone": "pass",
            "NumPy and ONNX Runtime, imported": "import numpy, onnxruntime",
            **{name: STAGES.format(body) for name, body in staged.items()},
            "`hyperlift --help`": cli.format(["--help"]),
            "`hyperlift lift --help`": cli.format(["lift", "--help"]),
        }
        marks: dict[str, list[list[float]]] = {name: [] for name in staged}

        def start(name: str) -> None:
            printed = fresh("-c", codes[name]).stdout
            if name in marks:
                marks[name].append(json.loads(printed))

        spent = interleaved({name: partial(start, name) for name in codes}, repetitions)
        imports = {name: imports_ms(codes[name]) for name in staged}
    stages = {name: ", ".join(f"{1e3 * s:.0f}" for s in np.median(found[1:], axis=0)) for name, found in marks.items()}
    columns = ("fresh process", "seconds {:.2f}", "of the processor {:.2f}", "import, open, first result (ms)")
    yield table(columns, [(name, s.wall, s.processor, stages.get(name)) for name, s in spent.items()])
    yield "Milliseconds of importing, by package (one run; Python counts its own cost of counting in):"
    yield "\n".join(f"- {name}: {found}" for name, found in imports.items())
    imports_mb, keypoints_mb, peak_mb = in_own_process(memory_mb, long)
    yield (
        f"Memory: {imports_mb:.0f} MB when everything is imported; lifting {long:,} frames of one person to metres "
        f"peaks {peak_mb:.0f} MB above that, of which the keypoints themselves are {keypoints_mb:.0f} MB."
    )
    yield f"Medians of {repetitions} interleaved runs, one thread."


if __name__ == "__main__":
    run(startup, repetitions=1, long=300)
