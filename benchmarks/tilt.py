"""How the error grows as the camera tilts, rolls, sees wider or sees people off-centre, and what helps.

python benchmarks/tilt.py MOCAP [--onnx FILE]

MOCAP is a folder of motion capture arrays (index.json, test.npz; z up). Virtual cameras see clips of its test split,
one factor at a time: every row has the same clips, sides from which they are seen, distances (at another field of view:
sizes in the picture) and the same draws of detector noise. The picture has no border, so that a row differs from the
next by its angle alone.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
from pictures import figure_of
from runner import RESULTS, Report, run, table
from tilted_views import Idea, Setting, Views, clips_of, ideas, views_of

from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.joint_errors import joint_distance
from hyperlift.runtime.loading import load_lifter

CURVES = {"as it is": "#20242b", "roll known": "#1f8a5b", "roll found": "#b8741a", "lens known": "#2e86de"}
NOT_DRAWN = "roll, looking down 30°"
FACTORS: dict[str, dict[str, Setting]] = {
    "pitch": {f"{p:+d}°": Setting(pitch_deg=p) for p in (-60, -45, -30, -15, 0, 15, 30, 45, 60)},
    "roll": {f"{r}°": Setting(roll_deg=r) for r in (0, 10, 20, 30, 45, 60, 90)},
    "field of view": {f"{f}°": Setting(fov_deg=f) for f in (35, 50, 60, 80, 100)},
    "off-centre, 60° lens": {f"{o:g}": Setting(off_centre=o) for o in (0, 0.3, 0.6, 0.9)},
    "off-centre, 90° lens": {f"{o:g}": Setting(fov_deg=90, off_centre=o) for o in (0, 0.3, 0.6, 0.9)},
    NOT_DRAWN: {f"{r}°": Setting(pitch_deg=-30, roll_deg=r) for r in (0, 30, 60)},
}
COMPARED = {
    "careful": Setting(),
    "roll 20°": Setting(roll_deg=20),
    "roll 60°": Setting(roll_deg=60),
    "pitch -45°": Setting(pitch_deg=-45),
    "pitch +45°": Setting(pitch_deg=45),
    "pitch -30°, roll 30°": Setting(pitch_deg=-30, roll_deg=30),
    "off-centre 0.6, 60° lens": Setting(off_centre=0.6),
    "off-centre 0.6, 40° lens": Setting(fov_deg=40, off_centre=0.6),
    "off-centre 0.9, 40° lens": Setting(fov_deg=40, off_centre=0.9),
    "off-centre 0.6, 90° lens": Setting(fov_deg=90, off_centre=0.6),
    "off-centre 0.6, 60° lens, roll 30°": Setting(off_centre=0.6, roll_deg=30),
}
Scored = Callable[[str, Setting], np.ndarray]
"""N-MPJPE and PA-MPJPE in mm of an idea at a setting, a row a seed."""


def errors_mm(idea: Idea, views: Views) -> list[float]:
    pose = idea(views)
    pose, truth = pose - pose[:, :, :1], views.truth_m
    aligned = align_scale(pose, truth), align_similarity(pose, truth)
    return [1e3 * float(joint_distance(one, truth).mean()) for one in aligned]


def draw(path: Path, scored: Scored) -> None:
    """Error against each factor. What is measured first lies on top: where nothing helps, all curves are the same."""
    factors = {name: levels for name, levels in FACTORS.items() if name != NOT_DRAWN}
    with figure_of(path, len(factors), size=(11, 3.2), sharey=True) as panels:
        for axes, (factor, levels) in zip(panels, factors.items(), strict=True):
            x = [float(name.rstrip("°")) for name in levels]
            for order, (idea, colour) in enumerate(CURVES.items()):
                n_mm = np.array([scored(idea, setting)[:, 0] for setting in levels.values()])
                bars, line = (None, "--") if order else (n_mm.std(1), "-")
                style = {"marker": "o", "ms": 3, "capsize": 2, "lw": 1.4, "zorder": 3 if order else 4}
                axes.errorbar(x, n_mm.mean(1), bars, color=colour, ls=line, label=idea, **style)
            pa_mm = [scored("as it is", setting)[:, 1].mean() for setting in levels.values()]
            axes.plot(x, pa_mm, color="#20242b", ls=":", lw=1.2, label="as it is, PA-MPJPE")
            axes.set(title=factor, xlabel="halves of the width" if "off" in factor else "degrees")
        panels[0].set(ylabel="N-MPJPE, mm", ylim=(0, None))  # of all: they share it
        panels[1].legend(frameon=False, fontsize=8)


def tilt(
    mocap: Path,
    *,
    onnx: Annotated[str, "a lifter; its name or file"] = "small",
    clips: Annotated[int, "clips a seed"] = 8,
    frames: Annotated[int, "frames a clip"] = 54,
    seeds: Annotated[int, "draws of clips, sides and noise"] = 3,
    figure: Path = RESULTS / "tilt.png",
) -> Report:
    lifter = load_lifter(onnx, threads=1)
    motions = [clips_of(mocap, clips, frames, seed) for seed in range(seeds)]
    seen = lru_cache(lambda setting: [views_of(setting, motion, seed) for seed, motion in enumerate(motions)])
    ways = ideas(lifter)

    @lru_cache(None)
    def scored(idea: str, setting: Setting) -> np.ndarray:
        return np.array([errors_mm(ways[idea], views) for views in seen(setting)])

    def spread(values: np.ndarray) -> str:
        return f"{values.mean():.1f} ± {values.std():.1f}"

    rows = []
    for factor, levels in FACTORS.items():
        for name, setting in levels.items():
            plain, *others = (scored(idea, setting) for idea in CURVES)
            rows.append((f"{factor} {name}", *map(spread, plain.T), *(other[:, 0].mean() for other in others)))
    helped = [f"N: {idea} {{:.1f}}" for idea in list(CURVES)[1:]]
    yield table(["camera", "N-MPJPE mm", "PA-MPJPE mm", *helped], rows)
    means = {name: [scored(idea, setting).mean(0) for idea in ways] for name, setting in COMPARED.items()}
    yield table(["camera", *ways], [(name, *(f"{n:.1f} / {pa:.1f}" for n, pa in row)) for name, row in means.items()])
    draw(figure, scored)
    yield (
        f"Lifter `{lifter.spec.name}`{'' if onnx == 'small' else f' ({Path(onnx).name})'}, no mirror average; "
        f"{clips * seeds} views a row ({clips} clips, {seeds} seeds), {frames} frames each; ± is the standard "
        "deviation over the seeds. Second table: N-MPJPE / PA-MPJPE."
    )


if __name__ == "__main__":
    run(tilt, clips=1, seeds=1, frames=20, figure=Path("out/tilt.png"))
