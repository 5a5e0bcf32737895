"""``hyperlift export``: a checkpoint to ONNX, optionally also with 8-bit multiplications."""

import json
import os
from pathlib import Path

from hyperlift.cli.app import say
from hyperlift.cli.predictors import load_checkpoint_for
from hyperlift.cli.training_commands import Export
from hyperlift.errors import InputError
from hyperlift.export.onnx import INPUT, OUTPUT, TOLERANCE, Parity, export_onnx
from hyperlift.export.stream import export_stream
from hyperlift.files.atomic import check_output
from hyperlift.files.locks import folder_lock
from hyperlift.files.swap import complete_swap, identity, publish, staging
from hyperlift.models.checkpoint import Checkpoint
from hyperlift.runtime.loading import load_lifter

PARITY_FAILED = 1
"""Exit code if the ONNX file does not agree with the network."""


def main(options: Export) -> int:
    """Run the command; returns its exit code (1: the ONNX file differs from torch and is not kept)."""
    checkpoint = load_checkpoint_for(options.weights, options.network)
    out = options.out
    if options.int8 and options.stream:
        raise InputError("`int8` and `stream` are both given; a step of a stream is not made of 8-bit numbers")
    exported = export_stream if options.stream else export_onnx
    try:
        parity = _export_both(checkpoint, options) if options.int8 else exported(checkpoint.model, checkpoint.spec, out)
    except _DiffersError as error:
        parity = error.parity
    shapes = ", ".join(f"{clips}x{frames}" for clips, frames in parity.shapes)
    print(f"largest difference from torch {parity.worst:.2e} (limit {TOLERANCE:.0e}) at clips x frames {shapes}")
    if not parity.passed:
        say(f"{out}: not written, the exported network differs from torch")
        return PARITY_FAILED
    joints = len(checkpoint.model.skeleton)
    frames = "1" if options.stream else "T"
    cache = " and a cache" if options.stream else ""
    ports = f"{INPUT} [N,{frames},{joints},3]{cache} -> {OUTPUT} [N,{frames},{joints},3]{cache}"
    for path in (out, int8_path(out)) if options.int8 else (out,):
        say(f"{path}: {ports}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


def int8_path(fp32: Path) -> Path:
    """Path of the 8-bit file of a lifter."""
    return fp32.with_name(f"{fp32.stem}-int8{fp32.suffix}")


class _DiffersError(Exception):
    """Discards the open files, because the exported network differs from torch."""

    def __init__(self, parity: Parity) -> None:
        super().__init__()
        self.parity = parity


def _export_both(checkpoint: Checkpoint, options: Export) -> Parity:
    # The quantiser is slow to import.
    from hyperlift.export.calibration import read_calibration
    from hyperlift.export.int8 import ALLOWED_MM, FITTED_CLIPS, choose_fp32, quantise
    from hyperlift.export.int8_report import compare_int8, mm_per_unit

    out, spec, limit_mm = options.out, checkpoint.spec, options.max_int8_error_mm
    outputs = out, int8_path(out), int8_path(out).with_suffix(".json")
    for path in outputs:
        check_output(path)
    calibration = read_calibration(options.calibration, spec, options.picture_size, options.fps)
    with staging(out.parent) as new:
        fp32, int8, record = (new / path.name for path in outputs)
        parity = export_onnx(checkpoint.model, spec, fp32)
        if not parity.passed:
            raise _DiffersError(parity)
        windows = calibration.windows(FITTED_CLIPS, min(spec.n_frames, calibration.longest))
        if options.keep_fp32 == "auto":
            unit_mm = mm_per_unit([load_lifter(fp32)(windows)], spec)
            keep = choose_fp32(fp32, windows, ALLOWED_MM / unit_mm)
        else:
            keep = [] if options.keep_fp32 == "none" else options.keep_fp32.split(",")
        quantise(fp32, int8, windows, keep)
        report = compare_int8(fp32, int8, spec, calibration, keep)
        print(report.table)
        if not report.worst_mean_mm <= limit_mm:
            raise InputError(
                f"{outputs[1]} and {out.name}: not written, int8 joints lie {report.worst_mean_mm:.2f} mm from fp32 "
                f"joints on average, more than `max_int8_error_mm` {limit_mm:g}; raise it, name nodes in `keep_fp32`, "
                "or export without `int8`"
            )
        record.write_text(json.dumps({**report.as_dict(), "limit_mm": limit_mm}, indent=1) + "\n")
        # Written together: a killed run leaves no 8-bit file of another lifter.
        with folder_lock(out.parent):
            complete_swap(out.parent)
            over = {path.name: identity(path) for path in outputs if os.path.lexists(path)}
            publish(new, out.parent, over=over, seal=record.name)
    return parity
