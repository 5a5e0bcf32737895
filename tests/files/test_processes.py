import os
import subprocess
import sys
from dataclasses import replace

import pytest

from hyperlift.files.processes import ProcessMark, own_mark


def test_a_mark_is_read_back():
    assert ProcessMark.parse(str(own_mark())) == own_mark()
    assert own_mark().alive


@pytest.mark.parametrize(
    "text", ["", "a-b", "a-b-c", "a-1", "a-1-", "-1-c", "a-1-c-d", "a-١-c", "a--1-c", "a-" + "1" * 400 + "-c"]
)
def test_other_text_is_no_mark(text: str):
    assert ProcessMark.parse(text) is None


def test_a_process_is_dead_when_it_ended_and_when_its_number_is_used_again():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with process:
        mark = replace(own_mark(), pid=process.pid, started="")
        assert mark.alive, "of one whose start is not known, the number is all there is"
        assert not replace(mark, started="0123456789ab").alive
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not mark.alive, "dead, and not waited for"
    assert not mark.alive
    assert not replace(own_mark(), pid=2**62).alive


def test_nobody_can_tell_of_another_machine():
    assert replace(own_mark(), machine="elsewhere").alive is None


def test_marks_differ_after_a_fork():
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(own_mark()).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        mark = told.read()
    os.waitpid(child, 0)
    assert ProcessMark.parse(mark) != own_mark()
    assert str(child) in mark
