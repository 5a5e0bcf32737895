import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file, atomic_folder, check_output, remove_leftovers
from hyperlift.files.processes import own_mark

PYTHON = [sys.executable, "-c"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_appears_whole(tmp_path: Path):
    target = tmp_path / "new" / "poses.csv"
    with atomic_file(target) as partial:
        assert (partial.suffix, partial.name) == (".csv", "poses.csv")
        partial.write_text("first")
        assert not target.exists()
    assert target.read_text() == "first"
    with suppress(KeyError), atomic_file(target) as partial:
        partial.write_text("half of the sec")
        raise KeyError
    assert target.read_text() == "first"
    assert names_in(target.parent) == ["poses.csv"]


def test_permissions_are_those_of_any_file(tmp_path: Path):
    before = os.umask(0o027)
    try:
        with atomic_file(tmp_path / "a") as partial:
            partial.unlink()
            os.close(os.open(partial, os.O_CREAT | os.O_WRONLY, 0o600))  # as safetensors writes
        assert mode(tmp_path / "a") == 0o640
        (tmp_path / "a").chmod(0o600)
        with atomic_file(tmp_path / "a"):
            pass
        assert mode(tmp_path / "a") == 0o600, "what was private stays so"
        with atomic_folder(tmp_path / "folder"):
            pass
        assert mode(tmp_path / "folder") == 0o750
    finally:
        os.umask(before)


def test_nobody_else_can_enter_the_place_of_the_half_written_file(tmp_path: Path):
    with atomic_file(tmp_path / "a") as first, atomic_file(tmp_path / "a") as second:
        assert mode(first.parent) == 0o700
        assert first.parent != second.parent


def test_links_planted_under_the_names_of_older_versions_lead_nowhere(tmp_path: Path):
    precious = tmp_path / "precious"
    precious.write_text("keep")
    out = tmp_path / "out"
    out.mkdir()
    for name in (f".walk.{os.getpid()}.partial.csv", f".hyperlift-{own_mark()}.0.partial"):
        (out / name).symlink_to(precious)
    with atomic_file(out / "walk.csv") as partial:
        partial.write_text("new")
    remove_leftovers(out)
    assert precious.read_text() == "keep"
    assert (out / "walk.csv").read_text() == "new"


def test_a_link_in_the_place_of_the_output_is_replaced(tmp_path: Path):
    precious = tmp_path / "precious"
    precious.write_text("keep")
    (tmp_path / "walk.csv").symlink_to(precious)
    with atomic_file(tmp_path / "walk.csv") as partial:
        partial.write_text("new")
    assert precious.read_text() == "keep"
    assert not (tmp_path / "walk.csv").is_symlink()


def test_what_is_no_file_is_not_replaced(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("folder", "is a folder"), ("pipe", "no regular file"), ("n" * 300, "shorter name")):
        for opened in (lambda path: atomic_file(path).__enter__(), check_output):
            with pytest.raises(InputError, match=message):
                opened(tmp_path / name)
    with pytest.raises(InputError, match="no regular file"), atomic_file("/dev/null"):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: .*(no folder|cannot create)"), atomic_file(tmp_path / "file" / "a"):
        pass
    assert names_in(tmp_path) == ["file", "folder", "pipe"]


def test_a_name_of_the_greatest_length(tmp_path: Path):
    with atomic_file(tmp_path / ("n" * 251 + ".csv")) as partial:
        partial.write_text("new")
    assert len(names_in(tmp_path)[0]) == 255


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_one_line_wherever_it_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int):
    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    (tmp_path / "a").write_text("before")
    with pytest.raises(InputError, match=r"a: cannot be written \("), atomic_file(tmp_path / "a"):
        full()
    for call in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, call, full)
            with pytest.raises(InputError, match=r"a: cannot be written \("), atomic_file(tmp_path / "a"):
                pass
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"b: cannot be written \("), atomic_folder(tmp_path / "b") as folder:
            (folder / "inside").touch()
    assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_a_file_that_grows_beyond_the_limit(tmp_path: Path):
    script = (
        "import sys; from hyperlift.files.atomic import atomic_file\n"
        "with atomic_file(sys.argv[1]) as partial, partial.open('wb') as file:\n"
        "    file.write(b'x' * 10000)"
    )

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    (tmp_path / "a").write_text("before")
    done = subprocess.run(
        [*PYTHON, script, str(tmp_path / "a")], preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert f"InputError: {tmp_path / 'a'}: cannot be written (File too large); make room" in done.stderr
    assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "before"


@pytest.mark.parametrize("options", ["size=64k", "size=1m,ro"], ids=["full", "read-only"])
def test_a_file_system_that_is_full_or_read_only(tmp_path: Path, options: str):
    """A real one, in a mount namespace of its own where the system lets us have one."""
    script = (
        "import sys; from hyperlift.files.atomic import atomic_file\n"
        "with atomic_file(sys.argv[1]) as partial, partial.open('wb') as file:\n"
        "    file.write(b'x' * 100000)"
    )
    shell = f'mount -t tmpfs -o {options} tmpfs "$1" || exit 77; shift; "$@"; ls -A "$0"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", shell, tmp_path, tmp_path, *PYTHON, script, tmp_path / "a"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no mount namespace here")
    reason = "No space left on device" if "ro" not in options else "not writable"
    assert "InputError" in done.stderr
    assert reason in done.stderr
    assert done.stdout == "", "nothing is left behind"


def test_faults_of_other_files_keep_their_kind(tmp_path: Path):
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a"):
        (tmp_path / "source").read_text()


def test_a_folder_appears_whole_and_never_replaces_another(tmp_path: Path):
    with atomic_folder(tmp_path / "store") as folder:
        (folder / "meta.json").write_text("{}")
        assert not (tmp_path / "store").exists()
    assert names_in(tmp_path / "store") == ["meta.json"]
    with pytest.raises(InputError, match="already exists"), atomic_folder(tmp_path / "store"):
        pass
    other = atomic_folder(tmp_path / "other")
    other.__enter__()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "theirs").touch()
    with pytest.raises(InputError, match="another process has made it meanwhile"):
        other.__exit__(None, None, None)
    assert names_in(tmp_path) == ["other", "store"]
    assert names_in(tmp_path / "other") == ["theirs"]


def test_what_the_dead_leave_is_removed_and_what_the_living_write_is_not(tmp_path: Path):
    script = (
        "import os, sys, time; from hyperlift.files.atomic import atomic_file\n"
        "with atomic_file(sys.argv[1]) as partial:\n"
        "    partial.write_text('half'); print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([*PYTHON, script, str(tmp_path / "theirs")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    (living,) = names_in(tmp_path)
    _, pid, started = living.removeprefix(".hyperlift-").split(".")[0].split("-")
    for name, age_s in (
        (f".hyperlift-abc-{pid}-{started}.0.partial", 0.0),  # of another machine, a moment ago
        (f".hyperlift-abd-{pid}-{started}.0.partial", 30 * 86400.0),
        (living.replace(f"-{started}.", "-000000000000."), 0.0),  # its number was given to another process
        (".walk.4711.partial", 0.0),  # no name of ours
    ):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    with atomic_file(tmp_path / "ours"):
        pass
    assert names_in(tmp_path) == sorted(
        [".walk.4711.partial", f".hyperlift-abc-{pid}-{started}.0.partial", living, "ours"]
    )
    process.kill()
    process.wait()
    process.stdout.close()
    with atomic_file(tmp_path / "ours"):
        pass
    assert living not in names_in(tmp_path)
