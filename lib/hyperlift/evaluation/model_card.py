"""Writes a model card in Markdown; all its numbers come from files written by commands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import ClipStore

INTENDED_USE = (
    "Body pose from ordinary video for animation, sport, robotics and research, from keypoints of one camera. Not for "
    "medical decisions, not for identifying or surveilling people."
)
KNOWN_FAILURES = (
    "**Size, place and path** are not predicted: poses are metres of a body of standard size, relative to the pelvis.",
    "**Gravity is not known to the network**: steep and strongly rolled cameras are harder than level ones.",
    "**Motion that the recordings hardly have**: lying, crawling, acrobatics.",
    "**Detector errors that last**: sides exchanged for a second are followed; a head without a face is guessed.",
    "**People unlike the recorded ones**: adults; children and wheelchairs are not covered.",
)
_LISTED = 3
"""Entries in the lists of hardest and most frequent items. Chosen: they fit in one line."""


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """Contents of a model card."""

    spec: LifterSpec
    run: Mapping[str, Any]
    """The resolved configuration, plain values."""
    parameters: int
    onnx_mb: float | None
    """Size of the exported file."""
    log: Sequence[Mapping[str, Any]]
    """Log of the run, one record per epoch."""
    train: Sequence[ClipStore]
    """Training clips; a store that counts twice occurs twice."""
    scores: Sequence[Mapping[str, Any]]
    """Results of ``evaluate.py --json`` on clip stores or benchmark files."""
    before: Sequence[tuple[str, Sequence[Mapping[str, Any]]]] = ()
    """Names and logs of the runs whose weights initialised this one, in order."""
    notes: Sequence[str] = ()
    """Further known failures, one per line."""


def model_card(facts: CardFacts) -> str:
    """Write the card."""
    spec = facts.spec
    rows = [
        ("Task", _task(spec)),
        ("Network", _network(facts)),
        ("Data", "; ".join(_data(store) for store in dict.fromkeys(facts.train))),
        ("Recipe", _recipe(facts)),
        ("Licence", spec.licence),
    ]
    if spec.credit:
        # A row of a Markdown table is a single line.
        rows.append(("Credit", "<br>".join(spec.credit.splitlines())))
    parts = [f"# Model card: `{spec.name}`", "\n".join(["| | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])]
    parts.append("## Scores")
    parts += [_bench_scores(s) if "views" in s else _store_scores(s) for s in facts.scores]
    if not facts.scores:
        parts.append("Not measured yet.")
    parts += ["## Intended use", INTENDED_USE, "## Known failures"]
    hard = [line for s in facts.scores if "actions" in s for line in _hardest(s)]
    parts.append("\n".join(f"- {line}" for line in [*hard, *_imbalance(facts.train), *KNOWN_FAILURES, *facts.notes]))
    return "\n\n".join(parts) + "\n"


def _task(spec: LifterSpec) -> str:
    space = {
        "camera": "camera axes, metres of a body of standard size",
        "image": "normalised picture space with a depth in the same unit",
    }[spec.label_space]
    relative = ", relative to the pelvis" if spec.rootrel else ""
    return f"2D keypoints of one person over time (skeleton {spec.skeleton}) → 3D joints, {space}{relative}"


def _network(facts: CardFacts) -> str:
    model, spec = facts.run["model"], facts.spec
    mlp = model["frame_lifter"]
    parts = []
    if mlp:
        seen = "single frames" if len(mlp["neighbours"]) == 1 else f"{len(mlp['neighbours'])} frames around each"
        answers = f", {mlp['frames']} frames at once" if mlp.get("frames", 1) > 1 else ""
        parts.append(f"an MLP over {seen} ({mlp['depth']} blocks of {mlp['channels']} channels{answers})")
    if model["depth"]:
        merge = model.get("token_merge")
        merged = f" ({merge['size']} tokens become one after layers {merge['after']})" if merge else ""
        one_block = ", one block over joints and hyperedges" if model.get("joint_block") == "one" else ""
        shared = ", the same weights in all layers" if model.get("share_layers") else ""
        parts.append(
            f"a transformer of {model['channels']} channels, depth {model['depth']}, {model['heads']} heads, "
            f"{model['frame_patch']} frame{'s' if model['frame_patch'] > 1 else ''} a token{merged}{one_block}{shared}"
        )
    if model["smoothing"]:
        parts.append(f"a filter of {2 * model['smoothing'] + 1} frames")
    size = f", {facts.onnx_mb:.1f} MB as ONNX" if facts.onnx_mb is not None else ""
    stream = model.get("streaming")
    sees = f"windows of {spec.n_frames} frames"
    if stream:
        sees = f"frame by frame, {stream['look_back']} frames back and {stream['look_ahead']} ahead,"
    return (
        f"{', then '.join(parts)}; {sees} at {spec.fps:g} frames a second, "
        f"input seen from the {model['input_frame']}; {facts.parameters / 1e6:.2f} M parameters{size}"
    )


def _data(store: ClipStore) -> str:
    recordings = {video.source.partition("@")[0] for video in store.videos}
    subjects = {video.subject for video in store.videos}
    frames = sum(video.frames for video in store.videos)
    return (
        f"{store.meta.source}: {len(recordings):,} recordings of {len(subjects)} subjects through "
        f"{len(store.videos):,} virtual cameras, {frames / 1e6:.2f} M frames "
        f"({frames / store.meta.fps / 3600:.1f} h), with virtual detectors"
    )


def _recipe(facts: CardFacts) -> str:
    training = facts.run["training"]
    clips = training["clips_per_epoch"] or sum(map(len, facts.train))
    epochs, hours = _epochs_and_hours(facts.log)
    steps = epochs * -(-clips // training["batch_size"])
    start = "from weights of another run, " if training["finetune"] else ""
    if facts.before:
        stages = ((name, *_epochs_and_hours(log)) for name, log in facts.before)
        start = (
            "after " + ", ".join(f"`{name}` ({count} epochs, {spent:.1f} h)" for name, count, spent in stages) + ", "
        )
    taught = ", taught by a larger network" if "distillation" in facts.run else ""
    return (
        f"run `{facts.run['name']}`: {start}{epochs} of {training['epochs']} epochs of {clips:,} clips, {steps:,} "
        f"steps of {training['batch_size']} clips, {hours:.1f} h of training{taught}"
    )


def _epochs_and_hours(log: Sequence[Mapping[str, Any]]) -> tuple[int, float]:
    seconds = {record["epoch"]: record["seconds"] for record in log}
    return len(seconds), sum(seconds.values()) / 3600


def _bench_scores(scores: Mapping[str, Any]) -> str:
    flip = "with" if scores["flip"] else "without"
    return (
        f"On a benchmark file of {scores['views']} views ({scores['frames']:,} frames), {flip} flip, "
        "`evaluate.py --onnx … --bench FILE.npz`:\n\n"
        "| N-MPJPE mm | PA-MPJPE mm | jitter mm/frame² | bone-length variation |\n|---|---|---|---|\n"
        f"| **{scores['n_mpjpe_mm']:.1f}** | **{scores['pa_mpjpe_mm']:.1f}** | **{scores['jitter_mm']:.1f}** "
        f"| {100 * scores['bone']:.1f} % |"
    )


def _store_scores(scores: Mapping[str, Any]) -> str:
    given = "the person's size is given" if scores["size_given"] else "the person's size is not given"
    flip = "with" if scores["protocol"]["flip"] else "without"
    lines = ["| motion | frames | P1 mm | P2 mm | N-MPJPE mm |", "|---|---|---|---|---|"]
    by_error = sorted(scores["actions"].items(), key=lambda item: item[1]["p1_mm"])
    for name, errors in [*by_error, ("**all frames**", scores["mean_over_frames"])]:
        lines.append(
            f"| {name} | {errors['frames']:,} | {errors['p1_mm']:.1f} | {errors['p2_mm']:.1f} "
            f"| {errors['n_mpjpe_mm']:.1f} |"
        )
    head = f"On held-out recordings through other virtual cameras, {flip} flip, {given}, `evaluate.py --data …`:"
    tail = "These are not Human3.6M numbers and do not compare with them."
    return "\n".join([head, "", *lines, "", tail])


def _hardest(scores: Mapping[str, Any]) -> list[str]:
    def worst(errors: Mapping[str, Mapping[str, Any]]) -> str:
        known = {name: values for name, values in errors.items() if values["p1_mm"] is not None}
        ranked = sorted(known.items(), key=lambda item: -item[1]["p1_mm"])[:_LISTED]
        return ", ".join(f"{name} ({values['p1_mm']:.0f})" for name, values in ranked)

    return [f"**Hardest motions and joints**, P1 mm: {worst(scores['actions'])}; {worst(scores['overall']['joints'])}."]


def _imbalance(stores: Sequence[ClipStore]) -> list[str]:
    """The most frequent subjects and motions of the training clips."""
    frames: dict[str, Counter[str]] = {"subjects": Counter(), "motions": Counter()}
    for video in (video for store in stores for video in store.videos):
        frames["subjects"][video.subject] += video.frames
        frames["motions"][video.action] += video.frames
    total = sum(frames["subjects"].values())

    def most(kind: str) -> str:
        return ", ".join(f"{name} ({100 * count / total:.0f} %)" for name, count in frames[kind].most_common(_LISTED))

    return [f"**What it saw most** of the training time: subjects {most('subjects')}; motions {most('motions')}."]
