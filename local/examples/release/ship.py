"""Test, build, stage, health, roll back: real ones, with nothing but the standard library."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipapp
from pathlib import Path

_PACKAGE = Path(__file__).with_name("package")


class TestsFailed(Exception):
    pass


class Unhealthy(Exception):
    pass


def _folder():
    folder = Path(os.environ.get("STRATUM_EXAMPLE_DATA", ".stratum")) / "release"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def test(event, context):
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "discover", "-s", str(_PACKAGE), "-t", str(_PACKAGE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise TestsFailed(done.stderr[-2000:])
    passed = int(re.search(r"Ran (\d+) test", done.stderr).group(1))
    return {"passed": passed, "seconds": round(time.monotonic() - began, 3)}


def build(event, context):
    """A zipapp, byte for byte the same for the same sources and version."""
    work = _folder() / f"build-{event['version']}"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(_PACKAGE, work, ignore=shutil.ignore_patterns("__pycache__", "test_*"))
    (work / "release.json").write_text(json.dumps({"version": event["version"], "fault": event.get("fault")}))
    for path in sorted(work.rglob("*")):
        os.utime(path, (0, 1_000_000_000))
    target = _folder() / f"greeter-{event['version']}.pyz"
    zipapp.create_archive(work, target)
    shutil.rmtree(work)
    data = target.read_bytes()
    return {"file": str(target), "digest": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _point_to(release):
    """`current` names one release or the other, at no time none."""
    pointer = _folder() / "current"
    partial = pointer.with_suffix(f".{os.getpid()}")
    partial.write_text(release)
    partial.replace(pointer)


def stage(event, context):
    if hashlib.sha256(Path(event["file"]).read_bytes()).hexdigest() != event["digest"]:
        raise ValueError("the build is not the one that was made")
    target = _folder() / "releases" / event["version"]
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(event["file"], target / "greeter.pyz")
    pointer = _folder() / "current"
    previous = pointer.read_text() if pointer.exists() else None
    _point_to(event["version"])
    return {"release": event["version"], "previous": previous if previous != event["version"] else None}


def health(event, context):
    app = _folder() / "releases" / event["release"] / "greeter.pyz"
    process = subprocess.Popen([sys.executable, str(app)], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline() or 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)
    except (OSError, ValueError) as error:
        raise Unhealthy(f"version {event['release']} does not answer: {error}") from None
    finally:
        process.kill()
        process.wait()


def roll_back(event, context):
    if event["previous"] is None:
        (_folder() / "current").unlink(missing_ok=True)
    else:
        _point_to(event["previous"])
    shutil.rmtree(_folder() / "releases" / event["release"], ignore_errors=True)
    return {"current": event["previous"]}
