"""The wheel, installed where nothing else is: every module imports, and an example runs from there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WALK = """
import importlib, json, pkgutil, pathlib, sys
import stratum
for name in stratum.__all__:
    getattr(stratum, name)
names = [m.name for m in pkgutil.walk_packages(stratum.__path__, "stratum.") if ".examples." not in m.name]
# boto3, pytest and mcp are not in the base install.
skipped = {
    "stratum.handlers.store.dynamodb", "stratum.local.testing.plugin", "stratum.local.testing.coverage",
    "stratum.local.testing.cases.collecting",
}
for name in names:
    if name not in skipped and not name.startswith("stratum.handlers.mcp.") and not name.endswith("handler_runtime.__main__"):
        importlib.import_module(name)
files = [str(f) for p in stratum.__path__ for f in pathlib.Path(p).rglob("orders.yaml")]
print(json.dumps({"modules": len(names), "boto3": "boto3" in sys.modules, "orders": files}))
"""


def test_the_wheel_works_on_its_own(tmp_path: Path) -> None:
    # What an earlier build left there goes into the wheel too, also modules that are no more.
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path / "dist"), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=180,
    )
    [wheel] = (tmp_path / "dist").glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, str(wheel)], check=True, timeout=180)
    there = tmp_path / "elsewhere"
    there.mkdir()
    found = json.loads(
        subprocess.run(
            [str(python), "-c", WALK], cwd=there, check=True, capture_output=True, text=True
        ).stdout
    )
    assert found["modules"] > 60
    assert not found["boto3"]
    [orders] = found["orders"]
    package = Path(orders).parents[3]
    assert {"__init__.py", "py.typed"} < {path.name for path in package.iterdir()}
    assert not list(package.glob("local/import*"))
    top = {path.name for path in (tmp_path / "env").glob("lib/python*/site-packages/*")}
    assert not {"handlers", "local", "infra", "statelang", "tests"} & top
    command = [
        str(tmp_path / "env" / "bin" / "stratum"),
        "run",
        orders,
        "--input",
        f"@{Path(orders).with_name('input.json')}",
    ]
    done = subprocess.run(command, cwd=there, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["order"] == "o-1001"
