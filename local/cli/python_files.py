"""Workflows that are built in Python, as the commands are given them: `shop/flow.py:orders` or `shop.flow:orders`.

Building one runs the module; whatever goes wrong in it is told by its place there.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import re
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from .problem import WrongRequest

if TYPE_CHECKING:
    from ...statelang.python.workflow import Workflow

_FILE = re.compile(r"(?P<file>.*\.py)(?::(?P<name>\w+))?", re.ASCII)
_MODULE = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<name>\w+)", re.ASCII)


_folders: set[str] = set()
"""Whose modules were imported."""


@dataclass(frozen=True, slots=True)
class Built:
    """A workflow, the file that builds it, and the folder that its modules are imported from."""

    workflow: Workflow
    path: Path
    folder: Path


def is_python(path: Path) -> bool:
    """Whether this names a workflow in Python."""
    text = str(path)
    return bool(_FILE.fullmatch(text)) or (bool(_MODULE.fullmatch(text)) and not path.exists())


def build(path: Path) -> Built:
    """Imports the module and finds the workflow in it. Raises `WrongRequest`."""
    text = str(path)
    named = _FILE.fullmatch(text)
    if named is not None:
        file = Path(named["file"])
        if not file.is_file():
            from .files import read_bytes

            read_bytes(file)  # says what is there instead
        folder, module = importable(file.resolve())
    else:
        named = _MODULE.fullmatch(text)
        assert named is not None
        folder, module, file = Path.cwd(), named["module"], None
    loaded = _import(module, folder, file)
    found = Path(loaded.__file__ or module)
    workflow = _workflow(loaded, named["name"], found)
    shown = file or (found.relative_to(folder) if found.is_relative_to(folder) else found)
    return Built(workflow, shown, folder)


def importable(file: Path) -> tuple[Path, str]:
    """The folder from which the file is imported, and the module that it then is."""
    folder, parts = file.parent, [file.stem]
    while (folder / "__init__.py").is_file():
        folder, parts = folder.parent, [folder.name, *parts]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return folder, ".".join(parts)


def _import(module: str, folder: Path, file: Path | None) -> ModuleType:
    there = sys.modules.get(module)
    if file is not None and there is not None and str(Path(there.__file__ or "").parent) in _folders:
        _forget(Path(there.__file__ or "").parent)  # another file of that name was built before
    _make_way(folder)
    sys.path.insert(0, str(folder))
    _folders.add(str(folder))
    importlib.invalidate_caches()
    try:
        # What a module prints must not stand between a command's results.
        with contextlib.redirect_stdout(sys.stderr):
            loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise WrongRequest(
                f"there is no module {error.name} in {folder}, nor among those installed"
            ) from None
        raise WrongRequest(_failed(module, error)) from None
    except (Exception, SystemExit) as error:
        raise WrongRequest(_failed(module, error)) from None
    if file is not None and Path(loaded.__file__ or "").resolve() != file.resolve():
        raise WrongRequest(f"{file} is called as another module is: `{module}`; give it another name")
    return loaded


def _make_way(folder: Path) -> None:
    """Lets the folder's modules be imported where others of their names were, out of another folder of handlers."""
    installed = (sys.prefix, sys.base_prefix)
    for entry in folder.iterdir():
        name = entry.stem
        if name == "stratum" or (entry.suffix != ".py" and not (entry / "__init__.py").is_file()):
            continue
        file = getattr(sys.modules.get(name), "__file__", None)
        own = (folder / f"{name}.py", folder / name / "__init__.py")
        if file is None or Path(file).resolve() in own or any(map(Path(file).is_relative_to, installed)):
            continue
        for loaded in list(sys.modules):
            if loaded == name or loaded.startswith(f"{name}."):
                del sys.modules[loaded]


def _forget(folder: Path) -> None:
    """Lets modules of the folder's names be imported from elsewhere."""
    sys.path[:] = [each for each in sys.path if each != str(folder)]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is not None and Path(file).is_relative_to(folder):
            del sys.modules[name]


def _failed(module: str, error: BaseException) -> str:
    """What went wrong in the user's code: its place, the line, the error."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {what}"
    own = Path(__file__).resolve().parents[2]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename != importlib.__file__
    ]
    theirs = [frame for frame in frames if not Path(frame.filename).is_relative_to(own / "local" / "cli")]
    while len(theirs) > 1 and Path(theirs[-1].filename).is_relative_to(own / "statelang"):
        theirs.pop()
    if not theirs:
        return f"{module} cannot be imported: {what}"
    return f"{theirs[-1].filename}:{theirs[-1].lineno}: {what}\n    {theirs[-1].line}"


def _workflow(module: ModuleType, name: str | None, file: Path) -> Workflow:
    from ...statelang.python.workflow import Workflow

    there = {key: value for key, value in vars(module).items() if isinstance(value, Workflow)}
    names = ", ".join(f"`{each}`" for each in there) or "none"
    if name is None:
        if len(set(map(id, there.values()))) == 1:
            return next(iter(there.values()))
        way_on = (
            f"say which: {file.name}:{next(iter(there))}" if there else "one is made by stratum.Workflow(…)"
        )
        raise WrongRequest(f"{file} has {len(there)} workflows ({names}); {way_on}")
    if name in there:
        return there[name]
    if name in vars(module):
        kind = type(vars(module)[name]).__name__
        raise WrongRequest(
            f"`{name}` of {file} is no workflow but of the type {kind}; its workflows: {names}"
        )
    close = difflib.get_close_matches(name, there, 1)
    hint = f"did you mean `{close[0]}`?" if close else f"its workflows: {names}"
    raise WrongRequest(f"{file} has no `{name}`; {hint}")
