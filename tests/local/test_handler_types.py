"""Handlers' annotations in the checks of a spec: what is read, what is imported, and modules that misbehave."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from stratum.handlers.task_function import Task
from stratum.local import handler_types
from stratum.local.cli import files
from stratum.local.handler_types import HandlerTypes
from stratum.statelang.python.annotations import Shape
from stratum.statelang.python.declarations import Declarations
from stratum.statelang.python.signatures import hints_of
from stratum.statelang.spec.contracts import ANY
from stratum.statelang.spec.schema_reader import SchemaReader

HEAD = 'stratum: "1"\nworkflow: w\nversion: 1.0.0\n'

SHOP = """
from __future__ import annotations
import datetime as dt
import enum
import typing as t
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Optional, Union
from typing_extensions import TypedDict
import pydantic
from pydantic import BaseModel, Field
from stratum import TaskContext, task
from parts import Base, Money as Amount

class Size(enum.StrEnum):
    SMALL = "s"
    LARGE = "l"

class Item(TypedDict):
    sku: str
    qty: Annotated[int, Field(ge=1, le=99)]
    size: NotRequired[Size]

class Partly(TypedDict, total=False):
    a: t.Required[int]
    b: str

@dataclass
class Line:
    item: Item
    notes: list[str] = field(default_factory=list)
    price: Amount | None = None

class Order(Base):
    KINDS: t.ClassVar[int] = 3
    lines: list[Line] = Field(min_length=1)
    at: dt.datetime
    day: Optional[dt.date] = None
    kind: Literal["web", "phone"] = "web"
    names: dict[str, "Line"] = {}
    either: Union[int, str, None] = Field(default=None, description="one of them")
    pair: tuple[int, ...] = ()

Orders = list[Order]

def plain(event, context): ...
def one(event: Order, context) -> Item: ...
def many(event: Orders, context: Any) -> dict[str, Line]: ...
def scalar(event: str, context) -> Literal["yes"]: ...
async def later(event: Partly, context) -> Size: ...
def nothing(event: dict, context) -> None: ...

@task
def fields(order: Order, count: int, note: str = "", *, context: TaskContext, loud: bool = False) -> Order: ...

@task(retry={"attempts": 3}, timeout="3s")
def whole(event: Item) -> list[Item]: ...

@task()
def rest(a: int, **more) -> Amount: ...
"""
PARTS = """
from pydantic import BaseModel, ConfigDict, Field

class Base(BaseModel):
    id: str = Field(pattern="^[a-z]+$", max_length=9)

class Money(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: float = Field(ge=0, title="How much")
    currency: str = "EUR"
"""
HANDLERS = ["plain", "one", "many", "scalar", "later", "nothing", "fields", "whole", "rest"]


@pytest.fixture(scope="module")
def shop() -> Any:
    made: dict[str, ModuleType] = {}
    for name, text in (("parts", PARTS), ("shop", SHOP)):
        made[name] = sys.modules[name] = ModuleType(name)
        exec(compile(text, f"{name}.py", "exec"), made[name].__dict__)
    yield made["shop"]
    for name in made:
        del sys.modules[name]


@pytest.mark.parametrize("name", HANDLERS)
def test_what_the_source_declares_is_what_pydantic_says_of_the_imported_module(shop: Any, name: str) -> None:
    declared = Declarations({"shop": SHOP, "parts": PARTS}.get).handler("shop", name)
    assert declared is not None
    assert declared.unknown == []
    handler = getattr(shop, name)
    if isinstance(handler, Task):
        shapes = (handler.signature.event, handler.signature.result)
        wanted = [None if shape is None else shape.schema for shape in shapes]
    else:
        hints = hints_of(handler, name)
        wanted = [None if hints.get(key) is None else Shape(hints[key], key).schema for key in ("event", "return")]  # fmt: skip
    for schema, other in zip((declared.event, declared.result), wanted, strict=True):
        assert _contract(schema) == _contract(other)


def _contract(schema: dict[str, Any] | None) -> Any:
    contract = SchemaReader(schema, (), []).contract() if schema is not None else None
    if contract is None or contract.kind == "any":
        return None
    anything = contract.fields is None and contract.additional == ANY  # any object, which says nothing more
    return replace(
        contract,
        name=None if contract.name == "Event" else contract.name,
        additional=None if anything else contract.additional,
    )


def check(
    folder: Path, handlers: str, steps: str, *, imports: bool = False
) -> list[tuple[str, str, Any, Any]]:
    """What is found in a spec with these steps: code, message, line and column, suggestion. The first step is on line 1."""
    (folder / "h.py").write_text(handlers)
    (folder / "w.yaml").write_text(
        HEAD + "input: {name: string, n: integer, x: {a: integer}, all: [integer]}\nsteps:\n" + steps
    )
    found = files.check(folder / "w.yaml", imports=imports).findings
    return [(each["code"], each["message"], (each["line"] - 5, each["column"]), each.get("suggestion")) for each in found]  # fmt: skip


TYPED = """
from typing import NotRequired, TypedDict
class Person(TypedDict):
    name: str
    age: NotRequired[int]
class Point(TypedDict):
    x: Person
def greet(event: Person, context) -> Person: ...
def point(event: Point, context) -> Point: ...
def loose(event, context): ...
"""


@pytest.mark.parametrize(
    ("steps", "code", "message", "place", "hint"),
    [
        ("- {id: a, task: h.greet, input: {name: '{% $input.n %}'}}", "S304",
         "this is integer, and the handler h.greet wants string", (1, 40), None),
        ("- {id: a, task: h.greet, input: {name: 3}}", "S304", "the handler h.greet refuses this: expected string, got number", (1, 40), None),
        ("- {id: a, task: h.greet, input: {name: x, aeg: 3}}", "S305", "the handler h.greet has no field `aeg`", (1, 48), "did you mean `age`?"),
        ("- {id: a, task: h.greet, input: {age: 3}}", "S306", "`name` is missing, which the handler h.greet wants (string)", (1, 33), None),
        ("- {id: a, task: h.greet}", "S306", "`name` is missing, which the handler h.greet wants (string)", (1, 17), None),
        ("- {id: a, task: h.greet, input: '{% $input.x %}'}", "S304",
         "this is {a: integer}, and the handler h.greet wants Person", (1, 33), "`name` is missing"),
        ("- {id: a, task: h.loose, compensate: {task: h.greet, input: {name: '{% $a.b %}', old: 1}}}", "S305",
         "the handler h.greet has no field `old`", (1, 87), "it has `name`, `age`"),
        ("- {id: a, task: h.greet, input: {name: x}}\n- {id: b, task: h.loose, input: {v: '{% $a.nmae %}'}}", "S305",
         "Person has no field `nmae`", (2, 44), "did you mean `name`?"),
        ("- {id: a, task: h.greet, input: {name: x}, output: {name: integer}}", "S304",
         "the handler h.greet answers Person, and the contract wants {name: integer}", (1, 52),
         "`name` is string, not integer"),
        ("- id: m\n  map: {items: $input.all, as: i}\n  steps: [{id: a, task: h.greet, input: {name: '{% $i %}'}}]", "S304",
         "this is integer, and the handler h.greet wants string", (3, 48), None),
        ("- {id: a, task: h.great, input: {name: x}}", "W904", "h.py has no function `great`", (1, 17), "did you mean `greet`?"),
    ],
)  # fmt: skip
def test_misfits_are_told_with_their_places(
    tmp_path: Path, steps: str, code: str, message: str, place: tuple[int, int], hint: str | None
) -> None:
    assert check(tmp_path, TYPED, steps) == [(code, message, place, hint)]


def test_what_fits_and_what_is_not_known_passes(tmp_path: Path) -> None:
    steps = (
        "- {id: a, task: h.greet, input: {name: '{% $input.name %}'}}\n"
        "- {id: b, task: h.point, input: {x: '{% $a %}'}}\n"
        "- {id: c, task: h.loose, input: {any: '{% $b.x.age %}'}}\n"
        "- {id: d, task: elsewhere.greet, input: {name: 3}}\n"
        "- {id: e, task: h.greet, input: '{% $c %}'}\n"
        "- {id: f, task: 'arn:aws:lambda:us-east-1:123456789012:function:h-greet', input: {name: 3}}\n"
    )
    assert check(tmp_path, TYPED, steps) == []


WRAPPED = """
import functools
from typing import TypedDict
print("a line on stdout")
class Person(TypedDict):
    name: str
def logged(function):
    @functools.wraps(function)
    def call(*arguments):
        return function(*arguments)
    return call
@logged
def greet(event: Person, context) -> Person: ...
"""
INPUT = "- {id: a, task: h.greet, input: {name: 3}}"


def test_modules_are_imported_where_their_source_does_not_tell(tmp_path: Path) -> None:
    assert check(tmp_path, WRAPPED, INPUT) == []
    [found] = check(tmp_path, WRAPPED, INPUT, imports=True)
    assert found[:2] == ("S304", "the handler h.greet refuses this: expected string, got number")
    assert "h" not in sys.modules


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("1 / 0", "importing h failed: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "importing h failed: SystemExit: 3"),
        ("import os; os.kill(os.getpid(), 11)", "the process that imported h was ended by SIGSEGV"),
        ("import os; os._exit(7)", "the process that imported h was ended with code 7"),
        ("import nowhere_at_all", "importing h failed: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("import time; time.sleep(60)", "importing h takes more than 0.8 s"),
        ("import subprocess; subprocess.Popen(['sleep', '60']); print('x' * 10**6); input()", "importing h failed: EOFError: EOF when reading a line"),
    ],
)  # fmt: skip
def test_a_module_that_cannot_be_imported_is_a_hint_and_what_its_source_tells_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, reason: str
) -> None:
    monkeypatch.setattr(handler_types, "IMPORT_SECONDS", 0.8 if "time" in what else 10)
    handlers = (
        f"{what}\nfrom somewhere import Unknown\ndef greet(event: dict[str, int], context) -> Unknown: ...\n"
    )
    found = check(tmp_path, handlers, "- {id: a, task: h.greet, input: {name: b}}", imports=True)
    assert [each[0] for each in found] == ["W904", "S304"]
    assert found[0][1] == f"the types of h.greet are not all known: {reason}"
    assert found[0][3] == "its source does not tell the type Unknown; what is known is checked"


def test_sources_that_are_none_are_told(tmp_path: Path) -> None:
    [found] = check(tmp_path, "def greet(:\n", INPUT)
    assert found[0] == "W904"
    assert found[1].startswith("h.py does not parse: SyntaxError: invalid syntax")
    (tmp_path / "h.py").write_bytes(b"\xff\xfe\x00 no text")
    assert HandlerTypes(tmp_path)("h.greet") is None
    assert HandlerTypes(tmp_path)("..h") is HandlerTypes(tmp_path)("h") is None


@pytest.mark.parametrize(
    "handlers",
    [
        "from h import greet",
        "A = B\nB = A\ndef greet(event: A, context): ...",
        "from typing import TypedDict\nclass A(B): x: int\nclass B(A): y: int\ndef greet(event: A, context): ...",
        "class A:\n    x: 'A | None' = None\ndef greet(event: A, context): ...",
        "def greet(event: " + "list[" * 90 + "int" + "]" * 90 + ", context): ...",
        "def greet(*events: int) -> 'no annotation at all (': ...",
        "greet = 3",
        "from elsewhere import *",
    ],
)
def test_sources_that_go_in_circles_say_nothing(tmp_path: Path, handlers: str) -> None:
    found = check(tmp_path, handlers, INPUT)
    assert [each for each in found if each[0] != "S304"] == []


def test_nothing_is_started_for_a_spec_whose_handlers_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_types, "_import", lambda *_: pytest.fail("imported"))
    assert check(tmp_path, TYPED, "- {id: a, task: h.greet, input: {name: x}}", imports=True) == []
