"""`stratum cost`: what a workflow will cost, or what an execution did."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .problem import WrongRequest

EXPRESS_SECONDS = 300
"""An Express workflow runs for five minutes at the most."""

if TYPE_CHECKING:
    from ...statelang.cost import Bill, Prices
    from ..cost.figures import Figures


def cost(options: argparse.Namespace) -> int:
    from ...statelang.cost import InvalidPrices
    from ..cost import load_prices

    if (options.file is None) == (options.execution is None):
        raise WrongRequest("give a FILE to estimate, or --execution NAME for one that has run")
    if options.executions is None:
        options.executions = 1_000_000 if options.execution is None else 1
    if not 1 <= options.executions <= 1e15:
        raise WrongRequest("--executions is a number from 1")
    if not 0 <= options.task_seconds < 1_000_000:
        raise WrongRequest("--task-seconds is a number of seconds")
    try:
        prices = load_prices((options.region or "us-east-1"), options.prices)
    except InvalidPrices as wrong:
        raise WrongRequest(str(wrong)) from None
    return _of_execution(options, prices) if options.file is None else _of_file(options, prices)


def _of_file(options: argparse.Namespace, prices: Prices) -> int:
    from ..cost import of_definition
    from .files import load_workflow

    workflow = load_workflow(Path(options.file))
    items = _items(options.items)
    found = of_definition(
        prices, workflow.definition, workflow.source_map, executions=options.executions, items=items,
        task_seconds=options.task_seconds,
    )  # fmt: skip
    columns = {"least": found.least, "typical": found.typical, "most": found.most}
    if options.json:
        return _print_json(options, prices, workflow.name, columns)
    notes = _about_express(workflow.definition, found.typical)
    notes += [
        f"a task takes {options.task_seconds:g} s (--task-seconds); every rule of a Choice is as likely as another",
    ]
    if found.maps:
        said = ", ".join(f"{name} {items(name)}" for name in found.maps)
        notes.append(f"items of a map: {said} (--items N, or NAME=N)")
    if found.loops:
        notes.append(f"no bound for the most: {_named(found.loops)} can go round for as long as it takes")
    _print(options, prices, f"{workflow.name}, estimated", columns, notes)
    return 0


def _about_express(definition: Any, figures: Figures) -> list[str]:
    """What keeps the workflow from being an Express one at all."""
    text = json.dumps(definition)
    if any(word in text for word in ('.sync"', '.sync:2"', '.waitForTaskToken"', ":activity:")):
        return ["it cannot be an Express workflow: those have no callbacks, no activities and no .sync"]
    if figures.counts.seconds > EXPRESS_SECONDS:
        return ["it may be too long for an Express workflow, which ends after 5 minutes"]
    return []


def _named(states: Sequence[str]) -> str:
    return ", ".join(states[:3]) + (f" and {len(states) - 3} more" if len(states) > 3 else "")


def _of_execution(options: argparse.Namespace, prices: Prices) -> int:
    from ..cost import of_execution
    from .executions import find

    store, head = find(options)
    found = of_execution(prices, store, head, executions=options.executions)
    if options.json:
        return _print_json(options, prices, head.name, {"counted": found})
    name = head.workflow
    notes = [] if head.stopped_at is not None else ["it has not ended: this is what it has come to so far"]
    _print(options, prices, f"{name} {head.name}, counted", {"counted": found}, notes)
    return 0


def cost_line(store: Any, head: Any) -> str:
    """A line for after a run."""
    from ..cost import load_prices, of_execution

    found = of_execution(load_prices(), store, head)
    transitions = found.counts.transitions
    aws, express, own = (_dollars(bill.dollars * 1_000_000) for bill in found.bills)
    express = f"{express} on Express" if found.counts.seconds <= EXPRESS_SECONDS else "too long for Express"
    return (
        f"cost: {transitions:g} transition{'s' * (transitions != 1)}; a million such runs are {aws} on Step Functions,"
        f" {express}, {own} on our handlers"
    )


def _items(given: Sequence[str]) -> Callable[[str], int]:
    """`--items`: a number for every map, or `NAME=N` for one."""
    every, named = 10, dict[str, int]()
    for text in given:
        name, _, number = text.rpartition("=")
        if not number.isdecimal() or len(number) > 9:
            raise WrongRequest(f"--items {text}: give a number of items, or NAME=N for the map of that name")
        if name:
            named[name] = int(number)
        else:
            every = int(number)
    return lambda name: named.get(name, every)


# -- printing ----------------------------------------------------------------------------------------------

_Columns = dict[str, "Figures | None"]


def _print(
    options: argparse.Namespace, prices: Prices, title: str, columns: _Columns, notes: list[str]
) -> None:
    many = f"{options.executions:,.0f} execution{'s' * (options.executions != 1)}"
    print(f"{title}: {many} in {prices.region}, at prices of {prices.as_of}\n")
    rows: list[list[str]] = [["", *columns]]
    rows.append(["transitions of one execution", *(_amount(each and each.counts.transitions) for each in columns.values())])  # fmt: skip
    some = next(each for each in columns.values() if each is not None)
    for number, bill in enumerate(some.bills):
        bills = [each and each.bills[number] for each in columns.values()]
        rows.append([bill.name, *(_dollars(each and each.dollars) for each in bills)])
        rows += [[f"  {item.what}", *(_item(each, item.what) for each in bills)] for item in bill.items]
        if any(each and each.after_free < each.dollars for each in bills):
            rows.append(["  after what a month has free", *(_dollars(each and each.after_free) for each in bills)])  # fmt: skip
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]  # fmt: skip
        print("   ".join(cells).rstrip())
    print()
    for bill in some.bills:
        print(f"{bill.name}: {bill.formula}")
    for note in notes:
        print(note)
    print(
        "functions' own time and price are left out: they are the same everywhere. --prices FILE has other prices"
    )


def _item(bill: Bill | None, what: str) -> str:
    item = next((item for item in bill.items if item.what == what), None) if bill is not None else None
    if item is None:
        return "-"
    return f"{_amount(item.amount)}{' ' + item.unit if item.unit else ''}  {_dollars(item.dollars)}"


def _amount(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _dollars(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 0.995 or value < 1e-12:
        return f"${value:,.2f}"
    return f"${value:.{1 - math.floor(math.log10(value))}f}"


def _print_json(options: argparse.Namespace, prices: Prices, name: str, columns: _Columns) -> int:
    shown = {
        "workflow": name,
        "executions": options.executions,
        "region": prices.region,
        "prices_as_of": prices.as_of,
        "figures": {
            column: None
            if figures is None
            else {
                "counts": asdict(figures.counts),
                "bills": [
                    {**asdict(bill), "dollars": bill.dollars, "after_free": bill.after_free}
                    for bill in figures.bills
                ],
            }
            for column, figures in columns.items()
        },
    }
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return 0
