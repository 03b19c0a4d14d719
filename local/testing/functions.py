"""Lambda functions in this process, as a test wants them: breakpoints work, and so does patching their modules."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...handlers import plugins
from ...handlers.functions import FunctionNotFound, Invocation, InvocationResult
from ..functions import errors, handler_runtime
from ..functions.folders import Folders, bare_name
from ..functions.handler_runtime import Context, Fault, Handler
from .problem import Interrupted, SetupError
from .templates import TemplateFunction

if TYPE_CHECKING:
    from .doubles import Doubles


class TestedFunctions:
    """Calls functions on the thread that asks. `doubles` finds what the test has given for an execution.

    Modules are the ones that the test itself imports: each is loaded once, under its own name, from the folder of
    the workflow or from wherever Python finds it. What functions raise goes into `raised`, by execution.
    """

    __test__ = False

    def __init__(self, doubles: Callable[[str], Doubles | None], raised: dict[str, BaseException]):
        self._doubles = doubles
        self._raised = raised

    def invoke(self, invocation: Invocation) -> InvocationResult:
        context = invocation.client_context or {}
        execution, state = str(context.get("execution", "")), str(context.get("step", ""))
        return self._invoke(invocation, self._doubles(execution), execution, state)

    def _invoke(
        self, invocation: Invocation, doubles: Doubles | None, execution: str, state: str
    ) -> InvocationResult:
        name = bare_name(invocation.function)
        environ = _environment(doubles, name, invocation.region)
        try:
            with _variables(environ):
                handler = self._handler(doubles, name, state)
                made = Context(name, invocation.request_id, invocation.client_context, invocation.timeout)
                return InvocationResult(handler_runtime.invoke(handler, invocation.payload, made))
        except Fault as fault:
            if fault.__cause__ is not None:
                self._raised[execution] = fault.__cause__
            return errors.failed(invocation.request_id, fault.type, fault.message, fault.stack)
        except SetupError as error:
            raise Interrupted(error) from None

    def invoke_for_others(
        self, function: str, payload: str, doubles: Sequence[Doubles]
    ) -> InvocationResult | None:
        """Calls the function for somebody else than a task; None where none of the executions knows it."""
        name = bare_name(function)
        for each in doubles:
            if name in each.functions or name in each.workflow.functions:
                return self._invoke(Invocation(function, payload, str(uuid.uuid4())), each, "", "")
        return None

    def _handler(self, doubles: Doubles | None, name: str, state: str) -> Handler:
        """Raises `SetupError` where there is none, and `Fault` where its module cannot be loaded."""
        if doubles is not None:
            given = doubles.functions_by_state.get(state) or doubles.functions.get(name)
            if given is not None:
                return resolve(given, doubles.workflow.folders)
            found = doubles.workflow.functions.get(name)
            if isinstance(found, TemplateFunction):
                return _of_template(found)
            if found is not None:
                return found
        folders = doubles.workflow.folders if doubles is not None else ()
        try:
            module, attribute = Folders(folders).require(name)
        except FunctionNotFound:
            if (plugin := plugins.find(name)) is not None:
                return handler_runtime.load(plugin.module, plugin.attr, importlib.import_module)
            raise SetupError(_missing(doubles, name, state)) from None
        return handler_runtime.load(module, attribute, lambda module: import_module(module, folders))


def _of_template(function: TemplateFunction) -> Handler:
    """Raises `SetupError` where its code cannot run in this process, or is not here."""
    name = function.name
    if function.runtime and not function.runtime.startswith("python"):
        raise SetupError(
            f"the function '{name}' of the template is in {function.runtime}, and only Python runs within a test:"
            f" give one in tasks={{'{name}': …}}, or mock its task"
        )
    module, _, attribute = function.handler.replace("/", ".").rpartition(".")
    if function.code is not None:
        return handler_runtime.load(
            module, attribute, lambda module: _load_inline(name, module, function.code or "")
        )
    if function.folder is None or not module:
        raise SetupError(
            f"the code of the function '{name}' is not beside the template: give it in tasks={{'{name}': …}}, or mock"
            " its task"
        )
    folders = [function.folder]
    return handler_runtime.load(module, attribute, lambda module: import_module(module, folders))


def _load_inline(function: str, module: str, code: str) -> ModuleType:
    """A module whose text stands in the template."""
    name = f"_stratum_inline_{function}_{module}".replace("-", "_")
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__code__", None) == code:
        return known
    made = ModuleType(name)
    made.__dict__["__code__"] = code
    exec(compile(code, f"{function}/{module}.py", "exec"), made.__dict__)
    sys.modules[name] = made
    return made


def _environment(doubles: Doubles | None, name: str, region: str) -> dict[str, str]:
    """What Lambda has in a function's environment, as far as handlers look at it, and what the template gives it."""
    given = doubles.workflow.functions.get(name) if doubles is not None else None
    variables = dict(given.environ) if isinstance(given, TemplateFunction) else {}
    return {"AWS_REGION": region, "AWS_LAMBDA_FUNCTION_NAME": name, **variables}


@contextlib.contextmanager
def _variables(environ: Mapping[str, str]) -> Iterator[None]:
    """The variables, while a function runs; what was there before comes back."""
    former = {name: os.environ.get(name) for name in environ}
    os.environ.update(environ)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _missing(doubles: Doubles | None, name: str, state: str) -> str:
    where = (
        f"'{state}' calls the Lambda function '{name}', and there is none"
        if state
        else f"there is no Lambda function '{name}'"
    )
    ways = [f"give one in tasks={{'{name}': …}}", f"or mock the task in mocks={{'{state or name}': …}}"]
    if doubles is not None and doubles.workflow.folders:
        module = name.replace("-", ".").rpartition(".")[0]
        if module:
            places = ", ".join(map(str, doubles.workflow.folders))
            ways.append(f"or put {module.replace('.', '/')}.py into {places}")
    return f"{where}: {', '.join(ways)}"


def resolve(given: Any, folders: Sequence[Path]) -> Handler:
    """The function that a test names: itself, `module.function`, or `path/to/file.py:function`."""
    if callable(given):
        return given
    if not isinstance(given, str):
        raise SetupError(f"a function is a callable or its name, not {type(given).__name__}")
    module, colon, attribute = given.partition(":")
    if not colon:
        module, _, attribute = given.rpartition(".")
    if not module or not attribute.isidentifier():
        raise SetupError(f"'{given}' names no function: write module.function, or path/to/file.py:function")
    if module.endswith(".py"):
        loaded = _load_file(module, folders, given)
    else:
        try:
            loaded = import_module(module, folders)
        except ModuleNotFoundError as error:
            if error.name != module and not module.startswith(f"{error.name}."):
                raise
            places = ", ".join(map(str, folders)) or "this folder"
            raise SetupError(
                f"tasks: there is no module '{module}' for '{given}', neither in {places} nor installed"
            ) from None
    try:
        found = getattr(loaded, attribute)
    except AttributeError:
        from .problem import named

        names = [name for name, value in vars(loaded).items() if callable(value) and name[0] != "_"]
        raise SetupError(
            f"tasks: {module} has no function '{attribute}'; {named(attribute, names)}"
        ) from None
    return found


def import_module(module: str, folders: Sequence[Path]) -> ModuleType:
    """The module of that name: the one in the folders, already loaded or not; else any that Python finds."""
    relative = Path(*module.split("."))
    for folder in folders:
        for file in ((folder / relative).with_suffix(".py"), folder / relative / "__init__.py"):
            if file.is_file():
                return _loaded_from(module, file.resolve(), folder)
    return importlib.import_module(module)


def _loaded_from(name: str, file: Path, folder: Path) -> ModuleType:
    """The module of a file. One that is loaded already, under whatever name, is not loaded a second time."""
    known = sys.modules.get(name)
    if known is not None and _file_of(known) == file:
        return known
    for module in list(sys.modules.values()):
        if _file_of(module) == file:
            return module
    if known is None:
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))  # for its neighbours; it stays, for what is imported later
        importlib.invalidate_caches()
        found = importlib.import_module(name)
        if _file_of(found) == file:
            return found
    return _load_apart(name, file)


def _load_apart(name: str, file: Path) -> ModuleType:
    """The module under a name of its own: its own is another one's."""
    private = f"_stratum_{abs(hash(file)):x}_{name.replace('.', '_')}"
    if private in sys.modules:
        return sys.modules[private]
    spec = importlib.util.spec_from_file_location(private, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[private]
        raise
    return module


def _load_file(path: str, folders: Sequence[Path], given: str) -> ModuleType:
    for folder in (*folders, Path()):
        file = (folder / path).resolve()
        if file.is_file():
            return _loaded_from(file.stem, file, file.parent)
    places = ", ".join(map(str, folders)) or "this folder"
    raise SetupError(f"tasks: there is no file for '{given}' in {places}")


def _file_of(module: Any) -> Path | None:
    file = getattr(module, "__file__", None)
    return _resolved(file) if isinstance(file, str) else None


_known: dict[str, Path] = {}


def _resolved(file: str) -> Path:
    found = _known.get(file)
    if found is None:
        found = _known[file] = Path(file).resolve()
    return found
