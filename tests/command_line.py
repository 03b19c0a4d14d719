"""The `stratum` command in a process of its own, as people use it.

Most of what a short command takes is its imports. So the processes are forked from one that has them done
(`python command_line.py`, one for each process of the test run) instead of started anew; all else is as it is on
a person's machine: its own folder, environment, output and exit code.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "import sys; from stratum.local.cli import main; sys.exit(main())"]

_PATIENCE = 120


def stratum(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in the folder, to its end."""
    with tempfile.TemporaryDirectory() as kept:
        files = [str(Path(kept, name)) for name in ("stdout", "stderr")]
        code = _run([str(folder), *arguments], {**os.environ, **environ}, files)
        texts = [Path(file).read_text(encoding="utf-8") for file in files]
    return subprocess.CompletedProcess(["stratum", *arguments], code, *texts)


def done(folder: Path, *arguments: str) -> Any:
    """Runs a command that must go well; answers what it prints, as JSON."""
    ended = stratum(folder, *arguments)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout) if ended.stdout.strip() else None


def _run(call: list[str], environ: dict[str, str], files: list[str]) -> int:
    source = _source()
    assert source.stdin is not None
    assert source.stdout is not None
    source.stdin.write(json.dumps([call, environ, files]).encode() + b"\n")
    source.stdin.flush()
    process = json.loads(source.stdout.readline())
    if not select.select([source.stdout], [], [], _PATIENCE)[0]:
        os.kill(process, signal.SIGKILL)
        source.stdout.readline()
        raise subprocess.TimeoutExpired(call, _PATIENCE)
    return json.loads(source.stdout.readline())


@cache
def _source() -> subprocess.Popen[bytes]:
    source = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    atexit.register(source.wait)
    assert source.stdin is not None
    atexit.register(source.stdin.close)
    return source


def _serve() -> int:
    """Forks a process for each line of standard input; tells its number, and how it ended. In the process itself,
    answers the command's exit code."""
    _import_most()
    gc.freeze()
    for line in sys.stdin:
        (folder, *arguments), environ, files = json.loads(line)
        process = os.fork()
        if not process:
            return _become(folder, arguments, environ, files)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
    return 0


def _import_most() -> None:
    from stratum import handlers, statelang
    from stratum.local import cli

    for name in ("boto3", "stratum.local.cloud", "stratum.local.runs", "stratum.local.stores"):
        importlib.import_module(name)
    for room in (statelang, cli, handlers):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)


def _become(folder: str, arguments: list[str], environ: dict[str, str], files: list[str]) -> int:
    for number, path in zip((0, 1, 2), (os.devnull, *files), strict=True):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["stratum", *arguments]
    sys.path[:1] = ["", *filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it is standard input
    from stratum.local.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(_serve())
