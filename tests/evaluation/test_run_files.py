import json

import pytest

from hyperlift.errors import InputError
from hyperlift.evaluation.run_files import read_scores, read_training_log

BENCH = {"views": 2, "frames": 9, "n_mpjpe_mm": 1, "pa_mpjpe_mm": 1, "jitter_mm": 1, "bone": 0.1, "flip": True}
ERRORS = {"frames": 3, "p1_mm": 1.0, "p2_mm": 1.0, "n_mpjpe_mm": 1.0}
STORE = {
    "actions": {"walk": ERRORS},
    "overall": {"joints": {"Hip": {"p1_mm": 1.0}}},
    "mean_over_frames": ERRORS,
    "size_given": False,
    "protocol": {"flip": True},
}


def test_a_log_is_a_record_an_epoch(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"epoch": 1, "lr": 0.1, "validation": {"mpjpe": NaN}}\n{"epoch": 2, "lr": 0.1}\n')
    assert [record["epoch"] for record in read_training_log(log, needs=("lr",))] == [1, 2]
    with pytest.raises(InputError, match=r"log.jsonl, line 1: lacks seconds"):
        read_training_log(log, needs=("lr", "seconds"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3", "line 1: not the log of a run: 3 has no epoch"),
        ("{}", "has no epoch"),
        ('{"epoch": true}', "has no epoch"),
        ('{"epoch": 1' + "0" * 400 + "}", "has no epoch"),
        ('{"epoch": 1, "loss": "x"}', "'loss' is 'x'; expected a number"),
        ('{"epoch": 1, "loss": 1e308}', "'loss' is 1e[+]308; expected a number"),
        ('{"epoch": 1, "validation": {"mpjpe": [1]}}', "'mpjpe' is \\[1\\]; expected a number"),
        ('{"epoch": 1, "lo', "line 1: is not JSON"),
        ("[" * 10**5, "line 1: is nested too deeply"),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path, line, message):
    log = tmp_path / "log.jsonl"
    log.write_text(line + "\n")
    with pytest.raises(InputError, match=message):
        read_training_log(log)


@pytest.mark.parametrize("scores", [BENCH, STORE])
def test_scores_come_back_as_they_were_written(tmp_path, scores):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps(scores))
    assert read_scores(path) == scores


@pytest.mark.parametrize(
    "scores",
    [
        [],
        {"views": 1},
        BENCH | {"bone": None},
        BENCH | {"frames": "9"},
        BENCH | {"flip": 1},
        STORE | {"actions": 3},
        STORE | {"actions": {"walk": [ERRORS]}},
        STORE | {"actions": {"walk": ERRORS | {"p1_mm": 1e300}}},
        STORE | {"overall": {"joints": {"Hip": {}}}},
        STORE | {"overall": {"joints": [1]}},
        STORE | {"overall": {}},
        STORE | {"mean_over_frames": None},
        STORE | {"protocol": {}},
    ],
)
def test_other_scores_are_refused(tmp_path, scores):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps(scores))
    with pytest.raises(InputError, match=r"scores\.json: .*write it with hyperlift evaluate"):
        read_scores(path)
