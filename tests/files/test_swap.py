"""A swap that is killed between any two of its steps is completed by whoever opens the folder next."""

import os
from pathlib import Path

import pytest

from hyperlift.errors import InputError
from hyperlift.files.swap import (
    SWAP_NAME,
    complete_swap,
    conflicting_files,
    file_hash,
    is_interrupted,
    publish,
    staging,
)


class Killed(BaseException):
    """Stands for the end of the process."""


OLD = {"report.json": "old report", "a.csv": "old a", "b.csv": "old b", "gone.bvh": "old body", "notes.txt": "mine"}
NEW = {"report.json": "new report", "a.csv": "new a", "b.csv": "new b", "c.csv": "new c"}


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}


def fill(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def swap(folder: Path) -> None:
    over = {name: file_hash(folder / name) for name in ("report.json", "a.csv", "b.csv")}
    with staging(folder) as new:
        fill(new, NEW)
        publish(new, folder, over=over, gone={"gone.bvh": file_hash(folder / "gone.bvh")}, seal="report.json")


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Die at the step-th call that changes a folder."""
    calls = 0

    def counted(call):
        def step_or_die(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == step:
                raise Killed
            return call(*args, **kwargs)

        return step_or_die

    monkeypatch.setattr("hyperlift.files.swap.os.replace", counted(os.replace))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))
    monkeypatch.setattr(Path, "rmdir", counted(Path.rmdir))
    monkeypatch.setattr("hyperlift.files.swap.sync", counted(lambda path: None))


def test_all_or_none_whenever_the_process_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    after = {**NEW, "notes.txt": "mine"}
    step, seen = 0, set()
    while "finished" not in seen:
        step += 1
        folder = tmp_path / str(step)
        fill(folder, OLD)
        with monkeypatch.context() as patched:
            kill_at(patched, step)
            try:
                swap(folder)
                seen.add("finished")
            except Killed:
                pass
        found = content(folder)
        sealed = found.get("report.json")
        assert sealed is None or found == (OLD if sealed == "old report" else after), "who looks now is not misled"
        if is_interrupted(folder):
            seen.add("decided")
            complete_swap(folder)
            assert content(folder) == after
        else:
            seen.add("done" if found == after else "untouched")
            assert found in (OLD, after)
        assert not is_interrupted(folder)
    assert seen == {"untouched", "decided", "done", "finished"}
    assert step > 8


def test_what_came_into_the_way_is_refused_before_anything_changes(tmp_path: Path):
    fill(tmp_path, {**OLD, "c.csv": "mine, too"})
    with pytest.raises(InputError, match=r"c\.csv: changed meanwhile"):
        swap(tmp_path)
    assert content(tmp_path) == {**OLD, "c.csv": "mine, too"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_came_into_the_way_after_the_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fill(tmp_path, OLD)
    with monkeypatch.context() as patched:
        kill_at(patched, 4)
        with pytest.raises(Killed):
            swap(tmp_path)
    assert is_interrupted(tmp_path)
    (tmp_path / "b.csv").write_text("edited since")
    (tmp_path / "gone.bvh").write_text("edited since")
    before = content(tmp_path)
    with pytest.raises(InputError, match=r"b\.csv: changed meanwhile"):
        complete_swap(tmp_path)
    assert content(tmp_path) == before
    complete_swap(tmp_path, overwrite=True)
    assert content(tmp_path) == {**NEW, "notes.txt": "mine", "gone.bvh": "edited since"}


def test_folders_are_moved_as_well(tmp_path: Path):
    with staging(tmp_path) as new:
        fill(new / "train", {"clips.npy": "1"})
        fill(new / "test", {"clips.npy": "2"})
        publish(new, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"train", "test"}


def test_links_are_in_the_way(tmp_path: Path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    ours = dict.fromkeys(("a", "link", "dangling", "absent"), file_hash(tmp_path / "a"))
    assert conflicting_files(tmp_path, ours, ours) == ["dangling", "link"]


@pytest.mark.parametrize(
    "plan", ["{", "[]", '{"over": {}, "gone": {"../a": ""}, "seal": null}', '{"over": {}, "gone": {}}']
)
def test_a_plan_of_somebody_else_is_refused(tmp_path: Path, plan: str):
    (tmp_path / SWAP_NAME).mkdir()
    (tmp_path / SWAP_NAME / "plan.json").write_text(plan)
    with pytest.raises(InputError, match="no swap of this version"):
        complete_swap(tmp_path)


@pytest.mark.parametrize("link", [SWAP_NAME, f"{SWAP_NAME}/new"])
def test_a_link_brings_nothing_from_elsewhere(tmp_path: Path, link: str):
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    (elsewhere / "new").mkdir(parents=True)
    for inside in (elsewhere, elsewhere / "new"):
        (inside / "mine.txt").write_text("mine")
    (elsewhere / "plan.json").write_text('{"over": {}, "gone": {}, "seal": null}')
    (folder / link).parent.mkdir(parents=True)
    (folder / link).symlink_to(elsewhere)
    if link != SWAP_NAME:
        (folder / SWAP_NAME / "plan.json").write_text('{"over": {}, "gone": {}, "seal": null}')
    with pytest.raises(InputError, match="is no swap of this version"):
        complete_swap(folder)
    assert sorted(path.name for path in elsewhere.rglob("*")) == ["mine.txt", "mine.txt", "new", "plan.json"]
    assert os.listdir(folder) == [SWAP_NAME]
