"""The stages between keypoints and motion, in order: track, lift, place, fit."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from hyperlift.body.joint_limits import read_limits
from hyperlift.body.person import Person
from hyperlift.body.rigid_people import check_skeleton
from hyperlift.errors import InputError, valid_unicode
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.keypoints.checks import check_keypoints
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.recorded import Recorded
from hyperlift.lifting.camera_roll import contradicting_roll, lift_and_find_roll, roll_warning, upright_predictor
from hyperlift.lifting.lift import lift_people, track_people
from hyperlift.motion.formats.poses_npz import poses_meta
from hyperlift.motion.motion import Motion
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.progress import Progress, Timings
from hyperlift.placement.body_height import BodyHeight
from hyperlift.placement.lens import Intrinsics, choose_intrinsics
from hyperlift.placement.place import Placement, place_people
from hyperlift.runtime.session import OnnxLifter
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.tracks import Track

_LOG = logging.getLogger(__name__)
Placed = tuple[list[Person], Placement]


def lift_keypoints(
    detections: Detections,
    recorded: Recorded,
    lifter: OnnxLifter,
    options: LiftOptions,
    progress: Progress,
    timings: Timings,
) -> Motion:
    """Lift all people of a recording.

    Args:
        detections: of all people.
        recorded: picture size and times of the video.
        lifter: the network.
        options: of lifting.
        progress: called for every finished frame of a stage.
        timings: receives the time of each stage.

    Raises:
        InputError: options and recording contradict each other, or nobody can be tracked.
    """
    spec, skeleton = lifter.spec, skeleton_named(lifter.spec.skeleton)
    size = recorded.width, recorded.height
    if options.rigid:
        check_skeleton(spec.skeleton)
    camera = choose_camera(recorded, options)
    with timings.stage("lift"):
        tracks = track_people(detections, *size, recorded.times_s, options.min_confidence)
        warnings = check_keypoints(detections, *size)
        selected = _selected_ids(tracks, options.people)
    averaged = FlipAveraged(lifter, skeleton) if options.flip else lifter

    def placed_at(roll_deg: float) -> Placed:
        """Lift and place with this roll of the camera removed."""
        predict = upright_predictor(averaged, spec, roll_deg, camera)
        with timings.stage("lift"):
            lifted = lift_people(
                predict, spec, tracks, *size, recorded.times_s, options.smooth, partial(progress, "lift")
            )
            timings.frames["lift"] += sum(len(track.frame) for track in lifted)
        height = None if options.height_m is None else BodyHeight.given(options.height_m)
        with timings.stage("place"):
            # All people contribute to gravity and floor, also those who are not selected.
            return place_people(lifted, spec, camera, height, options.camera_pitch_deg, options.camera_roll_deg)

    (people, placement), roll_deg = _without_roll(placed_at, options.camera_roll_deg, skeleton)
    if placement.world.seen_roll_deg is not None:
        warnings = [*warnings, roll_warning(roll_deg, placement.world.seen_roll_deg)]
    motion = Motion(
        people=[person for person in people if person.id in selected],
        meta=poses_meta(
            source=valid_unicode(recorded.path.name),
            width=recorded.width,
            height=recorded.height,
            fps=recorded.fps,
            lifter=spec,
            placement=placement.as_dict(),
        ),
        recorded=recorded,
        detections=detections,
        levelled_deg=roll_deg,
        warnings=tuple(warnings),
    )
    if not options.rigid:
        return motion
    with timings.stage("fit", sum(len(person.frame) for person in motion.people)):
        return motion.rigid(None if options.limits is None else read_limits(options.limits))


def choose_camera(recorded: Recorded, options: LiftOptions) -> Intrinsics:
    """Intrinsics from the options, the metadata of the video, or an assumption.

    Raises:
        InputError: the options are out of range.
    """
    metadata = recorded.facts.metadata if recorded.facts is not None else None
    return choose_intrinsics(
        recorded.width, recorded.height, fov_deg=options.fov_deg, given=options.intrinsics, metadata=metadata
    )


def _without_roll(
    placed_at: Callable[[float], Placed], given_deg: float | None, skeleton: Skeleton
) -> tuple[Placed, float]:
    """People lifted with the roll of the camera removed, and that roll, given or estimated."""
    if given_deg is None:
        placed, roll_deg = lift_and_find_roll(placed_at, lambda at: (at[1].world.roll_deg, at[1].world.tilt_std_deg))
        if roll_deg:
            _LOG.info("the camera is rolled by about %.0f degrees: keypoints were turned upright", roll_deg)
        return placed, roll_deg
    people, placement = placed_at(given_deg)
    seen_deg = contradicting_roll(people, skeleton, placement.height.height_m, given_deg)
    if seen_deg is not None:
        placement = replace(placement, world=placement.world.contradicted(seen_deg))
    return (people, placement), given_deg


def _selected_ids(tracks: Sequence[Track], people: Sequence[int] | None) -> set[int]:
    known = {track.id for track in tracks}
    if people is None:
        return known
    strangers = [number for number in people if number not in known]
    if strangers:
        raise InputError(
            f"person {strangers[0]} (`people`): there is no such person; choose from "
            f"{', '.join(f'p{n}' for n in sorted(known))}"
        )
    return set(people)
