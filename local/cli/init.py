"""`stratum init`: a small project to begin with. What it writes is in `local/starter`."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from .problem import WrongRequest

STARTER = Path(__file__).resolve().parents[1] / "starter"
FILES = ("signup.yaml", "signup.py", "signup.test.yaml", "input.json", "README.md")
COMMANDS = (
    "stratum validate signup.yaml",
    "stratum run signup.yaml --input @input.json",
    "stratum test",
)


def init(options: argparse.Namespace) -> int:
    from ...statelang.spec import json_schema

    folder = Path(options.folder)
    texts = {name: (STARTER / name).read_text(encoding="utf-8") for name in FILES}
    texts["stratum.schema.json"] = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    texts[".gitignore"] = ".stratum/\n__pycache__/\n"
    if os.path.isfile(folder):
        raise WrongRequest(f"{folder} is a file, not a folder")
    there = [name for name in texts if os.path.lexists(folder / name)]
    if there:
        raise WrongRequest(
            f"{', '.join(there)} in {folder} {'is' if len(there) == 1 else 'are'} there already, and nothing is written "
            "over it; `stratum init NEW-FOLDER` begins elsewhere"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            print(folder / name)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WrongRequest(f"{folder} cannot be written to: {reason}") from None
    print("\nTry it:\n")
    if folder != Path():
        print(f"    cd {_quoted(str(folder))}")
    for command in COMMANDS:
        print(f"    {command}")
    return 0


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
