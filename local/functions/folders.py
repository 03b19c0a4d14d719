"""Where a function's code is: names of functions, and the folders with the modules that they stand for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from ...handlers.functions import FunctionNotFound, function_name

_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def handler_of(function: str) -> tuple[str, str]:
    """Module and attribute of a function's name or ARN. Raises `FunctionNotFound` for a name that is no handler's."""
    name = function_name(function)
    module, _, attribute = name.replace("-", ".").rpartition(".")
    if not module or not all(_PART.fullmatch(part) for part in [*module.split("."), attribute]):
        raise FunctionNotFound(f"{not_found(name)} (a local function is called module-function)")
    return module, attribute


def not_found(name: str) -> str:
    """Lambda's words for a function that is not there."""
    return f"Function not found: arn:aws:lambda:us-east-1:123456789012:function:{name}"


class Folders:
    """Folders in which modules are looked for, the first first."""

    def __init__(self, folders: Sequence[Path | str]):
        self.paths = [Path(folder).resolve() for folder in folders]

    def require(self, function: str) -> tuple[str, str]:
        """Module and attribute of the function, whose file is there. Raises `FunctionNotFound`."""
        module, attribute = handler_of(function)
        relative = Path(*module.split("."))
        for folder in self.paths:
            if (folder / relative).with_suffix(".py").is_file() or (folder / relative / "__init__.py").is_file():
                return module, attribute
        names = [path.stem for folder in self.paths for path in folder.glob("*.py")]
        close = difflib.get_close_matches(module, names, 1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        places = ", ".join(map(str, self.paths))
        name = function_name(function)
        raise FunctionNotFound(f"{not_found(name)} (no module '{module}' in {places}{hint})")
