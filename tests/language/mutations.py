"""A valid spec made wrong, in every way that a hand can slip. The same changes every time."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stratum.statelang.spec import Source, read_source

WHOLE = """\
stratum: "1"
workflow: everything
version: 1.4.0
description: One of each kind of step.
types:
  Item: {sku: string, qty: {type: integer, minimum: 1}}
  Order: {id: string, items: [Item], total: {type: number, minimum: 0}, email: optional string}
  Receipt: {charge_id: string, amount: number}
input: Order
output: {receipt: optional Receipt, parcels: [string]}
timeout: 2d
defaults:
  timeout: 30s
  retry: {on: [Transient], attempts: 3, backoff: exponential, delay: 1s, max_delay: 20s, jitter: full}
steps:
  - id: check
    task: orders.check
    input: {order: "{% $input %}", strict: true}
    output: {ok: boolean, errors: [string]}
    ensure:
      - that: $result.ok
        otherwise: "{% 'rejected: ' & $join($result.errors, '; ') %}"
  - id: approve
    when: $input.total > 1000
    gate:
      approvers: [ops@example.com]
      timeout: 24h
      on_timeout: escalate
      escalate: {to: [boss@example.com], timeout: 4h}
      reminders: [4h, 12h]
      form: {note: string}
      values: {note: "{% $input.id %}"}
      revise: {to: check, rounds: 2}
  - id: route
    decision:
      - {when: $input.total > 5000, next: manual}
      - {next: charge}
  - id: charge
    task: payments.charge
    input: {amount: "{% $input.total %}"}
    needs: {that: $input.total > 0, otherwise: nothing to charge, within: 5m, every: 10s}
    retry: {on: [Throttled], never: [CardDeclined], attempts: 5, backoff: linear, delay: 2s}
    output: Receipt
    compensate: {task: payments.refund, input: {id: "{% $charge.charge_id %}"}, retry: {attempts: 9}}
    on_error: [{match: [CardDeclined], next: sorry}]
    next: parcels
  - id: manual
    agent: claude
    intent: "{% 'charge order ' & $input.id %}"
    input: {order: "{% $input %}"}
    output: Receipt
    ensure: [$result.amount = $input.total]
    attempts: 3
    heartbeat: 10m
    budget: {usd: 0.50, tokens: 20000}
  - id: parcels
    map: {items: $input.items, as: line, max_concurrency: 5, tolerate: 10%}
    steps:
      - {id: label, task: parcel.label, input: "{% $line.sku %}", output: string}
  - {id: settle, wait: 10m}
  - id: hunt
    repeat: {max: 4, until: $count($look.found) = 0, on_max: end, collect: {items: $look.found, key: $item.sku}}
    steps:
      - {id: look, task: stock.look, input: {round: "{% $round %}"}, output: {found: [Item]}}
  - id: both
    parallel:
      mail: [{id: send, task: mail.receipt, input: {to: "{% $input.email %}"}}]
      index: [{id: put, task: "aws-sdk:dynamodb:putItem", input: {TableName: orders, Item: {id: {S: "{% $input.id %}"}}}}]
  - {id: bill, workflow: "billing:prod", input: {order: "{% $input.id %}"}, output: {done: boolean}}
  - {id: facts, set: {n: "{% $count($parcels) %}", billed: "{% $bill.done %}"}}
  - {id: shipped, succeed: {receipt: "{% $charge != null ? $charge : $manual %}", parcels: "{% $parcels %}"}}
  - {id: sorry, fail: Declined, because: "{% $error.Cause & ' for ' & $input.id %}"}
"""


@dataclass(frozen=True)
class Mutation:
    kind: str
    text: str


Made = Iterator[tuple[int, int, str]]
"""Stretches of the text, with what is to stand there instead."""


def mutations(text: str, count: int) -> list[Mutation]:
    """So many ways of being wrong, evenly of every kind."""
    source, findings = read_source(text, "whole.yaml")
    assert findings == []
    chance = random.Random(7)
    found: dict[str, list[Mutation]] = {}
    for kind, make in KINDS.items():
        changes = list(make(source))
        chance.shuffle(changes)
        made = [Mutation(kind, text[:start] + new + text[end:]) for start, end, new in changes]
        found[kind] = [each for each in made if each.text != text]
    chosen: list[Mutation] = []
    at = 0
    while len(chosen) < count and any(at < len(each) for each in found.values()):
        chosen += [each[at] for each in found.values() if at < len(each)]
        at += 1
    return chosen[:count]


def _keys(source: Source) -> Iterator[tuple[int, int, str]]:
    for node in source.keys.values():
        yield node.start_mark.index, node.end_mark.index, node.value


def _scalars(source: Source) -> Iterator[tuple[int, int, str, str]]:
    for path, node in source.nodes.items():
        if isinstance(node.value, str):
            yield node.start_mark.index, node.end_mark.index, node.value, str(path[-1])


def _collections(source: Source) -> Iterator[tuple[int, int]]:
    for path, node in source.nodes.items():
        if path and not isinstance(node.value, str) and node.flow_style:
            yield node.start_mark.index, node.end_mark.index


def wrong_key(source: Source) -> Made:
    for start, end, key in _keys(source):
        yield start, end, key[:-1] + ("e" if key[-1] != "e" else "s")


def swapped_letters(source: Source) -> Made:
    for start, end, key in _keys(source):
        if len(key) > 3:
            yield start, end, key[0] + key[2] + key[1] + key[3:]


def key_of_elsewhere(source: Source) -> Made:
    names = ["compensate", "timeout", "next", "ensure", "succeed", "items", "task", "approvers", "when"]
    for at, (start, end, _) in enumerate(_keys(source)):
        yield start, end, names[at % len(names)]


def wrong_type(source: Source) -> Made:
    others = ["[]", "{}", "17", "true", "null", '""', "[a, b]", "{a: 1}", "-1", "1.5"]
    for at, (start, end, _, _) in enumerate(_scalars(source)):
        yield start, end, others[at % len(others)]


def scalar_for_collection(source: Source) -> Made:
    others = ["word", "17", "true", "null", "[[]]", "{x: {}}", "[]", "{}"]
    for at, (start, end) in enumerate(_collections(source)):
        yield start, end, others[at % len(others)]


def missing_reference(source: Source) -> Made:
    for start, end, name in _variables(source):
        yield start, end, f"${name[:-1] if len(name) > 3 else name + 'x'}"


def other_reference(source: Source) -> Made:
    names = [
        "label",
        "sorry",
        "settle",
        "manual",
        "shipped",
        "states",
        "result",
        "error",
        "item",
        "round",
        "look",
    ]
    for at, (start, end, _) in enumerate(_variables(source)):
        yield start, end, f"${names[at % len(names)]}"


def missing_field(source: Source) -> Made:
    for found in re.finditer(r"\$[a-z]+\.([a-z_]+)", source.text):
        start, end = found.span(1)
        yield start, end, found[1] + "x"
        yield start, end, found[1][::-1]


def _variables(source: Source) -> Made:
    for found in re.finditer(r"\$([a-z]+)", source.text):
        yield *found.span(), found[1]


def broken_expression(source: Source) -> Made:
    for found in re.finditer(r"\$[a-z.]+", source.text):
        for new in (
            f"{found[0]} =",
            f"({found[0]}",
            f"{found[0]} ..",
            f"{found[0]}[",
            found[0].replace("$", ""),
        ):
            yield *found.span(), new


def wrong_next(source: Source) -> Made:
    for start, end, value, key in _scalars(source):
        if key in ("next", "to"):
            yield start, end, value[:-1]
            yield start, end, "nowhere"
            yield start, end, "label"


def cycle(source: Source) -> Made:
    for start, end, _, key in _scalars(source):
        if key == "next":
            for id in ("check", "route", "charge", "parcels", "hunt"):
                yield start, end, id
    for found in re.finditer(r"    task: [a-z.]+\n|wait: 10m", source.text):
        yield (
            found.end(),
            found.end(),
            ", next: check" if found[0].startswith("wait") else "    next: check\n",
        )


def same_id(source: Source) -> Made:
    ids = [value for _, _, value, key in _scalars(source) if key == "id"]
    for at, (start, end, _, key) in enumerate(_scalars(source)):
        if key == "id":
            yield start, end, ids[at % len(ids)]
            yield start, end, ["a b", "2nd", "states", "count", "tür", "x" * 70, "_x"][at % 7]


def wrong_type_name(source: Source) -> Made:
    for found in re.finditer(
        r"\b(string|integer|number|boolean|Item|Order|Receipt|optional string)\b", source.text
    ):
        for new in (found[0][:-1], "Nothing", "[string, number]", "{type: strng}", "Receipt | "):
            yield *found.span(), new


def wrong_duration(source: Source) -> Made:
    for found in re.finditer(r"\b\d+[smhd]\b", source.text):
        for new in ("soon", "0s", "-5s", "1.5h", "10 minutes", "99999999999s", "500ms"):
            yield *found.span(), new


def wrong_number(source: Source) -> Made:
    for found in re.finditer(r"(?<=: )\d[\d.]*(?=[,}\n])", source.text):
        for new in ("0", "-3", "many", "1.5", "999999999", "[1]"):
            yield *found.span(), new


def deleted_line(source: Source) -> Made:
    at = 0
    for line in source.text.splitlines(keepends=True):
        yield at, at + len(line), ""
        at += len(line)


def doubled_line(source: Source) -> Made:
    at = 0
    for line in source.text.splitlines(keepends=True):
        yield at, at, line
        at += len(line)


def truncated(source: Source) -> Made:
    for at in range(3, len(source.text), 23):
        yield at, len(source.text), ""


def shifted_line(source: Source) -> Made:
    at = 0
    for line in source.text.splitlines(keepends=True):
        yield at, at, " "
        if line.startswith("  "):
            yield at, at + 2, ""
        yield at, at, "\t"
        at += len(line)


def odd_character(source: Source) -> Made:
    for number, at in enumerate(range(1, len(source.text), 41)):
        yield at, at, "{}[]:,'\"%$&*!|>#\x7f\u00fc\u2028"[number % 19]


KINDS: dict[str, Callable[[Source], Made]] = {
    made.__name__: made
    for made in (
        wrong_key, swapped_letters, key_of_elsewhere, wrong_type, scalar_for_collection, missing_reference, other_reference,
        missing_field, broken_expression, wrong_next, cycle, same_id, wrong_type_name, wrong_duration, wrong_number,
        deleted_line, doubled_line, truncated, shifted_line, odd_character,
    )
}  # fmt: skip
