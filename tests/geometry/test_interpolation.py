import numpy as np

from hyperlift.geometry.interpolation import interpolate_missing


def test_points_stand_on_the_line_between_sightings_and_still_beyond_them():
    known = np.array([[0, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]], bool)
    points = np.full((6, 3, 2), -99.0)
    points[1, 0], points[4, 0] = (0.0, 10.0), (3.0, 40.0)
    filled = interpolate_missing(points, known)
    np.testing.assert_allclose(filled[:, 0], [[0, 10], [0, 10], [1, 20], [2, 30], [3, 40], [3, 40]])
    np.testing.assert_array_equal(filled[:, 1:], points[:, 1:])  # known everywhere, and nowhere
    # Uneven times: frame 2 is a tenth of the way, frame 3 nine tenths.
    uneven = interpolate_missing(points, known, np.array([0.0, 1.0, 1.1, 1.9, 2.0, 9.0]))
    np.testing.assert_allclose(uneven[:, 0, 0], [0, 0, 0.3, 2.7, 3, 3])
