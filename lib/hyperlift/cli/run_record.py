"""Records of the configuration of a run, read by a later version of the library."""

from collections.abc import Callable, Mapping
from typing import Any

from hyperlift.config.loader import from_mapping, to_mapping
from hyperlift.training.config import RunConfig

Sections = Mapping[str, Callable[[Mapping[str, Any], str], Mapping[str, Any]]]
"""Functions that complete the sections of a record other than the keys of ``RunConfig``, by name."""


def complete_record(record: Mapping[str, Any], source: str, sections: Sections) -> Mapping[str, Any]:
    """Complete the record of a run as this version would write it.

    Keys that are newer than the run get their defaults, which describe the run.

    Args:
        record: values of a ``RunConfig``, and sections.
        source: path of the file, for messages.
        sections: supported by this command.

    Raises:
        InputError: a key is unknown or no longer exists, or a value is no longer accepted.
    """
    run = from_mapping({key: value for key, value in record.items() if key not in sections}, RunConfig, source)
    more = {key: fill(record[key], f"{source}: {key}") for key, fill in sections.items() if key in record}
    return {**to_mapping(run), **more}
