"""Credit lines of motion capture data sets, to be kept in everything published from them."""

from collections.abc import Iterable

CMU_CREDIT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)

CREDITS = {
    "CMU": CMU_CREDIT,
    "UI-PRMD": (
        "UI-PRMD: A. Vakanski, H.-p. Jun, D. Paul, R. Baker, A Data Set of Human Body Movements for Physical "
        "Rehabilitation Exercises, Data 3(1):2, 2018."
    ),
    "MHAD": (
        "MHAD: F. Ofli, R. Chaudhry, G. Kurillo, R. Vidal, R. Bajcsy, Berkeley MHAD, WACV 2013; N. Lannan, L. Zhou, "
        "G. Fan, A Multiview Depth-based Motion Capture Benchmark Dataset, CVPR Workshops 2022; "
        "Copyright (c) 2021, natelannan-osu, BSD 2-Clause License."
    ),
    "HDM05": (
        "The data used in this project was obtained from HDM05. M. Müller, T. Röder, M. Clausen, B. Eberhardt, "
        "B. Krüger, A. Weber, Documentation Mocap Database HDM05, CG-2007-2, Universität Bonn, 2007; CC-BY-SA-3.0."
    ),
}
"""Credit lines by data set."""


def credit_of(datasets: Iterable[str]) -> str:
    """Credit lines of data sets, one per line, sorted by data set; unknown data sets have none."""
    return "\n".join(CREDITS[name] for name in sorted(set(datasets)) if name in CREDITS)
