"""Functions in this process: called on the thread that invokes, found by name or in folders."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from stratum.handlers.functions import FunctionNotFound, Invocation
from stratum.local.functions import InProcessFunctions


def answer(functions: InProcessFunctions, function: str, event: Any = None) -> Any:
    result = functions.invoke(Invocation(function, json.dumps(event), "r"))
    assert result.function_error is None, result.payload
    return json.loads(result.payload)


def test_given_functions_run_on_the_thread_that_invokes() -> None:
    functions = InProcessFunctions({"orders-validate": lambda event, context: threading.get_ident()})
    assert answer(functions, "orders-validate") == threading.get_ident()
    assert answer(functions, "orders.validate") == threading.get_ident()
    assert answer(functions, "arn:aws:lambda:us-east-1:1:function:orders-validate:2") == threading.get_ident()


def test_handler_gets_a_copy_and_so_does_the_caller() -> None:
    given: dict[str, Any] = {"items": (1, 2)}
    kept: list[Any] = []

    def handler(event: Any, context: Any) -> Any:
        event["items"].append(3)
        kept.append(event)
        return event

    assert answer(InProcessFunctions({"mod-fn": handler}), "mod-fn", given) == {"items": [1, 2, 3]}
    assert given == {"items": (1, 2)}


def test_name_that_is_not_given_suggests_another() -> None:
    functions = InProcessFunctions({"orders-validate": lambda event, context: None})
    with pytest.raises(FunctionNotFound, match="not among the given ones; did you mean 'orders-validate'"):
        functions.invoke(Invocation("orders-valdate", "null", "r"))


def test_ctrl_c_in_a_handler_goes_through() -> None:
    def interrupted(event: Any, context: Any) -> None:
        raise KeyboardInterrupt

    functions = InProcessFunctions({"mod-fn": interrupted})
    with pytest.raises(KeyboardInterrupt):
        functions.invoke(Invocation("mod-fn", "null", "r"))


def test_two_folders_may_have_modules_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "orders", raising=False)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "orders.py").write_text(
            f"import dataclasses\n@dataclasses.dataclass\nclass Order:\n    place: str = {name!r}\n"
            "def place(event, context):\n    return dataclasses.asdict(Order())\n"
        )
    one = InProcessFunctions(folders=[tmp_path / "one"])
    two = InProcessFunctions(folders=[tmp_path / "two"])
    both = InProcessFunctions(folders=[tmp_path / "two", tmp_path / "one"])
    assert answer(one, "orders-place") == {"place": "one"}
    assert answer(two, "orders-place") == {"place": "two"}
    assert answer(both, "orders-place") == {"place": "two"}, "the first folder comes first"
    assert "orders" not in sys.modules


def test_module_is_loaded_once_and_again_by_other_functions(tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(
        "calls = []\ndef count(event, context):\n    calls.append(1)\n    return len(calls)\n"
    )
    functions = InProcessFunctions(folders=[tmp_path])
    assert [answer(functions, "counter-count") for _ in range(3)] == [1, 2, 3]
    assert answer(InProcessFunctions(folders=[tmp_path]), "counter-count") == 1


def test_import_that_failed_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("import not_there_yet_either\n")
    functions = InProcessFunctions(folders=[tmp_path])
    assert functions.invoke(Invocation("late-fn", "null", "r")).function_error == "Unhandled"
    (tmp_path / "late.py").write_text("def fn(event, context):\n    return 'here now'\n")
    assert answer(functions, "late-fn") == "here now"


def test_what_handlers_import_does_not_stay_at_the_front_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def fn(event, context):\n    return 1\n")
    front = sys.path[0]
    assert answer(InProcessFunctions(folders=[tmp_path]), "plain-fn") == 1
    assert sys.path[0] == front
