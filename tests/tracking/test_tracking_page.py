"""The examples of docs/tracking.md run as printed."""

import re
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def test_the_examples_run(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "tracking.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    camera = np.concatenate([np.random.default_rng(0).uniform(300, 600, (12, 17, 2)), np.ones((12, 17, 1))], axis=-1)
    names = {"camera": list(camera)}
    for block in blocks:
        exec(block, names)
    assert [track.id for track in names["tracks"]] == [0, 1, 2]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) > 300
    several = [line.split() for line in printed[8:]]
    assert {number for number, *_ in several} >= {"0", "1"}
    indices = [int(index) for _, index, *_ in several]
    assert indices == sorted(indices)
    assert indices[-1] == max(names["detections"].frames) == len(names["time_s"]) - 1 == 225
