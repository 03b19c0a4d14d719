"""Keys of this person on this machine: made when they are first needed, in a folder that nobody else may read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def key(name: str, make: Callable[[], bytes]) -> bytes:
    """The key of that name: of the file that `STRATUM_<NAME>_KEY` names, else of `~/.config/stratum`, made where there
    is none. Raises OSError."""
    named = os.environ.get(f"STRATUM_{name.upper().replace('-', '_')}_KEY")
    if named:
        return Path(named).read_bytes()
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "stratum"
    path = folder / f"{name}.pem"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_bytes(make())
        try:
            os.link(made, path)  # whoever is first has made the key; a half-written one is never seen
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_bytes()
