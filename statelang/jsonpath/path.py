"""JSONPath as Amazon States Language uses it: read once, then evaluated many times.

The dialect is that of Jayway's JsonPath, on which Step Functions is built: dots and brackets, slices, unions,
wildcards, `..`, filters and the closing functions. A path that can only lead to one place is *definite*: it
answers the value there, or raises `PathNotFound`. Any other answers a list, which may be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from .closing import CLOSING
from .errors import InvalidPath, PathNotFound
from .lexing import Reader
from .scope import Scope

INPUT = "$"
CONTEXT = "$$"
MAX_RESULTS = 1_000_000
"""Values that one path may select, or look at on the way."""

Step = Callable[[Any, "Evaluation"], Iterator[Any]]


class Evaluation:
    """One evaluation: the root that filters may refer to, and how much was looked at."""

    __slots__ = ("left", "root")

    def __init__(self, root: Any):
        self.root = root
        self.left = MAX_RESULTS

    def spend(self, count: int = 1) -> None:
        self.left -= count
        if self.left < 0:
            raise PathNotFound(f"the path looks at more than {MAX_RESULTS} values")


class Name:
    """`.name`, `['name']`, and `['a','b']`, which answers an object with those of them that are there."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]):
        self.names = names

    @property
    def definite(self) -> bool:
        return len(self.names) == 1

    def __call__(self, value: Any, evaluation: Evaluation) -> Iterator[Any]:
        if not isinstance(value, dict):
            return
        if not self.definite:
            yield {name: value[name] for name in self.names if name in value}
        elif self.names[0] in value:
            yield value[self.names[0]]

    def __str__(self) -> str:
        return "[" + ",".join(f"'{name}'" for name in self.names) + "]"


class Index:
    """`[0]`, `[-1]`, `[0,2]`."""

    __slots__ = ("indexes",)

    def __init__(self, indexes: tuple[int, ...]):
        self.indexes = indexes

    @property
    def definite(self) -> bool:
        return len(self.indexes) == 1

    def __call__(self, value: Any, evaluation: Evaluation) -> Iterator[Any]:
        if isinstance(value, list):
            for index in self.indexes:
                if -len(value) <= index < len(value):
                    yield value[index]

    def __str__(self) -> str:
        return "[" + ",".join(map(str, self.indexes)) + "]"


class Slice:
    """`[from:to]`, `[from:]`, `[:to]`."""

    __slots__ = ("part",)
    definite = False

    def __init__(self, start: int | None, stop: int | None, step: int | None):
        self.part = slice(start, stop, step)

    def __call__(self, value: Any, evaluation: Evaluation) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[self.part]

    def __str__(self) -> str:
        return f"[{self.part.start or ''}:{self.part.stop or ''}]"


class Wildcard:
    """`.*` and `[*]`."""

    __slots__ = ()
    definite = False

    def __call__(self, value: Any, evaluation: Evaluation) -> Iterator[Any]:
        children = _children(value)
        evaluation.spend(len(children))
        yield from children

    def __str__(self) -> str:
        return "[*]"


class Descendants:
    """`..`: the value itself and everything in it, from the outside in."""

    __slots__ = ()
    definite = False

    def __call__(self, value: Any, evaluation: Evaluation) -> Iterator[Any]:
        pending = [value]
        while pending:
            found = pending.pop()
            evaluation.spend()
            yield found
            pending.extend(reversed(_children(found)))

    def __str__(self) -> str:
        return ".."


class Filter:
    """`[?(…)]`: the elements of a list, or the object itself, of which the condition is true."""

    __slots__ = ("condition",)
    definite = False

    def __init__(self, condition: Callable[[Any, Evaluation], bool]):
        self.condition = condition

    def __call__(self, value: Any, evaluation: Evaluation) -> Iterator[Any]:
        candidates = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
        evaluation.spend(len(candidates))
        for candidate in candidates:
            if self.condition(candidate, evaluation):
                yield candidate

    def __str__(self) -> str:
        return "[?]"


class Closing:
    """A function at the end, such as `.length()`; it is given what the path before it selects."""

    __slots__ = ("name",)
    definite = True

    def __init__(self, name: str):
        self.name = name

    def __call__(self, value: Any, evaluation: Evaluation) -> Iterator[Any]:
        yield CLOSING[self.name](value)

    def __str__(self) -> str:
        return f".{self.name}()"


AnyStep = Name | Index | Slice | Wildcard | Descendants | Filter | Closing


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


class Path:
    """A path. `root` is `$`, `$$`, or a variable's name; `text` what it was read from."""

    __slots__ = ("_plain", "definite", "root", "steps", "text")

    def __init__(self, text: str, root: str, steps: tuple[AnyStep, ...]):
        self.text = text
        self.root = root
        self.steps = steps
        self.definite = all(step.definite for step in steps if not isinstance(step, Closing))
        names = [step.names[0] for step in steps if isinstance(step, Name) and step.definite]
        self._plain: tuple[str, ...] | None = tuple(names) if len(names) == len(steps) else None

    @staticmethod
    def parse(text: str) -> Path:
        """Reads a path. Raises `InvalidPath`."""
        return _parse(text)

    @property
    def is_reference(self) -> bool:
        """Whether it is a reference path: one place, named by properties and indexes alone."""
        return all(isinstance(step, Name | Index) and step.definite for step in self.steps)

    def evaluate(self, scope: Scope) -> Any:
        """The value, or the list of values. Raises `PathNotFound` where a definite path leads nowhere."""
        if self.root == INPUT:
            value = scope.root
        elif self.root == CONTEXT:
            value = scope.context()
        else:
            value = scope.lookup(self.root)
        return self.select(value)

    def select(self, value: Any) -> Any:
        """What the path's steps lead to from `value`."""
        if self._plain is not None:
            for index, name in enumerate(self._plain):
                if not isinstance(value, dict) or name not in value:
                    raise PathNotFound(self._missing(value, index))
                value = value[name]
            return value
        return self._walk(value)

    def _walk(self, value: Any) -> Any:
        evaluation = Evaluation(value)
        steps = self.steps
        closing = steps[-1] if steps and isinstance(steps[-1], Closing) else None
        found: Any
        if self.definite:
            found = value
            for index, step in enumerate(steps[:-1] if closing else steps):
                results = list(step(found, evaluation))
                if not results:
                    raise PathNotFound(self._missing(found, index))
                found = results[0]
        else:
            values: Iterable[Any] = [value]
            for step in steps[:-1] if closing else steps:
                values = _each(values, step, evaluation)
            found = list(values)
        if closing is not None:
            return CLOSING[closing.name](found)
        return found

    def leads_past_an_array(self, scope: Scope) -> bool:
        """Whether it is the place of an item that its array is too short for, where a payload template has null."""
        if not self.definite or not self.steps or not isinstance(self.steps[-1], Index):
            return False
        try:
            return isinstance(Path(self.text, self.root, self.steps[:-1]).evaluate(scope), list)
        except PathNotFound:
            return False

    def _missing(self, value: Any, index: int) -> str:
        """In the words of the library that Step Functions is built on."""
        place = "$" + "".join(map(str, self.steps[: index + 1]))
        before = "$" + "".join(map(str, self.steps[:index]))
        step = self.steps[index]
        if isinstance(step, Index):
            if not isinstance(value, list):
                return f"Filter: {step} can only be applied to arrays. Current context is: {_java(value)}"
            return f"No results for path: {place}"
        if not isinstance(value, dict) and index:
            kind = "null" if value is None else _JAVA.get(type(value), "java.lang.Object")
            return f"Expected to find an object with property {step} in path {before} but found '{kind}'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JsonSmartJsonProvider'."
        if index + 1 < len(self.steps):
            return f"Missing property in path {place}"
        return f"No results for path: {place}"

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


_JAVA = {
    str: "java.lang.String",
    int: "java.lang.Integer",
    float: "java.lang.Double",
    bool: "java.lang.Boolean",
    list: "net.minidev.json.JSONArray",
}


def _java(value: Any) -> str:
    return "null" if value is None else str(value)


def _each(values: Iterable[Any], step: AnyStep, evaluation: Evaluation) -> Iterator[Any]:
    for value in values:
        for found in step(value, evaluation):
            evaluation.spend()
            yield found


# -- reading -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _parse(text: str) -> Path:
    reader = Reader(text)
    path = read_path(reader)
    if not reader.ended:
        raise reader.error(f"'{reader.peek()}' does not belong in a path")
    return path


def read_path(reader: Reader) -> Path:
    """Reads a path that begins with `$` and ends where it can go on no further."""
    start = reader.at
    reader.expect("$")
    if reader.take("$"):
        root = CONTEXT
    else:
        root = reader.name() or INPUT
    steps = read_steps(reader)
    return Path(reader.text[start : reader.at], root, steps)


def read_steps(reader: Reader) -> tuple[AnyStep, ...]:
    steps: list[AnyStep] = []
    while not reader.ended:
        if steps and isinstance(steps[-1], Closing):
            break
        if reader.take(".."):
            steps.append(Descendants())
            if reader.peek() != "[":
                steps.append(_after_dot(reader))
        elif reader.take("."):
            steps.append(_after_dot(reader))
        elif reader.peek() == "[":
            steps.append(_brackets(reader))
        else:
            break
    return tuple(steps)


def _after_dot(reader: Reader) -> AnyStep:
    if reader.take("*"):
        return Wildcard()
    name = reader.name()
    if not name:
        raise reader.error("a property's name is missing")
    if reader.peek() == "(":
        if name not in CLOSING:
            known = ", ".join(CLOSING)
            raise reader.error(f"'{name}' is no function of paths: they are {known}")
        reader.expect("(")
        reader.skip_space()
        reader.expect(")")
        return Closing(name)
    return Name((name,))


def _brackets(reader: Reader) -> AnyStep:
    reader.expect("[")
    reader.skip_space()
    step: AnyStep
    if reader.take("*"):
        step = Wildcard()
    elif reader.take("?"):
        from .filters import read_filter

        step = Filter(read_filter(reader))
    elif reader.peek() in ("'", '"'):
        names = [reader.quoted()]
        while _comma(reader):
            if reader.peek() not in ("'", '"'):
                raise reader.error("a quoted name is missing")
            names.append(reader.quoted())
        step = Name(tuple(names))
    else:
        step = _numbers(reader)
    reader.skip_space()
    reader.expect("]")
    return step


def _numbers(reader: Reader) -> AnyStep:
    first = reader.integer()
    reader.skip_space()
    if reader.take(":"):
        reader.skip_space()
        stop = reader.integer()
        reader.skip_space()
        step = reader.integer() if reader.take(":") else None
        if step is not None and step < 1:
            raise reader.error("the step of a slice is at least 1")
        return Slice(first, stop, step)
    if first is None:
        raise reader.error("an index, a name or a filter is missing")
    indexes = [first]
    while _comma(reader):
        index = reader.integer()
        if index is None:
            raise reader.error("an index is missing")
        indexes.append(index)
    return Index(tuple(indexes))


def _comma(reader: Reader) -> bool:
    reader.skip_space()
    if not reader.take(","):
        return False
    reader.skip_space()
    return True


__all__ = ["CONTEXT", "INPUT", "Evaluation", "InvalidPath", "Path", "PathNotFound", "read_path", "read_steps"]
