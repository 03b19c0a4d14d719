"""What there is to know of a function in order to run it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FunctionConfig:
    """Two that are equal are served by the same worker processes.

    `module` and `attribute` are the handler's, looked for in `folders`, the first first; `timeout` is in seconds,
    None for none; `memory` is in MB, and more than that ends the process where `memory_limited`; `environ` holds the
    function's own variables; `revision` differs when the code does.
    """

    name: str
    module: str
    attribute: str
    folders: tuple[str, ...]
    arn: str = ""
    version: str = "$LATEST"
    runtime: str = "python"
    timeout: float | None = None
    memory: int = 1024
    memory_limited: bool = False
    environ: tuple[tuple[str, str], ...] = ()
    revision: str = ""

    @property
    def node(self) -> bool:
        """Whether it runs on Node and not on Python."""
        return self.runtime.startswith("nodejs")

    @property
    def handler(self) -> str:
        return f"{self.module}.{self.attribute}"

    @property
    def function(self) -> str:
        """Which function this is a state of: one that has changed takes the place of what it was."""
        return f"{self.arn or self.name}:{self.version}"
