"""What README.md, docs/lifting.md and docs/animation.md print as Python runs, and means what they say."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from hyperlift.skeletons.joint_sets import H36M_17

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The Python blocks of the pages; the working folder has the examples, and what the README's first line made."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return {
        page: re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        for page in ("README.md", "docs/lifting.md", "docs/animation.md")
    }


def test_lifting_from_pixels(blocks: dict[str, list[str]], tmp_path: Path):
    names: dict = {}
    exec(blocks["README.md"][0], names)
    motion = names["motion"]
    assert len(motion.people) == 3
    assert (tmp_path / "out" / "pose3d.npz").is_file()
    for person in motion.people:
        size_m = np.ptp(person.world_m[..., 2], axis=1).max()
        assert 1.2 < size_m < 2.3, "somebody of 1.70 m who stands or balances, from sole to head or raised hand"
    # Head above feet along z, whatever the tilt of the camera.
    head, foot = H36M_17.index("Head"), H36M_17.index("LAnkle")
    assert all((person.world_m[:, head, 2] > person.world_m[:, foot, 2] + 0.5).all() for person in motion.people)

    (bodies,) = blocks["docs/animation.md"]
    exec(bodies, names)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {f"person_p{n}.{kind}" for n in range(3) for kind in ("bvh", "glb")} | {
        "person.trc",
        "angles.csv",
    }
    assert [person.id for person in names["again"].people] == [0, 1, 2]

    (tmp_path / "out" / "demo").mkdir()
    shutil.move(tmp_path / "out" / "pose3d.npz", tmp_path / "out" / "demo" / "pose3d.npz")
    reading, api = blocks["docs/lifting.md"]
    exec(reading, names)
    assert names["left_wrist_m"].shape == (100, 3)
    exec(api, names)
    assert (tmp_path / "out" / "people.mp4").stat().st_size > 10_000
    assert [person.id for person in names["motion"].people] == [0, 1, 2]
