"""What each way to a cheaper network saves, and where the bundled lifters stand beside the plain network.

python benchmarks/pareto_speed.py [BENCH.npz]

Nothing is trained: cost depends on the configuration alone. With BENCH.npz the bundled lifters are scored too.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import onnxruntime
from network_cost import FRAMES, Cost, Timed, exported, measure
from report import machine, write_section

from hyperlift.config import load_config
from hyperlift.evaluation.bench import BenchFile, lift_bench, score_bench
from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.layers.tokens import TokenMergeConfig
from hyperlift.runtime import BUNDLED, load_lifter
from hyperlift.training.config import RunConfig
from hyperlift.wild.windows import lift_windows

ROOT = Path(__file__).resolve().parents[1]
CHECKPOINTS, CONFIGS = ROOT / "checkpoint" / "wild", ROOT / "configs" / "wild"
PLAIN = "plain: 128 channels, depth 6"
CONFIG = ModelConfig(channels=128, depth=6, heads=8, n_frames=FRAMES)


def networks() -> dict[str, ModelConfig]:
    """The plain network with one thing changed at a time, and small ones."""
    nano, small = (load_config(CONFIGS / f"{name}.yaml", RunConfig).model for name in ("nano", "small"))

    def lifting(config: ModelConfig, channels: int, at_once: int) -> ModelConfig:
        assert config.frame_lifter is not None
        return replace(config, frame_lifter=replace(config.frame_lifter, channels=channels, frames=at_once))

    return {
        PLAIN: CONFIG,
        "3 frames a token": replace(CONFIG, frame_patch=3),
        "9 frames a token": replace(CONFIG, frame_patch=9),
        "hourglass 243 → 81": replace(CONFIG, token_merge=TokenMergeConfig(after=(1,))),
        "hourglass 243 → 81 → 27": replace(CONFIG, token_merge=TokenMergeConfig(after=(1, 2))),
        "one joint block": replace(CONFIG, joint_block="one"),
        "MLPs a quarter as wide": replace(CONFIG, mlp_ratio=0.5),
        "shared layers": replace(CONFIG, share_layers=True),
        "3 frames a token, hourglass 81 → 27, one block, narrow": replace(
            CONFIG, frame_patch=3, token_merge=TokenMergeConfig(after=(1,)), joint_block="one", mlp_ratio=0.5
        ),
        **{
            f"`nano.yaml`, {channels} channels, {at_once} at once": lifting(nano, channels, at_once)
            for channels, at_once in ((512, 1), (512, 3), (384, 3), (256, 3))
        },
        **{f"`small.yaml`, {at_once} at once": lifting(small, 512, at_once) for at_once in (1, 3)},
    }


def pa_mpjpe_mm(name: str, bench: BenchFile) -> float:
    """Of a bundled lifter, one pass."""
    lifter = load_lifter(name, threads=1)
    predictions = lift_bench(bench, lambda pose: lift_windows(lifter, pose, lifter.spec.n_frames))
    return score_bench(bench, predictions).pa_mpjpe_mm


def rows(costs: dict[str, Cost], scores: dict[str, float]) -> list[str]:
    """The table."""
    plain = costs[PLAIN]
    lines = [
        f"| network | M parameters | MMACs a frame | ms for {FRAMES} frames | frames a second | times as fast "
        "| GFLOP/s | sgemm GFLOP/s | share | PA-MPJPE mm |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, cost in costs.items():
        score = f"{scores[name]:.1f}" if name in scores else ""
        lines.append(
            f"| {name} | {cost.parameters / 1e6:.2f} | {cost.macs / FRAMES / 1e6:.2f} | {cost.ms:.1f} "
            f"| {1e3 * FRAMES / cost.ms:,.0f} | {plain.ms / cost.ms:.1f} | {cost.gflops:.0f} | {cost.limit_gflops:.0f} "
            f"| {100 * cost.share:.0f} % | {score} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path, nargs="?", help="benchmark file, to score the bundled lifters")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--only", nargs="+", help="only networks whose names hold one of these, and the plain one")
    parser.add_argument("--out", type=Path, default=Path("out/pareto"), help="where ONNX files are kept")
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    timed: dict[str, Timed] = {}
    for name, config in networks().items():
        if args.only and name != PLAIN and not any(part in name for part in args.only):
            continue
        model = HyperLifter(config).eval()
        timed[name] = Timed(model, exported(model, args.out))
    bundled = {f"`{name}`, bundled": name for name in BUNDLED}
    for title, name in bundled.items():
        timed[title] = Timed(load_checkpoint(CHECKPOINTS / f"{name}.safetensors").model, name)
    costs = measure(timed, args.repetitions)
    scores = {}
    if args.bench is not None:
        bench = BenchFile(args.bench)
        scores = {title: pa_mpjpe_mm(name, bench) for title, name in bundled.items()}
    note = (
        f"Processor time, medians of {args.repetitions}, interleaved; random weights but for the bundled ones. Windows "
        "of the network's own length, 243 or 81 frames; sgemm: the products of the network's own linear layers, one by "
        f"one, in the same run. ONNX Runtime {onnxruntime.__version__}, one thread, on {machine()}."
    )
    text = "\n".join([*rows(costs, scores), "", note])
    print(text)
    if not args.no_page:
        write_section("pareto_speed", text)


if __name__ == "__main__":
    main()
