import numpy as np
import pytest
from detection_clips import frames_of
from shared_data import shared_path

from hyperlift.detection.detector import TrackingDetector, detect_video
from hyperlift.detection.movenet import MoveNetDetector, _distinct, movenet_confidence, square_around
from hyperlift.detection.movenet_networks import MultiPose
from hyperlift.detection.registry import make_detector
from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.video.reading import Frame

THREADS = 1


def people_by_id(detections: Detections) -> dict[int, list[int]]:
    """Track id to the frames in which it occurs."""
    frames: dict[int, list[int]] = {}
    for frame, people in detections.frames.items():
        for person in people:
            assert person.track_id is not None
            frames.setdefault(person.track_id, []).append(frame)
    return frames


def distance_in_body_sizes(ours: np.ndarray, theirs: np.ndarray) -> float:
    sure = theirs[:, 2] >= 0.3
    size = np.linalg.norm(np.ptp(theirs[sure, :2], axis=0))
    return float(np.median(np.linalg.norm(ours[sure, :2] - theirs[sure, :2], axis=1)) / size)


def pose(x: float, y: float, score: float) -> np.ndarray:
    """Joints in a box of 40 x 100 pixels around x, y."""
    points = np.random.default_rng(0).uniform(-1, 1, (len(COCO_17), 2))
    points = (points - points.min(0)) / np.ptp(points, axis=0) - 0.5
    return np.concatenate([points * [40, 100] + [x, y], np.full((len(COCO_17), 1), score)], axis=1)


def test_the_square_holds_the_joints_that_are_seen_with_a_margin():
    person = np.concatenate([pose(300, 200, 0.8), [[900.0, 900.0, 0.1]]])
    square = square_around(person)
    assert square.side_px == pytest.approx(125)
    assert (square.left_px, square.top_px) == pytest.approx((300 - 62.5, 200 - 62.5))


def test_a_body_found_twice_is_kept_once_at_its_surer_look():
    sure, unsure, other = pose(0, 0, 0.9), pose(3, 0, 0.5), pose(60, 0, 0.4)
    assert [round(float(kept[0, 2]), 1) for kept in _distinct([unsure, other, sure])] == [0.9, 0.4]


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("name", ["movenet", "movenet-fast"])
def test_a_picture_without_people(name, noise):
    picture = np.full((240, 320, 3), 128, np.uint8)
    if noise:
        picture = np.random.default_rng(0).integers(0, 256, picture.shape, dtype=np.uint8)
    detector = make_detector(name, threads=THREADS)
    assert [detector.detect(picture, index) for index in range(3)] == [[], [], []]


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 2, 3), (1, 500, 3), (700, 2, 3)])
def test_tiny_pictures(shape):
    assert MoveNetDetector("lightning", threads=THREADS).detect(np.full(shape, 200, np.uint8), 0) == []


def test_a_grey_picture_without_colours_is_refused_with_what_to_do():
    with pytest.raises(InputError, match="stack a grey picture three times"):
        MoveNetDetector("lightning", threads=THREADS).detect(np.zeros((64, 64), np.uint8), 0)


def test_frames_must_come_in_order():
    detector = MoveNetDetector("lightning", threads=THREADS)
    picture = np.zeros((64, 64, 3), np.uint8)
    detector.detect(picture, 5)
    with pytest.raises(InputError, match="frame 5 comes after frame 5"):
        detector.detect(picture, 5)
    detector.reset()
    detector.detect(picture, 0)


@pytest.mark.parametrize("options", [{"follow": "blaze"}, {"long_side": 300}, {"fps": 0.0}, {"threads": 0}])
def test_impossible_options(options):
    with pytest.raises(InputError):
        MoveNetDetector(**options)


def test_unknown_names_and_options():
    with pytest.raises(InputError, match="known: movenet, movenet-fast, rtmlib"):
        make_detector("openpose")
    with pytest.raises(InputError, match="takes no option size; it takes follow, fps"):
        make_detector("movenet", size=3)


def test_confidence_grows_with_the_score_and_stays_in_its_range():
    confidence = movenet_confidence(np.linspace(0, 1.2, 200))
    assert (np.diff(confidence) >= 0).all()
    assert confidence[0] == 0
    assert confidence[-1] == 1


def test_three_people_are_found_and_keep_their_ids():
    """A balancing man, a woman close to the camera in front of his feet, a bystander far off."""
    shrunk = 2
    detector = MoveNetDetector(fps=60, threads=THREADS)
    assert isinstance(detector, TrackingDetector)
    detections = detect_video(frames_of("multiperson_cam01", 0, 11, shrunk), detector)
    assert detections.tracked
    assert list(detections.frames) == list(range(12))
    assert [len(frames) for frames in people_by_id(detections).values()] == [12, 12, 12]
    known = read_keypoints(shared_path("data/wild/multiperson_cam01.alphapose.json"))
    for frame, people in detections.frames.items():
        for theirs in known.frames[frame]:
            near = [
                distance_in_body_sizes(person.keypoints_px * [shrunk, shrunk, 1], theirs.keypoints_px)
                for person in people
            ]
            assert min(near) < 0.02  # made with the same networks by another program
            assert sorted(near)[1] > 0.2


def test_the_man_in_mid_air_is_the_same_man_after_landing():
    """He leaves the roof in a somersault and is not recognised upside down; somebody walks elsewhere meanwhile.

    Every second frame is left out, as in a video that is read too slowly.
    """
    clip = [frame for frame in frames_of("sports2d_demo", 110, 196, shrink=2) if frame.index % 2 == 0]
    ids = people_by_id(detect_video(clip, MoveNetDetector(threads=THREADS)))
    longest = sorted(ids.values(), key=len)[-2:]
    assert len(ids) == 2
    assert {frames[0] for frames in longest} == {110}
    assert {frames[-1] for frames in longest} == {196}


def test_the_same_pictures_give_the_same_keypoints():
    frames = list(frames_of("sports2d_demo", 60, 63, shrink=2))
    detector = MoveNetDetector("lightning", long_side=384, threads=THREADS)
    one, two = detect_video(frames, detector), detect_video(frames, detector)
    assert sum(map(len, one.frames.values())) >= 4
    for first, second in zip(one.frames.values(), two.frames.values(), strict=True):
        assert [person.track_id for person in first] == [person.track_id for person in second]
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a.keypoints_px, b.keypoints_px)


def test_a_mirrored_picture_gives_the_mirrored_person():
    (frame,) = frames_of("sports2d_demo", 20, 20, shrink=2)
    width = frame.rgb.shape[1]
    detector = MoveNetDetector(threads=THREADS)
    (plain,) = detector.detect(frame.rgb, 0)
    detector.reset()
    (mirrored,) = detector.detect(np.ascontiguousarray(frame.rgb[:, ::-1]), 0)
    back = mirrored.keypoints_px[COCO_17.mirror] * [-1, 1, 1] + [width, 0, 0]
    assert distance_in_body_sizes(back, plain.keypoints_px) < 0.015


def test_a_picture_cut_changes_the_people():
    """After the cut nobody goes on under an id of the scene before."""
    before = list(frames_of("sports2d_demo", 60, 61, shrink=2))
    after = list(frames_of("multiperson_cam01", 0, 1, shrink=2))
    frames = [Frame(number, number / 30, frame.rgb) for number, frame in enumerate(before + after)]
    detections = detect_video(frames, MoveNetDetector(threads=THREADS))
    ids = [{person.track_id for person in people} for people in detections.frames.values()]
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert len(ids[0]) == 2
    assert len(ids[2]) == 3
    assert not ids[1] & ids[2]


def test_people_who_cross_keep_their_ids():
    """A man walks to the right, a woman to the left in front of him: she hides him wholly for a quarter of a second."""

    def crossing():
        for frame in frames_of("multiperson_cam01", 0, 29, shrink=2):
            picture = np.full((520, 900, 3), 120, np.uint8)
            left, right = 30 + 20 * frame.index, 600 - 20 * frame.index
            picture[:410, left : left + 210] = frame.rgb[150:560, 110:320]
            picture[:, right : right + 250] = frame.rgb[380:900, 270:520]
            yield Frame(frame.index, frame.time_s, picture)

    detector = make_detector("movenet-fast", threads=THREADS)
    detections = detect_video(crossing(), detector)
    at = {
        frame: {person.track_id: float(np.nanmedian(person.keypoints_px[:, 0])) for person in people}
        for frame, people in detections.frames.items()
    }
    man, woman = sorted(at[0], key=lambda track_id: at[0][track_id])
    assert at[29].keys() == {man, woman}
    assert at[29][man] > 600
    assert at[29][woman] < 300
    assert min(map(len, at.values())) == 1  # hidden, not doubled


def test_more_than_six_people():
    """MultiPose itself stops at six."""
    (frame,) = frames_of("multiperson_cam01", 0, 0, shrink=2)
    man = frame.rgb[150:560, 100:330]
    crowd = np.concatenate([man] * 8, axis=1)
    assert len(MultiPose(512, THREADS)(crowd)) <= 6
    assert len(MoveNetDetector(threads=THREADS).detect(crowd, 0)) == 8


def test_memory_holds_one_picture_at_a_time():
    import weakref

    alive: list[weakref.ref] = []

    def blank():
        for index in range(6):
            picture = np.zeros((64, 64, 3), np.uint8)
            assert sum(reference() is not None for reference in alive) <= 1
            alive.append(weakref.ref(picture))
            yield Frame(index, index / 30, picture)

    seen: list[int] = []
    detector = MoveNetDetector("lightning", threads=THREADS)
    detections = detect_video(blank(), detector, on_frame=lambda index, people: seen.append(index))
    assert seen == list(range(6))
    assert detections.frames == {index: [] for index in range(6)}
