import threading

import pytest

from hyperlift.video.prefetch import ahead


def test_same_items_in_order():
    assert list(ahead(range(50))) == list(range(50))
    assert list(ahead([])) == []


def test_error_arrives_after_the_items_before_it():
    def items():
        yield 1
        raise KeyError("gone")

    reader = ahead(items())
    assert next(reader) == 1
    with pytest.raises(KeyError, match="gone"):
        next(reader)


def test_leaving_early_closes_the_items_and_ends_the_thread():
    closed = []

    def items():
        try:
            yield from range(10**9)
        finally:
            closed.append(threading.current_thread().name)

    before = threading.active_count()
    for item in (reader := ahead(items(), depth=2)):
        if item == 3:
            break
    reader.close()
    assert closed == ["ahead"]
    assert threading.active_count() == before


def test_never_farther_ahead_than_asked():
    started = []

    def items():
        for number in range(20):
            started.append(number)
            yield number

    for number in ahead(items(), depth=2):
        # Two wait, one is in the hand of the thread, one may have been asked for.
        assert len(started) <= number + 1 + 2 + 1
