"""Start-up of fresh processes, what they import, and the memory that lifting takes above its imports.

python benchmarks/startup.py
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
from report import machine, write_section

ROOT = Path(__file__).resolve().parents[1]
KEYPOINTS = ROOT / "examples" / "sports2d_demo.alphapose.json"
FRAMES = 81
LONG = 10_000

STAGES = """
import time; marks = [time.perf_counter()]
def mark(): marks.append(time.perf_counter())
{body}
print([after - before for before, after in zip(marks, marks[1:])])
"""
ARRAYS = """
import numpy as np; from hyperlift.runtime import load_lifter; mark()
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
lifter.lift({keypoints!r}, options=LiftOptions(picture_size=(1768, 994), fps=30.0)); mark()
"""
MEMORY = """
import resource, numpy as np
from pathlib import Path
import scipy.linalg, scipy.optimize
from hyperlift import Lifter, LiftOptions
from hyperlift.pipeline.source import Recorded
from hyperlift.skeletons import H36M_17
from hyperlift.wild.formats import read_keypoints
from hyperlift.wild.keypoints import Detection, Detections
from hyperlift.wild.timing import even_times
peak_mb = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
imports_mb = peak_mb()
seen = read_keypoints({keypoints!r}, picture_size=(1768, 994))
person = [own for frame in seen.frames.values() for own in frame if own.track_id == 1]
there_and_back = person + person[::-1]
frames = {{i: [there_and_back[i % len(there_and_back)]] for i in range({frames})}}
detections = Detections(source="long", tool="test", skeleton=seen.skeleton, frames=frames)
recorded = Recorded(path=Path("long"), video=None, facts=None, detections=detections, width=1768, height=994, fps=30.0,
                    times_s=even_times({frames}, 30.0))
keypoints_mb = peak_mb()
motion = Lifter("small", threads=1).lift_detections(detections, recorded, options=LiftOptions())
assert sum(len(person.frame) for person in motion.people) == {frames}
print([imports_mb, keypoints_mb - imports_mb, peak_mb() - imports_mb])
"""


def fresh(arguments: list[str]) -> tuple[str, str]:
    """Run Python; returns what it printed, and that to stderr.

    Compiled modules are kept, as they are for anybody who starts twice; without them start-up takes twice as long.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=kept)
    if process.returncode:
        raise RuntimeError(process.stderr)
    return process.stdout, process.stderr


def timed(arguments: list[str]) -> tuple[float, float, str]:
    """Seconds from start to end, seconds of the processor (which other work hardly changes), and what was printed."""
    started, before = time.perf_counter(), os.times()
    out, _ = fresh(arguments)
    seconds, after = time.perf_counter() - started, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, spent, out


def imports_ms(body: str) -> dict[str, float]:
    """Milliseconds that each package's own modules take to import, the slowest first."""
    _, err = fresh(["-X", "importtime", "-c", STAGES.format(body=body)])
    spent: dict[str, float] = defaultdict(float)
    for own_us, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", err):
        root = module.split(".")[0]
        package = root if root in ("numpy", "onnxruntime", "scipy", "av", "PIL", "yaml", "hyperlift") else "other"
        spent[package] += float(own_us) / 1e3
    return dict(sorted(spent.items(), key=lambda item: -item[1]))


def first_frames(folder: Path) -> Path:
    """A keypoint file of one window."""
    entries = [entry for entry in json.loads(KEYPOINTS.read_text()) if int(Path(entry["image_id"]).stem) < FRAMES]
    path = folder / "window.json"
    path.write_text(json.dumps(entries))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--long", type=int, default=LONG, help="frames lifted to measure memory")
    parser.add_argument("--no-page", action="store_true", help="print the table only")
    args = parser.parse_args()
    cli = "import sys; from hyperlift.cli.main import main; sys.exit(main({}))"
    with TemporaryDirectory() as folder:
        window = str(first_frames(Path(folder)))
        bodies = {
            "`load_lifter()`, one window of arrays": ARRAYS,
            '`Lifter("small")`, first pose of a stream': STREAM,
            f'`Lifter("small").lift(…)`, {FRAMES} frames of a keypoint file to metres': MOTION.format(keypoints=window),
        }
        cases = {
            "Python alone": ["-c", "pass"],
            "NumPy and ONNX Runtime, imported": ["-c", "import numpy, onnxruntime"],
            **{name: ["-c", STAGES.format(body=body)] for name, body in bodies.items()},
            "`hyperlift --help`": ["-c", cli.format(["--help"])],
            "`hyperlift lift --help`": ["-c", cli.format(["lift", "--help"])],
        }
        runs: dict[str, list[tuple[float, float, str]]] = {name: [] for name in cases}
        for command in cases.values():
            fresh(command)  # compiles what is not yet
        for _ in range(args.repetitions):
            for name, command in cases.items():
                runs[name].append(timed(command))
        slow = {name: imports_ms(body) for name, body in bodies.items()}
        memory, _ = fresh(["-c", MEMORY.format(keypoints=str(KEYPOINTS), frames=args.long)])
    lines = ["| fresh process | seconds | of the processor | import, open, first result (ms) |", "|---|---|---|---|"]
    for name, results in runs.items():
        wall, spent = (np.median([result[:2] for result in results], axis=0)).tolist()
        stages = ""
        if name in bodies:
            stages = ", ".join(f"{1e3 * ms:.0f}" for ms in np.median([json.loads(out) for *_, out in results], axis=0))
        lines.append(f"| {name} | {wall:.2f} | {spent:.2f} | {stages} |")
    lines += ["", "Milliseconds of importing, by package (one run; Python counts its own cost of counting in):", ""]
    for name, packages in slow.items():
        shown = ", ".join(f"{package} {ms:.0f}" for package, ms in packages.items() if ms >= 1)
        lines.append(f"- {name}: {shown}")
    imports_mb, keypoints_mb, peak_mb = json.loads(memory)
    table = "\n".join(
        [
            *lines,
            "",
            f"Memory: {imports_mb:.0f} MB when everything is imported; lifting {args.long:,} frames of one person to "
            f"metres peaks {peak_mb:.0f} MB above that, of which the keypoints themselves are {keypoints_mb:.0f} MB.",
            "",
            f"Medians of {args.repetitions} interleaved runs, ONNX Runtime {onnxruntime.__version__}, one thread, on "
            f"{machine()}.",
        ]
    )
    print(table)
    if not args.no_page:
        write_section("startup", table)


if __name__ == "__main__":
    main()
