"""Benchmarks beside peers, all from one run: `make bench`.

Every figure is worth something only beside the others of its table: machines differ, ratios less so. Peers are
installed from the package registry into environments of their own below `.venv/peers`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = ROOT / ".venv" / "peers"


def environment(*packages: str) -> Path:
    """The Python of an environment that holds these packages; made when it is first wanted."""
    folder = PEERS / packages[0].partition("[")[0]
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "ready").exists():
        print(f"installing {' '.join(packages)} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "ready").touch()
    return python


def measure(script: str, *arguments: str, python: Path | str = sys.executable) -> dict[str, Any]:
    """Runs one script in a process of its own, in an empty folder; it prints its figures as JSON, last."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(python), str(HERE / script), *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def startup() -> None:
    print("\nMilliseconds to start, cold processes, medians of 10")
    stratum = Path(sys.executable).with_name("stratum")
    hello = 'stratum: "1"\nworkflow: hello\nversion: 1.0.0\nsteps: [{id: greet, task: hello.greet}]\n'
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "hello.yaml").write_text(hello)
        Path(folder, "hello.py").write_text("def greet(event, context):\n    return 'hello'\n")
        for label, command in (
            ("python -c 'import moto'", [sys.executable, "-c", "import moto"]),
            ("python -c 'import boto3'", [sys.executable, "-c", "import boto3"]),
            ("stratum --help", [str(stratum), "--help"]),
            ("stratum run hello.yaml", [str(stratum), "run", "hello.yaml"]),
        ):
            times = []
            for _ in range(10):
                began = time.perf_counter()
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
                times.append((time.perf_counter() - began) * 1000)
            print(f"  {label:<42}{statistics.median(times):>10,.0f}")
        package = [sys.executable, "-c", "from mcp.server import MCPServer"]
        for label, measured in (
            ("python -c 'from mcp.server import MCPServer'", lambda: _seconds_of(package, folder)),
            ("stratum mcp, until tools/list is answered", lambda: _first_list(stratum, folder)),
        ):
            print(f"  {label:<42}{statistics.median(measured() for _ in range(10)) * 1000:>10,.0f}")


def _seconds_of(command: list[str], folder: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def _first_list(stratum: Path, folder: str) -> float:
    """Seconds from the server's start to its list of tools, as a client over stdio waits for it."""
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "0"},
    }
    requests = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    ]
    began = time.perf_counter()
    with subprocess.Popen(
        [str(stratum), "mcp"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("".join(json.dumps(each) + "\n" for each in requests))
        server.stdin.flush()
        for line in server.stdout:
            if json.loads(line).get("id") == 1:
                took = time.perf_counter() - began
                server.stdin.close()
                return took
    raise SystemExit("stratum mcp has not listed its tools")


def pass_chain() -> None:
    print("\nTransitions per second: a chain of 100 Pass states, started, run and its history read")
    peer = measure("peer_moto.py", python=environment("moto[stepfunctions]", "boto3"))["per_second"]
    print(f"  {'moto, Step Functions':<42}{peer:>10,.0f}")
    for store in ("memory", "sqlite", "dynamodb"):
        ours = measure("pass_chain.py", store)["per_second"]
        label = {"memory": "in memory", "sqlite": "on SQLite", "dynamodb": "on moto's DynamoDB"}[store]
        print(f"  {'Stratum, ' + label:<42}{ours:>10,.0f}{ours / peer:>9.1f} x moto")


def durable_tasks() -> None:
    print("\nDurable tasks per second: workflows of 10 tasks, functions in the process, on SQLite")
    python = environment("dbos")
    for how in ("one", "many"):
        peer = measure("peer_dbos.py", how, python=python)["per_second"]
        ours = measure("tasks.py", how, "full")
        raw = measure("raw_sqlite.py", how, str(ours["bytes_per_task"]), "full")["per_second"]
        relaxed = measure("tasks.py", how, "normal")["per_second"]
        label = "one after the other" if how == "one" else "100 at once"
        print(f"  {'DBOS, ' + label:<42}{peer:>10,.0f}")
        print(
            f"  {'Stratum, ' + label:<42}{ours['per_second']:>10,.0f}"
            f"{ours['per_second'] / peer:>9.1f} x DBOS{ours['per_second'] / raw:>9.2f} x raw SQLite"
        )
        print(
            f"  {'Stratum, ' + label + ', synchronous=NORMAL':<42}{relaxed:>10,.0f}{relaxed / peer:>9.1f} x DBOS"
        )
        print(f"  {'raw SQLite commits of as many bytes':<42}{raw:>10,.0f}")


def bytes_per_step() -> None:
    print("\nBytes stored per step, a task with 60 bytes in and out")
    for steps in (10, 100, 1000):
        stored = measure("storage.py", str(steps))
        print(f"  {steps:>5} steps{stored['bytes_per_step']:>12,.0f}")


def maps() -> None:
    print("\nMaps over tasks, on SQLite: seconds for 1,000 and 10,000 items, and what ten times as many cost")
    for mode in ("inline", "distributed"):
        small, large = measure("maps.py", mode, "1000"), measure("maps.py", mode, "10000")
        print(
            f"  {mode:<42}{small['seconds']:>8.2f}{large['seconds']:>8.2f}{large['seconds'] / small['seconds']:>9.1f} x"
            f"{large['megabytes']:>8.0f} MB"
        )


def lambda_tasks() -> None:
    print(
        "\nLambda tasks per second through `stratum up`: 50 executions of 10 tasks at once, each in a warm worker process"
    )
    rounds = measure("up_tasks.py")
    print(f"  {'boto3 client, StartExecution to the end':<42}{rounds['per_second']:>10,.0f}")


def console() -> None:
    print(
        "\nThe console over 10,000 executions of 50 events on SQLite, over HTTP: median and slowest of 15, in ms; the aim"
    )
    told = measure("console.py", "10000")
    for row in told["answers"]:
        print(
            f"  {row['what']:<50}{row['median']:>8.1f}{row['most']:>8.1f}    under {row['aim']}{row['bytes'] / 1000:>8.1f} kB"
        )
    search = told["search"]
    print(
        f"  all {search['logs']:,} logs searched: {search['seconds']:.1f} s, in {search['answers']} answers"
    )
    print(
        f"  the engine's tasks per second with four who watch, beside none: {told['ratio'] * 100:.1f} %    aim: above 95 %"
    )


def costs() -> None:
    print(
        "\nDollars for a million transitions on the engine, beside $25 on Standard: the table of infra/COSTS.md"
    )
    for row in measure("costs.py")["rows"]:
        print(f"  {row['workflow']:<42}{row['all']:>10}{row['per transition']:>9} WRU a transition")


if __name__ == "__main__":
    startup()
    pass_chain()
    durable_tasks()
    bytes_per_step()
    maps()
    lambda_tasks()
    console()
    costs()
