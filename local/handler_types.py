"""The types of the Python handlers beside a spec, for its checks.

Their source is read, and nothing of it is run. Where the source alone does not tell (a class of an installed package,
a decorator, a type that is computed), the module is imported in a process of its own, if that is wanted: so it can
neither change this process nor keep it waiting for long, and what it prints goes nowhere.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..statelang.python.declarations import Declared
    from ..statelang.spec.contracts import Contract
    from ..statelang.spec.handlers import Handler

IMPORT_SECONDS = 10
"""How long a module may take to be imported, with all that it imports."""
_MAX_BYTES = 1024 * 1024


class HandlerTypes:
    """Called with what a `task:` says. With `imports`, modules are imported where their source does not tell enough."""

    def __init__(self, folder: Path, *, imports: bool = False):
        from ..statelang.python.declarations import Declarations

        self._folder = folder
        self._imports = imports
        self._declarations = Declarations(self._read)
        self._known: dict[str, Handler | None] = {}
        self._modules: dict[str, dict[str, Any]] = {}
        """What importing each module gave."""

    def __call__(self, task: str) -> Handler | None:
        if task not in self._known:
            module, _, name = task.rpartition(".")
            is_handler = bool(module) and all(part.isidentifier() for part in task.split("."))
            self._known[task] = self._handler(module, name) if is_handler else None
        return self._known[task]

    def _read(self, module: str) -> str | None:
        parts = module.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        file = self._folder.joinpath(*parts)
        for path in (file.with_suffix(".py"), file / "__init__.py"):
            try:
                if path.is_file() and path.stat().st_size <= _MAX_BYTES:
                    return path.read_text(encoding="utf-8-sig")
            except (OSError, ValueError):
                continue
        return None

    def _handler(self, module: str, name: str) -> Handler | None:
        from ..statelang.spec.diagnostics import did_you_mean
        from ..statelang.spec.handlers import Handler

        found = self._declarations.handler(module, name)
        if found is None:
            problem = self._declarations.modules.problems.get(module)
            return (
                None if problem is None else Handler(problem=(f"{module}.py does not parse: {problem}", None))
            )
        if found.there is False:
            hint = did_you_mean(name, found.names) or (
                f"it has {', '.join(f'`{each}`' for each in found.names)}" if found.names else None
            )
            return Handler(problem=(f"{module}.py has no function `{name}`", hint))
        if found.unknown and self._imports:
            return self._imported(module, name, found)
        return Handler(_contract(found.event), _contract(found.result))

    def _imported(self, module: str, name: str, found: Declared) -> Handler:
        from ..statelang.spec.handlers import Handler

        if module not in self._modules:
            self._modules[module] = _import(str(self._folder.resolve()), module)
        answer = self._modules[module]
        types = answer.get("handlers", {}).get(name, {})
        error = answer.get("error") or types.get("error")
        if error is None:
            return Handler(_contract(types.get("event")), _contract(types.get("result")))
        what = f"the types of {module}.{name} are not all known: {error}"
        hint = f"its source does not tell {found.unknown[0]}; what is known is checked"
        return Handler(_contract(found.event), _contract(found.result), (what, hint))


def _contract(schema: dict[str, Any] | None) -> Contract | None:
    if schema is None:
        return None
    from ..statelang.spec.schema_reader import SchemaReader

    contract = SchemaReader(schema, (), []).contract()
    return None if contract.kind == "any" else contract


def _import(folder: str, module: str) -> dict[str, Any]:
    """What another process finds when it imports the module: `{"handlers": {name: {"event", "result"}}}` with JSON
    Schemas (for one whose types cannot be read `{"error"}`), or `{"error"}` for the module."""
    import contextlib
    import json
    import signal
    import subprocess

    command = [sys.executable, "-P", "-m", __name__, folder, module]
    nowhere = subprocess.DEVNULL
    try:
        child = subprocess.Popen(
            command, stdin=nowhere, stdout=subprocess.PIPE, stderr=nowhere, start_new_session=True
        )
    except OSError as error:
        return {"error": f"no process can be started to import {module}: {error.strerror}"}
    with child:
        try:
            answer, _ = child.communicate(timeout=IMPORT_SECONDS)
            return json.loads(answer)
        except subprocess.TimeoutExpired:
            return {"error": f"importing {module} takes more than {IMPORT_SECONDS} s"}
        except ValueError:
            code = child.returncode
            how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            return {"error": f"the process that imported {module} was {how}"}
        finally:  # and what the module has started, where processes come in groups
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(child.pid, signal.SIGKILL)
            child.kill()


def main() -> None:
    """The other process."""
    import importlib
    import json

    # Early: a module of the folder could bear the name of one that these need.
    for needed in ("..handlers.task_function", "..statelang.python.signatures"):
        importlib.import_module(needed, __package__)
    folder, module = sys.argv[1:]
    out = os.dup(1)
    os.dup2(2, 1)  # what the module prints is not the answer, nor is the pipe for what it starts
    sys.path.insert(0, folder)
    os.write(out, json.dumps(_found(module)).encode())
    os._exit(0)  # not waiting for what the module has started


def _found(module: str) -> dict[str, Any]:
    import importlib

    try:
        made = vars(importlib.import_module(module))
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return {"error": f"importing {module} failed: {what[:500]}"}
    found = {name: _types_of(each, name) for name, each in list(made.items()) if callable(each)}
    return {"handlers": {name: types for name, types in found.items() if types}}


def _types_of(handler: Any, name: str) -> dict[str, Any]:
    import inspect

    from ..handlers.task_function import Task
    from ..statelang.python.annotations import AnnotationError, Shape
    from ..statelang.python.signatures import hints_of

    try:
        if isinstance(handler, Task):
            signature = handler.signature
            shapes = {"event": signature.event, "result": signature.result}
            return {key: shape.schema for key, shape in shapes.items() if shape is not None}
        if not inspect.isfunction(handler):
            return {}
        hints = hints_of(handler, name)
        first = next(iter(inspect.signature(handler).parameters), "")
    except (AnnotationError, ValueError) as error:
        return {"error": str(error)}
    found = {}
    for key, hint in (("event", hints.get(first)), ("result", hints.get("return"))):
        try:
            if hint is not None:
                found[key] = Shape(hint, key).schema
        except AnnotationError:
            pass  # such as Powertools' event classes: types of Python's that are none of JSON's
    return found


if __name__ == "__main__":
    main()
