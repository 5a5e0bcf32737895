"""YAML as plain values: without tags, dates and duplicate keys, and with limits on depth and number of nodes."""

from pathlib import Path
from typing import Any, ClassVar

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.safe_io.text import read_text

MOST_YAML_BYTES = 50_000
"""Maximal size of a file; PyYAML reads it in half a second."""
MOST_LEVELS = 50
"""Maximal nesting depth. Chosen: far above every configuration, far below the recursion limit of Python."""
MOST_NODES = 20_000
"""Maximal number of nodes after the expansion of aliases: a few lines of aliases can describe 10^9 nodes. Chosen: a
file of ``MOST_YAML_BYTES`` without aliases stays below it."""

_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")


def read_yaml(path: Path, remedy: str) -> Any:
    """Read a YAML file.

    Args:
        path: the file.
        remedy: end of a message: what the user can do.

    Raises:
        InputError: as ``read_text`` and ``parse_yaml``.
    """
    return parse_yaml(read_text(path, MOST_YAML_BYTES, remedy), str(path), remedy)


def parse_yaml(text: str, where: str, remedy: str) -> Any:
    """Parse a YAML text to mappings, lists, strings, numbers, booleans and None. A date remains a string.

    Args:
        text: the document.
        where: file name, for messages.
        remedy: end of a message: what the user can do.

    Raises:
        InputError: the text is not YAML, has a tag, a duplicate key or a recursive alias, or exceeds ``MOST_LEVELS`` or
            ``MOST_NODES``.
    """
    try:
        return yaml.load(text, _PlainLoader)  # a SafeLoader with fewer constructors
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = "" if mark is None else f"line {mark.line + 1}: "
        # str(error) would include a snippet of the line, of any length.
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"{where}: not valid YAML ({line}{one_line(problem)}); {remedy}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{where}: not valid YAML ({one_line(str(error))}); {remedy}") from error


class _PlainLoader(yaml.SafeLoader):
    """Composes nodes within the limits, and constructs plain values only."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: ClassVar = {
        tag: constructor
        for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _PLAIN
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._level = 0
        self._weights: dict[int, int] = {}
        """Number of nodes of the expanded subtree of a composed node, by the identity of the node."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark, is_alias = self.peek_event().start_mark, self.check_event(yaml.AliasEvent)
        if self._level >= MOST_LEVELS:
            raise ComposerError(None, None, f"more than {MOST_LEVELS} levels deep", mark)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        assert node is not None
        if is_alias and id(node) not in self._weights:
            raise ComposerError(None, None, "an alias refers to what it stands in", mark)
        if not is_alias:
            self._weights[id(node)] = self._weight_of(node, mark)
        return node

    def _weight_of(self, node: yaml.Node, mark: yaml.Mark) -> int:
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in node.value for child in pair]
        else:
            children = node.value if isinstance(node, yaml.SequenceNode) else []
        weight = 1 + sum(self._weights[id(child)] for child in children)
        if weight > MOST_NODES:
            raise ComposerError(None, None, f"more than {MOST_NODES:,} nodes", mark)
        return weight

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Reject duplicate keys; PyYAML calls this once per mapping, before it merges ``<<``."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self._key(key_node)
            if key in seen:
                raise ConstructorError(None, None, f"the key {quoted(key)} stands twice", key_node.start_mark)
            seen.add(key)
        super().flatten_mapping(node)

    def _key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise ConstructorError(None, None, "a key is text or a number", node.start_mark)
        return "<<" if node.tag.endswith(":merge") else self.construct_object(node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, KeyError) as error:  # 5,000 digits, "!!int x", "!!bool x"
            kind = node.tag.rpartition(":")[2]
            raise ConstructorError(None, None, f"{quoted(node.value, 60)} is no {kind}", node.start_mark) from error
