"""The wheel of the example of a plug-in."""

from __future__ import annotations

import base64
import hashlib
import tomllib
import zipfile
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "local" / "examples" / "plugin"


def wheel(project: Path, folder: Path) -> Path:
    """The distribution that a build of the project makes, without a build backend, which is on no offline machine."""
    described = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    name = f"{described['name'].replace('-', '_')}-{described['version']}"
    points = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in described["entry-points"].items()
    )
    info = f"{name}.dist-info"
    files = {
        "stratum_media.py": (project / "stratum_media.py").read_text(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: {described['version']}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    made = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return made
