"""What each way to a cheaper network saves, and where the bundled lifters stand beside the plain network.

python benchmarks/pareto_speed.py [BENCH.npz]

Nothing is trained: cost depends on the configuration alone. With BENCH.npz the bundled lifters are scored too.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from network_cost import FRAMES, Timed, exported, measure
from runner import ROOT, Repetitions, Report, run, table
from scoring import Bench, lifted, open_bench

from hyperlift.config.loader import load_config
from hyperlift.evaluation.benchmark_file import score_bench
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.tokens import TokenMergeConfig
from hyperlift.runtime.loading import BUNDLED, load_lifter
from hyperlift.training.config import RunConfig

PLAIN = "plain: 128 channels, depth 6"
CONFIG = ModelConfig(channels=128, depth=6, heads=8, n_frames=FRAMES)
CHEAPER: dict[str, dict] = {
    "3 frames a token": {"frame_patch": 3},
    "9 frames a token": {"frame_patch": 9},
    "hourglass {0} → {1}": {"token_merge": TokenMergeConfig(after=(1,))},
    "hourglass {0} → {1} → {2}": {"token_merge": TokenMergeConfig(after=(1, 2))},
    "one joint block": {"joint_block": "one"},
    "MLPs a quarter as wide": {"mlp_ratio": 0.5},
    "shared layers": {"share_layers": True},
}
"""The keys of a configuration that make a network cheaper, one at a time; {n} stands for tokens after n merges."""
SEVERAL = {
    "frame_patch": 3,
    "token_merge": TokenMergeConfig(after=(1,)),
    "joint_block": "one",
    "mlp_ratio": 0.5,
}


def cheaper(config: ModelConfig) -> dict[str, ModelConfig]:
    """A network with one thing changed at a time."""
    tokens = [config.n_frames // 3**merges for merges in range(3)]
    return {name.format(*tokens): replace(config, **changes) for name, changes in CHEAPER.items()}


def networks() -> dict[str, ModelConfig]:
    """The plain network with one thing changed at a time, and small ones."""
    nano, small = (load_config(ROOT / "configs" / "wild" / f"{n}.yaml", RunConfig).model for n in ("nano", "small"))

    def lifting(config: ModelConfig, channels: int, at_once: int) -> ModelConfig:
        assert config.frame_lifter is not None
        return replace(config, frame_lifter=replace(config.frame_lifter, channels=channels, frames=at_once))

    found = {PLAIN: CONFIG, **cheaper(CONFIG)}
    found["3 frames a token, hourglass 81 → 27, one block, narrow"] = replace(CONFIG, **SEVERAL)
    for channels, at_once in ((512, 1), (512, 3), (384, 3), (256, 3)):
        found[f"`nano.yaml`, {channels} channels, {at_once} at once"] = lifting(nano, channels, at_once)
    return found | {f"`small.yaml`, {at_once} at once": lifting(small, 512, at_once) for at_once in (1, 3)}


def pareto_speed(
    bench: Bench | None = None,
    *,
    repetitions: Repetitions = 7,
    only: Annotated[tuple[str, ...], "only networks whose names hold one of these, and the plain one"] = (),
    out: Annotated[Path, "where ONNX files are kept"] = Path("out/pareto"),
) -> Report:
    timed: dict[str, Timed] = {}
    for name, config in networks().items():
        if not only or name == PLAIN or any(part in name for part in only):
            model = HyperLifter(config).eval()
            timed[name] = Timed(model, exported(model, out))
    scores = {}
    for name in BUNDLED:
        model = load_checkpoint(ROOT / "checkpoint" / "wild" / f"{name}.safetensors").model
        timed[title := f"`{name}`, bundled"] = Timed(model, name)
        if bench is not None:
            views = open_bench(bench)
            scores[title] = score_bench(views, lifted(views, load_lifter(name, threads=1))).pa_mpjpe_mm
    costs = measure(timed, repetitions)
    rows = []
    for name, cost in costs.items():
        speed = 1e3 * FRAMES / cost.ms, costs[PLAIN].ms / cost.ms
        rates = cost.gflops, cost.limit_gflops, 100 * cost.share
        rows.append((name, *cost.sizes, *speed, *rates, scores.get(name)))
    sizes = ("M parameters {:.2f}", "MMACs a frame {:.2f}", f"ms for {FRAMES} frames {{:.1f}}")
    speed = ("frames a second {:,.0f}", "times as fast {:.1f}")
    rates = ("GFLOP/s {:.0f}", "sgemm GFLOP/s {:.0f}", "share {:.0f} %")
    yield table(["network", *sizes, *speed, *rates, "PA-MPJPE mm {:.1f}"], rows)
    yield (
        f"Processor time, medians of {repetitions}, interleaved; random weights but for the bundled ones. Windows of "
        "the network's own length, 243 or 81 frames; sgemm: the products of the network's own linear layers, one by "
        "one, in the same run. One thread."
    )


if __name__ == "__main__":
    run(pareto_speed, repetitions=1, only=["nano.yaml, 256"])
