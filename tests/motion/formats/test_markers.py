import numpy as np
import pytest
from rigid_people import moving_person, times_s

from hyperlift.body.rigid_fit import FittedMotion, fit_motion
from hyperlift.errors import InputError
from hyperlift.motion.formats.c3d import write_c3d
from hyperlift.motion.formats.node_tree import joints_y_up_m
from hyperlift.motion.formats.trc import write_trc
from hyperlift.skeletons.joint_sets import H36M_17

WRIST = H36M_17.index("LWrist")


def _person() -> FittedMotion:
    joints_m, _ = moving_person(20, 1)
    joints_m[5:8, WRIST] = np.nan
    return fit_motion(joints_m, times_s(20), axes="world")


@pytest.mark.parametrize(("unit", "per_m"), [("m", 1.0), ("mm", 1000.0)])
def test_trc_read_as_a_table(tmp_path, unit, per_m):
    fitted = _person()
    path = tmp_path / "person.trc"
    write_trc(path, fitted, unit=unit)
    lines = path.read_text().splitlines()
    assert lines[0].split("\t") == ["PathFileType", "4", "(X/Y/Z)", "person.trc"]
    facts = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert facts["Units"] == unit
    assert float(facts["DataRate"]) == pytest.approx(25.0)
    assert (facts["NumFrames"], facts["NumMarkers"]) == ("20", "17")
    assert lines[3].split("\t")[2::3] == list(H36M_17.joints)
    table = np.genfromtxt(lines[6:], delimiter="\t")
    assert table.shape == (20, 2 + 51)
    np.testing.assert_allclose(table[:, 1], times_s(20), atol=1e-6)
    read_m = table[:, 2:].reshape(20, 17, 3) / per_m
    np.testing.assert_array_equal(np.isfinite(read_m).all(-1), fitted.seen)
    np.testing.assert_allclose(read_m[fitted.seen], joints_y_up_m(fitted)[fitted.seen], atol=1e-5)
    write_trc(path, fitted, unit=unit, guessed=True)
    table = np.genfromtxt(path.read_text().splitlines()[6:], delimiter="\t")
    np.testing.assert_allclose(table[:, 2:].reshape(20, 17, 3) / per_m, joints_y_up_m(fitted), atol=1e-5)


def test_trc_of_an_unknown_unit_is_refused(tmp_path):
    with pytest.raises(InputError, match="choose from m, mm"):
        write_trc(tmp_path / "no.trc", _person(), unit="inch")
    assert not list(tmp_path.iterdir())


def test_c3d_read_by_ezc3d(tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    fitted = _person()
    write_c3d(tmp_path / "person.c3d", fitted)
    file = ezc3d.c3d(str(tmp_path / "person.c3d"))
    point = file["parameters"]["POINT"]
    assert point["LABELS"]["value"] == list(H36M_17.joints)
    assert point["UNITS"]["value"] == ["mm"]
    assert point["RATE"]["value"][0] == pytest.approx(25.0)
    read_m = file["data"]["points"][:3].transpose(2, 1, 0) / 1000.0
    assert not np.isfinite(read_m[6, WRIST]).any()
    # World metres are z up already: as they came.
    np.testing.assert_allclose(read_m[fitted.seen], fitted.joints_m[fitted.seen], atol=1e-4)
