"""What a run's files say of its configuration, read by a later version of the library."""

from collections.abc import Callable, Mapping
from typing import Any

from hyperlift.config.loader import from_mapping, to_mapping
from hyperlift.training.config import RunConfig

Sections = Mapping[str, Callable[[Mapping[str, Any], str], Mapping[str, Any]]]
"""What completes the sections that a record has beside the keys of ``RunConfig``, by name."""


def complete_record(record: Mapping[str, Any], source: str, sections: Sections) -> Mapping[str, Any]:
    """The record of a run as this version would have written it.

    Keys that did not exist yet get their defaults: the run went as if they had stood there.

    Args:
        record: plain values of a ``RunConfig``, and sections.
        source: the file it stands in, for messages.
        sections: the sections that this command knows.

    Raises:
        InputError: a key that does not exist (any more), or a value that is no longer accepted.
    """
    run = from_mapping({key: value for key, value in record.items() if key not in sections}, RunConfig, source)
    more = {key: fill(record[key], f"{source}: {key}") for key, fill in sections.items() if key in record}
    return {**to_mapping(run), **more}
