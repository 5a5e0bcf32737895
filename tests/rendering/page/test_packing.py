import numpy as np
import pytest
from packed_numbers import from_steps, unpack

from hyperlift.rendering.page.packing import pack, quantised


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32"])
@pytest.mark.parametrize("shape", [(1,), (7,), (40, 3), (5, 17, 3), (3, 0)])
def test_whole_numbers_come_back_whole(kind, shape):
    limits = np.iinfo(kind)
    # The extremes make differences that do not fit the type.
    values = np.random.default_rng(0).choice([limits.min, -1 % (limits.max + 1), 0, 1, limits.max], shape).astype(kind)
    back = unpack(pack(values))
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


def test_steps_are_kept_to_half_a_step_and_the_rest_is_missing():
    values = np.array([0.0, 1.23456, -1.23456, np.nan, np.inf, 1e9])
    back = from_steps(quantised(values, 2e-4, "int16"), 2e-4)
    assert np.abs(back[:3] - values[:3]).max() <= 1e-4 + 1e-12
    assert np.isnan(back[3:]).all()
