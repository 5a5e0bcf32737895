import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from hyperlift.errors import InputError
from hyperlift.files.locks import LOCK_NAME, folder_lock, remove_lock
from hyperlift.files.processes import ProcessMark, own_mark

HOLD = (
    "import sys, time; from pathlib import Path; from hyperlift.files.locks import folder_lock\n"
    "with folder_lock(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def write_lock(folder: Path, mark: ProcessMark, host: str = "farm7") -> Path:
    facts = {"host": host, "since": "2026-01-01T00:00:00+00:00", "process": str(mark)}
    (folder / LOCK_NAME).write_text(json.dumps(facts))
    return folder / LOCK_NAME


def test_a_lock_ends_with_its_block(tmp_path: Path):
    with suppress(KeyboardInterrupt), folder_lock(tmp_path / "new" / "run"):
        assert (tmp_path / "new" / "run" / LOCK_NAME).is_file()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [], "folders that stayed empty go as well"


def test_the_second_run_is_refused_and_told_who_was_first(tmp_path: Path, holder: subprocess.Popen[bytes]):
    with pytest.raises(InputError, match=rf"process {holder.pid} of .* since 20.*\(`wait=True`\)"):
        folder_lock(tmp_path, wait=False).__enter__()
    with pytest.raises(InputError, match=r"wait until it ends or choose"):
        folder_lock(tmp_path).__enter__()


def test_two_threads_of_a_process_are_two_runs(tmp_path: Path):
    with folder_lock(tmp_path), pytest.raises(InputError, match=f"process {os.getpid()} of"):
        folder_lock(tmp_path).__enter__()


def test_a_dead_process_holds_nothing(tmp_path: Path, holder: subprocess.Popen[bytes]):
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    for _ in range(2):  # the first time it is dead, and not waited for
        with folder_lock(tmp_path):
            assert json.loads((tmp_path / LOCK_NAME).read_text())["process"] == str(own_mark())
        holder.wait()
    # The number of a process that ended was given to another one, this one.
    write_lock(tmp_path, ProcessMark(own_mark().machine, os.getpid(), "0123456789ab"))
    with folder_lock(tmp_path):
        pass


def test_waiting(tmp_path: Path, holder: subprocess.Popen[bytes], caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    threading.Timer(0.5, holder.kill).start()
    with folder_lock(tmp_path, wait=True):
        assert holder.wait() != 0
    assert f"process {holder.pid}" in caplog.text


def test_the_lock_of_another_machine_is_never_stolen(tmp_path: Path):
    lock = write_lock(tmp_path, ProcessMark("0123456789ab", os.getpid(), "0123456789ab"))
    before = lock.read_bytes()
    with pytest.raises(InputError, match=rf"on another machine, farm7,.*has ended, remove {lock}"):
        folder_lock(tmp_path, wait=False).__enter__()
    remove_lock(tmp_path)
    assert lock.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe", b"[1]", b"[" * 100_000, b'{"host": 1, "since": 2, "process": 3}']
)
def test_a_damaged_lock_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / LOCK_NAME).write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be told from its lock.*remove"):
        folder_lock(tmp_path).__enter__()


def test_an_empty_lock_is_nobodys(tmp_path: Path):
    (tmp_path / LOCK_NAME).touch()
    with folder_lock(tmp_path):
        pass


def test_a_link_in_its_place_is_not_followed(tmp_path: Path):
    (tmp_path / "precious").write_text("")
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="cannot be written"):
        folder_lock(tmp_path).__enter__()
    assert (tmp_path / "precious").read_text() == ""


def test_of_many_at_once_one_at_a_time_takes_over(tmp_path: Path):
    """All find the lock of a dead process; never are two of them inside."""
    write_lock(tmp_path, ProcessMark(own_mark().machine, os.getpid(), "0123456789ab"))
    script = (
        "import os, sys; from pathlib import Path; from hyperlift.files.locks import folder_lock\n"
        "folder = Path(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    with folder_lock(folder, wait=True):\n"
        "        os.close(os.open(folder / 'inside', os.O_CREAT | os.O_EXCL)); os.unlink(folder / 'inside')"
    )
    script = f"import hyperlift.files.locks; hyperlift.files.locks._POLL_S = 0.001\n{script}"
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert list(tmp_path.iterdir()) == []
