"""Where a function's code is: names of functions, and the folders with the modules that they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...handlers.functions import FunctionNotFound, function_name

PYTHON = (".py",)
NODE = (".mjs", ".cjs", ".js")
_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def bare_name(function: str) -> str:
    """The function's name as Lambda has it: out of an ARN, without a qualifier, with hyphens for dots."""
    return function_name(function).replace(".", "-")


def not_found(function: str, reason: str, close_to: Iterable[str] = ()) -> FunctionNotFound:
    """The error for a function that is not there: Lambda's words, then the reason and the names like it."""
    import difflib

    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    if function.startswith("arn:"):
        arn = function
    close = difflib.get_close_matches(bare_name(function), list(close_to), 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return FunctionNotFound(f"Function not found: {arn} ({reason}{hint})")


class Folders:
    """Folders in which modules are looked for, the first first."""

    def __init__(self, folders: Sequence[Path | str]):
        self.paths = [Path(folder).resolve() for folder in folders]

    def require(self, function: str) -> tuple[str, str]:
        """Module and attribute of a function in Python; see `find`."""
        module, attribute, _ = self.find(function)
        return module, attribute

    def find(self, function: str, suffixes: Sequence[str] = PYTHON) -> tuple[str, str, Path]:
        """Module, attribute and file of a function, given by name (`orders-validate`, `orders.validate`) or ARN.

        The module's file is there; whether it has the attribute is not known before it is imported. Raises
        `FunctionNotFound`.
        """
        module, _, attribute = bare_name(function).replace("-", ".").rpartition(".")
        if not module or not all(_PART.fullmatch(part) for part in [*module.split("."), attribute]):
            raise not_found(function, "a local function is called module-function")
        relative = Path(*module.split("."))
        for folder in self.paths:
            files = [(folder / relative).with_suffix(suffix) for suffix in suffixes]
            for file in [*files, folder / relative / "__init__.py"]:
                if file.is_file():
                    return module, attribute, file
        places = ", ".join(map(str, self.paths)) or "no folder"
        modules = self._modules(relative.parent, suffixes)
        names = [f"{module.replace('.', '-')}-{attribute}" for module in modules]
        raise not_found(function, f"there is no module '{module}' in {places}", names)

    def _modules(self, package: Path, suffixes: Sequence[str]) -> Iterator[str]:
        """The modules beside the one that is missing, and those that the folders have at their top."""
        for parent in dict.fromkeys((package, Path())):
            prefix = "".join(f"{part}." for part in parent.parts)
            for folder in self.paths:
                for file in sorted((folder / parent).glob("*")):
                    if file.suffix in suffixes and file.stem != "__init__":
                        yield prefix + file.stem
                for file in sorted((folder / parent).glob("*/__init__.py")):
                    yield prefix + file.parent.name
