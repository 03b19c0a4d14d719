"""What workflows cost."""

from __future__ import annotations

from .adding import Commands


def declare(commands: Commands) -> None:
    cost = commands.add_with_store(
        "cost", "cost:cost", "say what a workflow will cost, or what an execution did"
    )
    cost.add_argument("file", nargs="?", metavar="FILE", help="a spec or a definition, to estimate")
    cost.add_argument(
        "--execution", metavar="EXECUTION", help="a name or an ARN, instead: counted in its history"
    )
    cost.add_argument(
        "--executions", type=float, metavar="N", help="default: a million; of one that has run, 1"
    )
    cost.add_argument(
        "--items", action="append", default=[], metavar="[NAME=]N", help="items of maps (default: 10)"
    )
    cost.add_argument(
        "--task-seconds", type=float, default=0.2, metavar="S", help="how long a task takes (default: 0.2)"
    )
    cost.add_argument("--prices", metavar="FILE", help="your own prices, over those of the package")
    cost.add_argument("--json", action="store_true")
