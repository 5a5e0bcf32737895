"""Install the package as a stranger does and lift with it: away from this checkout, without its constraints file.

    python tools/check_install.py                 the newest packages with every promised Python that is found here,
                                                  then the oldest that pyproject.toml allows with the oldest Python
    python tools/check_install.py --only 3.12     the newest packages with that Python, which must be there
    python tools/check_install.py --lowest        the oldest packages alone

The source archive is built first and the wheel from that, so that both are complete or neither is.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = sorted(
    {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line},
    key=lambda version: int(version.partition(".")[2]),
)


def main() -> int:
    """Build, install and lift; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PYTHONS, help="the newest packages with this Python alone")
    parser.add_argument("--lowest", action="store_true", help="the oldest packages alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        away = Path(folder)
        wheel = build(away)
        oldest = [f"{name}=={version}" for name, version in requirements().items()]
        newest = [(version, []) for version in ([args.only] if args.only else PYTHONS)]
        for version, packages in [*([] if args.lowest else newest), *([] if args.only else [(PYTHONS[0], oldest)])]:
            python = interpreter(version)
            if python is not None:
                try_out(python, wheel, away, packages)
            elif args.only:
                raise SystemExit(f"Python {version} is not found here")
            else:
                print(f"Python {version}: skipped, no such interpreter here", flush=True)
    return 0


def build(away: Path) -> Path:
    """The wheel, from the source archive; it holds every tracked file of the package."""
    tracked = run("git", "ls-files", "lib/hyperlift", cwd=ROOT).splitlines()
    python = environment(sys.executable, away / "builder")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "build", cwd=away)
    run(python, "-m", "build", "--outdir", str(away / "dist"), str(ROOT), cwd=away)
    (wheel,) = (away / "dist").glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    missing = [name for name in tracked if name.removeprefix("lib/") not in inside and (ROOT / name).exists()]
    if missing:
        raise SystemExit(f"not in the wheel: {', '.join(missing)}")
    return wheel


def try_out(interpreter: str, wheel: Path, away: Path, versions: list[str]) -> None:
    """Install the wheel into an environment of its own and lift a video and a keypoint file."""
    here = away / "tried"
    python = environment(interpreter, here)
    for name in ("multiperson.mp4", "sports2d_demo.alphapose.json"):
        shutil.copy(ROOT / "examples" / name, here)
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    run(python, *pip, "install", *versions, str(wheel), cwd=here)
    hyperlift = str(Path(python).with_name("hyperlift"))
    run(hyperlift, "lift", "multiperson.mp4", "--detector", "movenet-fast", "--out", "video", cwd=here)
    sizes = ("--video-size", "1768x994", "--fps", "30", "--no-render")
    run(hyperlift, "lift", "sports2d_demo.alphapose.json", *sizes, "--out", "keypoints", cwd=here)
    for out in ("video", "keypoints"):
        run(python, "-c", f"from hyperlift import load_motion; assert load_motion('{out}/pose3d.npz').people", cwd=here)
    assert (here / "video/pose3d.mp4").stat().st_size
    frozen = dict(line.split("==") for line in run(python, *pip, "freeze", cwd=here).splitlines() if "==" in line)
    direct = [f"{name} {frozen[name]}" for name in sorted(frozen) if name.lower() in requirements()]
    print(
        f"{run(python, '--version', cwd=here).strip()}: lifts a video and keypoints with {', '.join(direct)}",
        flush=True,
    )
    shutil.rmtree(here)


def requirements() -> dict[str, str]:
    """What the package needs and the oldest version of each that is allowed."""
    told = (re.match(r"([\w-]+)>=([\d.]+)", requirement) for requirement in PROJECT["dependencies"])
    return {found[1]: found[2] for found in told if found}


def interpreter(version: str) -> str | None:
    """A Python of a version: our own, one in the path, or one of pyenv's."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    asking = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        # In the path there may be a stand-in of pyenv's for a version that is not chosen.
        told = subprocess.run([candidate, "-c", asking], capture_output=True, text=True, check=False)
        if told.stdout.strip() == version:
            return candidate
    return None


def environment(interpreter: str, folder: Path) -> str:
    """A new environment in a folder; its Python."""
    run(interpreter, "-m", "venv", str(folder), cwd=folder.parent)
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def run(*command: str, cwd: Path) -> str:
    """Run a command that must succeed; what it printed. Nothing of this checkout is in its path."""
    theirs = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_CONSTRAINT")}
    done = subprocess.run(command, cwd=cwd, env=theirs, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main())
