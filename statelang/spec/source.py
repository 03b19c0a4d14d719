"""A spec's YAML: loaded within bounds, as plain data, with the place of every key and value kept.

The scalars are those of YAML 1.2's core schema: `on`, `yes` and dates are strings.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from .diagnostics import Diagnostic, Position, render

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 60
MAX_NODES = 200_000
"""Nodes with every alias expanded."""

Path = tuple[str | int, ...]


_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Parser):
    """PyYAML's parser with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False|TRUE|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+0123456789."),
):  # fmt: skip
    _firsts: list[Any] = [*_first.replace("\0", "")] + ([""] if "\0" in _first else [])
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _firsts)


@dataclass(slots=True)
class Source:
    """The text of a spec and where everything in it stands. `data` is None where it could not be loaded."""

    name: str
    text: str = ""
    data: Any = None
    lines: list[str] = field(default_factory=list)
    nodes: dict[Path, Any] = field(default_factory=dict)
    keys: dict[Path, Any] = field(default_factory=dict)

    def position(self, path: Path, *, key: bool = False) -> Position | None:
        """Where the value at `path` stands, or its key; else that of what is nearest around it."""
        path = self._written(path)
        while path:
            node = self.keys.get(path) if key else self.nodes.get(path)
            if node is not None:
                return _position(node)
            path, key = path[:-1], False
        node = self.nodes.get(())
        return _position(node) if node is not None else None

    def expression_position(self, path: Path, start: int, end: int) -> Position | None:
        """Where the characters `start` to `end` of the string at `path` stand in the file."""
        path = self._written(path)
        node = self.nodes.get(path)
        if node is None or not isinstance(node, yaml.ScalarNode):
            return self.position(path)
        at = offsets(self.text, node)
        first = at[min(start, len(at) - 1)]
        last = at[min(max(end - 1, start), len(at) - 1)] + 1
        line, column = self._line_column(first)
        end_line, end_column = self._line_column(last)
        return Position(line, column, end_line, end_column)

    def _written(self, path: Path) -> Path:
        """The path as it was written: `ensure: $result.ok` stands for a list with one condition that has a `that`."""
        if path in self.nodes or path in self.keys:
            return path
        found: Path = ()
        for part in path:
            node = self.nodes.get(found)
            if isinstance(node, yaml.ScalarNode) or (part == 0 and isinstance(node, yaml.MappingNode)):
                continue
            found = (*found, part)
        return found

    def _line_column(self, index: int) -> tuple[int, int]:
        before = self.text[:index]
        return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1

    def render(self, diagnostic: Diagnostic) -> str:
        return render(diagnostic, self.lines)


class _Refused(Exception):
    def __init__(
        self, code: str, message: str, position: Position | None = None, suggestion: str | None = None
    ):
        super().__init__(message)
        self.diagnostic = Diagnostic(code, message, (), position, suggestion)


def read_source(text: str | bytes, name: str = "<spec>") -> tuple[Source, list[Diagnostic]]:
    """Loads the YAML. Whatever the text is, the answer is a source and what is wrong with it."""
    source = Source(name)
    try:
        source.text = _decode(text)
        source.lines = source.text.split("\n")
        _check_depth(source)
        node = _compose(source)
        _check_size(node)
        findings: list[Diagnostic] = []
        source.data = _data(source, node, (), findings)
    except _Refused as refused:
        found = refused.diagnostic
        return source, [
            Diagnostic(found.code, found.message, (), found.position, found.suggestion, file=name)
        ]
    return source, findings


def _decode(text: str | bytes) -> str:
    if len(text) > MAX_BYTES:
        size = MAX_BYTES // 1024
        raise _Refused(
            "S101",
            f"the file is larger than {size} KiB",
            None,
            "a spec is a page or a few; put data into the input",
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = text[: error.start].count(b"\n") + 1
            column = error.start - (text.rfind(b"\n", 0, error.start) + 1) + 1
            place = Position(line, column, line, column + 1)
            raise _Refused(
                "S102", f"the file is not UTF-8 text: byte {text[error.start]:#04x}", place
            ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise _Refused(
            "S105",
            "the file is empty",
            None,
            'a spec begins with `stratum: "1"`; the examples show whole ones',
        )
    return text


def _mark(mark: Any) -> Position | None:
    return None if mark is None else Position(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)


def _too_deep(mark: Any) -> _Refused:
    return _Refused("S104", f"the YAML is nested deeper than {MAX_DEPTH} levels", _mark(mark))


def _yaml_error(error: yaml.YAMLError, text: str) -> _Refused:
    if isinstance(error, yaml.MarkedYAMLError):
        reason = error.problem or error.context or "it does not parse"
        if "maximum nesting depth" in reason:  # libyaml has a bound of its own, and reads ahead of its events
            return _too_deep(error.problem_mark)
        return _Refused("S103", *_in_words(reason, error, text))
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position] if isinstance(error.position, int) else ""
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        place = Position(line, column, line, column + 1)
        character = error.character
        code = ord(character) if isinstance(character, str) else int(character)
        return _Refused("S103", f"a character that YAML does not allow: U+{code:04X}", place)
    return _Refused("S103", f"the YAML does not parse: {error}")


def _in_words(reason: str, error: yaml.MarkedYAMLError, text: str) -> tuple[str, Position | None, str | None]:
    """What libyaml says, for those who do not know its words: a message, the place, and a way on."""
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    begun = f"on line {context.line + 1}" if context is not None else "above"
    at = text[mark.index : mark.index + 1] if mark is not None else ""
    quotes = "put the text into quotes"
    if at == "\t" or "\\t" in reason or "tab character" in reason:
        return "a tab where YAML wants spaces", _mark(mark), "indent with spaces"
    if "mapping values are not allowed" in reason:
        return (
            "a `: ` where none can stand: the line has a value already, or is indented too far", _mark(mark),
            f"{quotes} where the `: ` belongs to it",
        )  # fmt: skip
    if "could not find expected ':'" in reason:
        return "a key without a `:` after it", _mark(context or mark), f"write `key: value`, or {quotes}"
    if "did not find expected ',' or" in reason:
        closing = reason[-2:-1]
        opening = {"}": "{", "]": "["}.get(closing, "[")
        return (
            f"`{closing}` or `,` is expected here: the `{opening}` {begun} is open",
            _mark(mark),
            quotes if at and at in "[{" else None,
        )
    if "did not find expected '-' indicator" in reason:
        return f"this line belongs to no entry of the list that begins {begun}", _mark(mark), "begin it with `- `, or indent it as its neighbours"  # fmt: skip
    if "did not find expected key" in reason:
        return f"this line does not go on with the mapping that begins {begun}", _mark(mark), "indent it as its neighbours"  # fmt: skip
    if "did not find expected node content" in reason:
        return "a value is expected here", _mark(mark), quotes if at and at in "&*!%@`|>" else None
    if "while scanning a quoted scalar" in (error.context or ""):
        return f"the quote that is opened {begun} is not closed", _mark(context or mark), None
    if "cannot start any token" in reason:
        return f"a text cannot begin with `{at}` here", _mark(mark), quotes
    if "undefined alias" in reason:
        return (
            "a text that begins with `*` is an alias in YAML, and there is none of that name",
            _mark(mark),
            quotes,
        )
    return f"the YAML does not parse: {reason}", _mark(mark), None


def _check_depth(source: Source) -> None:
    """Looks at the stream of events before anything is built of it: it cannot recurse."""
    depth = documents = 0
    try:
        for event in yaml.parse(source.text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise _too_deep(event.start_mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    way_on = "put the second into a file of its own"
                    raise _Refused(
                        "S105",
                        "a spec is one document, and here a second begins",
                        _mark(event.start_mark),
                        way_on,
                    )
    except yaml.YAMLError as error:
        raise _yaml_error(error, source.text) from None
    except UnicodeEncodeError as error:
        raise _Refused(
            "S103", f"a character that YAML does not allow: {error.object[error.start]!r}"
        ) from None


def _compose(source: Source) -> Any:
    try:
        node = yaml.compose(source.text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _yaml_error(error, source.text) from None
    if node is None:
        raise _Refused("S105", "the file is empty")
    return node


def _check_size(root: Any) -> None:
    """Counts the nodes with every alias expanded, without expanding any."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Any) -> int:
        known = sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in open_nodes:
            raise _Refused("S104", "an alias that contains itself", _mark(node.start_mark))
        open_nodes.add(id(node))
        total = 1
        if isinstance(node, yaml.SequenceNode):
            total += sum(map(size, node.value))
        elif isinstance(node, yaml.MappingNode):
            total += sum(size(key) + size(value) for key, value in node.value)
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        if total > MAX_NODES:
            raise _Refused(
                "S104", f"the aliases expand to more than {MAX_NODES} values", _mark(node.start_mark)
            )
        return total

    size(root)


def _data(source: Source, node: Any, path: Path, findings: list[Diagnostic]) -> Any:
    source.nodes[path] = node
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                findings.append(_finding(source, "S203", "a key must be a plain word", path, key_node))
                continue
            key = key_node.value
            if key in made:
                first = source.keys[(*path, key)].start_mark.line + 1
                findings.append(
                    _finding(
                        source,
                        "S106",
                        f"`{key}` stands here a second time",
                        (*path, key),
                        key_node,
                        f"it is on line {first} already",
                    )
                )
                continue
            source.keys[(*path, key)] = key_node
            made[key] = _data(source, value_node, (*path, key), findings)
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_data(source, item, (*path, index), findings) for index, item in enumerate(node.value)]
    try:
        return _scalar(node)
    except (ValueError, OverflowError) as error:
        findings.append(_finding(source, "S203", f"not a usable value: {error}", path, node))
        return None


def _finding(
    source: Source, code: str, message: str, path: Path, node: Any, suggestion: str | None = None
) -> Diagnostic:
    return Diagnostic(code, message, path, _position(node), suggestion, file=source.name)


def _scalar(node: Any) -> Any:
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        if len(text) > 300:
            raise ValueError("a number with that many digits")
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if kind == "float":
        value = float(
            text.replace(".inf", "inf").replace(".nan", "nan").lower().lstrip("+").replace("..", ".")
        )
        if not math.isfinite(value):
            raise ValueError("JSON has no infinity and no NaN")
        return value
    return text


def _position(node: Any) -> Position:
    start, end = node.start_mark, node.end_mark
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        # A block goes on to the line after it; what is meant is where it begins.
        return Position(start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    return Position(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def offsets(text: str, node: Any) -> list[int]:
    """For every character of a scalar's value, where it stands in the file; one more for its end."""
    start, end = node.start_mark.index, node.end_mark.index
    value, found, at = node.value, [], start
    if node.style in ("|", ">"):
        at = text.find("\n", start) + 1 or end
    elif node.style in ("'", '"'):
        at += 1
    for character in value:
        if character in " \n" and at < end and text[at] == "\n":
            found.append(at)
            at += 1
            while at < end and text[at] in " \t" and node.style != "|":
                at += 1
            if node.style == "|":
                at = _after_indent(text, at, end, node)
            continue
        if not found and node.style in ("|", ">"):
            while at < end and text[at] == " " and character != " ":
                at += 1
        if node.style == "'" and text.startswith("''", at):
            found.append(at)
            at += 2
            continue
        if node.style == '"' and at < end and text[at] == "\\":
            found.append(at)
            at += {"x": 4, "u": 6, "U": 10}.get(text[at + 1 : at + 2], 2)
            continue
        found.append(at)
        at += 1
    found.append(at)
    return [min(index, end) for index in found]


def _after_indent(text: str, at: int, end: int, node: Any) -> int:
    """Past the indentation of a line of a literal block, which is that of its first line."""
    first = text.find("\n", node.start_mark.index) + 1
    indent = 0
    while first + indent < len(text) and text[first + indent] == " ":
        indent += 1
    skipped = 0
    while at < end and skipped < indent and text[at] == " ":
        at += 1
        skipped += 1
    return at


def load_data(text: str | bytes) -> Any:
    """The data of a YAML text, or None where it does not load: for telling what a file is."""
    source, findings = read_source(text)
    return None if findings else source.data


def is_asl(data: Any) -> bool:
    """Whether this is meant as a definition in Amazon States Language, and not as a spec."""
    return isinstance(data, dict) and ("StartAt" in data or "States" in data) and "stratum" not in data
