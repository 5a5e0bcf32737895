"""Changes body proportions: bone directions are kept, lengths change equally on both sides."""

import numpy as np

from hyperlift.geometry.forward_kinematics import joints_from_bones
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

Range = tuple[float, float]


def draw_proportions(
    skeleton: Skeleton,
    spread: float,
    rng: np.random.Generator,
    hip_width: Range = (1.0, 1.0),
    shoulder_width: Range = (1.0, 1.0),
) -> Float[np.ndarray, " joints"]:
    """Draw a length factor for the bone that ends in each joint, equal for left and right.

    Args:
        skeleton: names the joints.
        spread: standard deviation of the logarithm of a factor, cut at two standard deviations.
        rng: random generator.
        hip_width: lowest and highest further factor of the bones from pelvis to hips, uniform in its logarithm:
            data sets place hips less alike than people differ.
        shoulder_width: the same for the bones from thorax to shoulders.
    """
    overall = np.exp(np.clip(rng.normal(0.0, spread), -2 * spread, 2 * spread))
    factors = overall * np.exp(np.clip(rng.normal(0.0, spread, len(skeleton)), -2 * spread, 2 * spread))
    for right, left in skeleton.pairs:
        factors[left] = factors[right]
    # A foot grows as a whole: its sole stays flat.
    for joint in {"LSmallToe", "LHeel", "RSmallToe", "RHeel"} & set(skeleton.joints):
        factors[skeleton.index(joint)] = factors[skeleton.index("LBigToe")]
    for joint, (low, high) in (("Hip", hip_width), ("Shoulder", shoulder_width)):
        if low != high:
            factors[skeleton.indices(("L" + joint, "R" + joint))] *= np.exp(rng.uniform(np.log(low), np.log(high)))
    return factors


def with_proportions(
    joints_m: Float[np.ndarray, "frames joints 3"], factors: Float[np.ndarray, " joints"], skeleton: Skeleton
) -> Float[np.ndarray, "frames joints 3"]:
    """Scale each bone by the factor of the joint in which it ends.

    The path of the root is scaled with the legs, so that steps keep their length relative to the body; the ground
    stays at z = 0.

    Args:
        joints_m: world metres, z up.
        factors: as ``draw_proportions`` gives them.
        skeleton: the bones.
    """
    legs = float(np.mean([factors[skeleton.index(joint)] for joint in ("RKnee", "RAnkle")]))
    bones_m = factors[:, None] * (joints_m - joints_m[:, np.maximum(skeleton.parents, 0)])
    return joints_from_bones(bones_m, joints_m[:, skeleton.root] * legs, skeleton.parents)
