import pytest

from fuzz.cases import MOST_BYTES, MOST_SECONDS
from fuzz.openers import HELPERS, NOT_OF_THE_USER, WITHIN_READERS, openings
from fuzz.running import Tally, Workers

CASES = 60
"""A reader; ``make fuzz`` runs many more."""


@pytest.fixture(scope="module")
def workers():
    with Workers() as workers:
        yield workers


def test_every_registered_reader_has_files_to_be_fuzzed_with(workers):
    assert workers.readers
    assert workers.without_targets == [], "add them to a module seeds_of_… in tests/fuzz"


def test_what_opens_files_is_a_registered_reader_or_has_a_reason():
    allowed = {*HELPERS, *WITHIN_READERS, *NOT_OF_THE_USER}
    found = set(openings())
    assert found - allowed == set(), "register them (hyperlift.readers), or say in fuzz/openers.py why not"
    assert allowed - found == set(), "these open nothing any more: strike them out of fuzz/openers.py"


def test_no_reader_ends_in_another_exception_hangs_or_takes_a_gigabyte(workers):
    known = [name for name in workers.readers if name not in workers.without_targets]
    tallies = [workers.run(name, 0, CASES) for name in known]
    assert [_told(tally) for tally in tallies if tally.faults] == []
    for tally in tallies:
        outcomes = {kind: tally.counts[kind] for kind in ("read", "refused", "netted")}
        assert sum(outcomes.values()) == tally.cases
        assert outcomes["refused"], f"{tally.reader}: {outcomes}; nothing of the damage reached it"
        assert tally.peak_mb < MOST_BYTES / 1e6


def _told(tally: Tally) -> str:
    bad = [event for event in tally.events if event["end"] not in ("netted", "read", "refused") or _is_large(event)]
    first = bad[0] if bad else {}
    return f"make fuzz READER='{tally.reader}' SEED={first.get('seed')}: {first}"


def _is_large(event) -> bool:
    return event.get("memory") or event.get("seconds", 0) > MOST_SECONDS
