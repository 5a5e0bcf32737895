"""Position errors of the bundled lifters on several benchmark files side by side, such as one a data set.

python benchmarks/data_sets.py FILE.npz OTHER.npz=JOINT,… … [--lifter NAME|FILE …]

Joints behind = were not measured in that file: they are neither fitted nor scored. Predictions are mirror-averaged, the
default of lifting.
"""

from pathlib import Path
from typing import Annotated

from runner import Report, run, table
from scoring import Every, lifted, open_bench, size_note

from hyperlift.evaluation.benchmark_file import score_bench
from hyperlift.runtime.loading import BUNDLED, BUNDLED_STREAMS, load_lifter


def data_sets(
    files: Annotated[tuple[str, ...], "FILE.npz, or FILE.npz=JOINT,… without joints that it has not measured"],
    *,
    lifter: Annotated[tuple[str, ...], "names of bundled lifters, or files"] = (*BUNDLED, *BUNDLED_STREAMS),
    every: Every = 1,
) -> Report:
    networks = {name: load_lifter(name) for name in lifter}
    rows, sizes = [], []
    for entry in files:
        path, _, joints = entry.partition("=")
        views, omitted = open_bench(Path(path), every), [joint for joint in joints.split(",") if joint]
        results = [score_bench(views, lifted(views, network, flip=True), omitted) for network in networks.values()]
        rows.append((Path(path).stem, *(f"{one.n_mpjpe_mm:.1f} / {one.pa_mpjpe_mm:.1f}" for one in results)))
        sizes.append(f"{Path(path).stem}: {size_note(views)}{' without ' * bool(omitted)}{', '.join(omitted)}")
    yield table(["N-MPJPE / PA-MPJPE mm", *(f"`{Path(name).stem}`" for name in networks)], rows)
    yield f"{'; '.join(sizes)}."


if __name__ == "__main__":
    run(data_sets, every=50)
