"""Edits of a spec's text: what is not concerned stays byte for byte, and what it says is what the edit says."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.statelang.spec import load, load_data
from stratum.statelang.spec.edits import (
    Add,
    Connect,
    Edited,
    Move,
    NotEdited,
    Place,
    Remove,
    Rename,
    SetField,
    apply,
    edit_of,
)
from stratum.statelang.spec.edits.steps import KINDS, find, steps

ORDER = """\
# An order, from its quote to its end.
stratum: "1"
workflow: order   # its name
version: 1.0.0
input: {id: string, 'items': [string]}

steps:
  # What it costs.
  - id: quote
    task: shop.quote          # a function
    input: {order: "{% $input.id %}"}
    output: {price: number}
    # more about the quote

  # -- what is decided ------

  - id: route
    decision:
      - {when: $quote.price > 100, next: by_hand}   # dear ones
      - {next: charge}
  - {id: by_hand, task: shop.review, input: "{% $quote %}", next: tell}

  # Money.
  - id: charge
    task: 'shop.charge'
    input:
      price: "{% $quote.price & ' – ünïcode 状態' %}"
      note: >-
        {% 'of ' &
        $quote.price %}
    on_error:
      - match: [Declined]   # no money
        next: by_hand
    compensate: {task: shop.refund, input: "{% $charge %}"}

  - id: tell
    parallel:
      mail:
        # by mail
        - id: mail
          task: shop.mail
        - {id: mailed, wait: 1m}
      index: [{id: put, task: search.put, input: {all: "{% ($quote := 1; $quote) %}"}}]

  - id: parcels
    map: {items: $input.items, as: one}
    steps:
    - id: label
      task: shop.label
      input: "{% $one %}"
  # the end of the list
result: {price: "{% $quote.price %}"}   # at last
# the end of the file
"""


def comments(text: str) -> list[str]:
    return re.findall(r"(?:^|(?<=\s))#[^\r\n]*", text)


def ids(text: str) -> list[str]:
    return [step.id for step in steps(load_data(text))]


def differing(one: str, other: str) -> tuple[list[str], list[str]]:
    """The lines that only the one, and only the other has."""
    a, b = one.split("\n"), other.split("\n")
    return [line for line in a if line not in b], [line for line in b if line not in a]


def test_an_edit_changes_only_what_it_is_about() -> None:
    assert load(ORDER).ok
    renamed = apply(ORDER, Rename("quote", "offer")).text
    before, after = differing(ORDER, renamed)
    assert [line.replace("quote", "offer").strip() for line in before if "shop.quote" not in line] == [
        line.strip() for line in after
    ]
    assert "shop.quote" in renamed
    assert "($quote := 1; $quote)" in renamed
    assert "        $offer.price %}" in renamed
    assert load(renamed).ok
    assert apply(renamed, Rename("offer", "quote")).text == ORDER

    added = apply(ORDER, Add("wait", Place(after="charge"), "settle"))
    assert differing(ORDER, added.text) == ([], ["  - id: settle", "    wait: 1m"])
    assert "wait: 1m\n\n  - id: tell" in added.text
    assert '%}"}\n\n  - id: settle' in added.text
    assert [change.insert.strip() for change in added.changes] == ["- id: settle\n    wait: 1m"]
    assert apply(added.text, Remove("settle")).text == ORDER

    moved = apply(ORDER, Move("mail", Place(before="label")))
    assert "    # by mail\n    - id: mail\n      task: shop.mail\n    - id: label\n" in moved.text
    assert comments(moved.text).count("# by mail") == 1
    back = apply(moved.text, Move("mail", Place(before="mailed")))
    assert back.text == ORDER

    gone = apply(ORDER, Remove("quote"))
    assert "# What it costs." not in gone.text
    assert "# more about the quote" not in gone.text
    assert "steps:\n  # -- what is decided ------\n\n  - id: route" in gone.text
    assert gone.notes == ["`$quote` is still used in expressions"]


def test_ways_follow() -> None:
    """What led to a step that goes leads to where it led; what is put below a step is on its way."""
    gone = load_data(apply(ORDER, Remove("by_hand")).text)
    assert find(gone, "route").data["decision"][0]["next"] == "tell"
    assert find(gone, "charge").data["on_error"][0]["next"] == "tell"
    added = apply(ORDER, Add("agent", Place(after="by_hand"), "asked"))
    data = load_data(added.text)
    assert (find(data, "by_hand").data["next"], find(data, "asked").data["next"]) == ("asked", "tell")
    assert '{id: by_hand, task: shop.review, input: "{% $quote %}", next: asked}' in added.text
    assert apply(added.text, Remove("asked")).text == ORDER
    added = apply(ORDER, Add("set", Place(after="route"), "noted"))
    assert find(load_data(added.text), "noted").data["next"] == "charge"
    assert apply(added.text, Remove("noted")).text == ORDER
    branch = apply(ORDER, Add("task", Place(into="tell", branch="sms"), "text"))
    assert "      sms:\n        - id: text\n          task: module.function\n" in branch.text
    assert apply(branch.text, Remove("text")).text == ORDER

    led = apply(ORDER, Connect("quote", "tell")).text
    assert "    output: {price: number}\n    next: tell\n    # more about" in led
    assert apply(led, Connect("quote", None)).text == ORDER
    led = apply(ORDER, Connect("parcels", "end")).text
    assert "as: one}\n    next: end\n    steps:" in led
    led = apply(ORDER, Connect("route", "tell", "branch", when="$quote.price = 0")).text
    assert "# dear ones\n      - when: $quote.price = 0\n        next: tell\n      - {next: charge}" in led
    assert apply(led, Connect("route", None, "branch", 1)).text == ORDER
    led = apply(ORDER, Connect("charge", "tell", "error", match=("Busy", "a: b"))).text
    assert '        next: by_hand\n      - match: [Busy, "a: b"]\n        next: tell\n' in led
    assert apply(led, Connect("charge", None, "error", 1)).text == ORDER
    assert (
        "  - id: quote\n    task: shop.quote2  "
        in apply(ORDER, SetField("quote", "task", "shop.quote2")).text
    )
    told = apply(ORDER, SetField("by_hand", "description", "a person, in {doubt}")).text
    assert 'next: tell, description: "a person, in {doubt}"}' in told
    assert apply(told, SetField("by_hand", "description", None)).text == ORDER


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_added_and_is_right(kind: str) -> None:
    place = Place(after="label") if kind in ("succeed", "fail") else Place(before="quote")
    for text in (ORDER, ORDER.replace("\n", "\r\n"), "\ufeff" + ORDER):
        made = apply(text, Add(kind, place))
        assert apply(made.text, Remove(f"new_{kind}")).text == text
        found = [
            each for each in load(made.text.removeprefix("\ufeff")).diagnostics if each.severity == "error"
        ]
        assert found == [], made.text
    assert load_data(apply(ORDER, Add(kind, Place(into="tell", branch="index"))).text)["steps"][4][
        "parallel"
    ]["index"][1]


SMALL = 'stratum: "1"\nworkflow: w\nversion: 1.0.0\nsteps:\n'


@pytest.mark.parametrize(
    ("text", "edit", "reason"),
    [
        (ORDER, Remove("label"), "only step of `parcels`"),
        (ORDER, Remove("nothing"), "no step `nothing`"),
        (ORDER, Move("tell", Place(after="mailed")), "into itself"),
        (ORDER, Move("charge", Place(into="tell", branch="index")), "comments"),
        (ORDER, Rename("quote", "tell"), "already"),
        (ORDER, Rename("quote", "one"), "name of the items"),
        (ORDER, Rename("quote", "uppercase"), "the language has"),
        (ORDER, Rename("quote", "a b"), "letters"),
        (ORDER.replace("($quote := 1; $quote)", "($x := 1; $quote + $x)"), Rename("quote", "x"), "expression's own"),
        (ORDER, Connect("route", "tell"), "its branches say"),
        (ORDER, Connect("quote", "nowhere"), "no step `nowhere`"),
        (ORDER, Add("dance", Place()), "no kind of step"),
        (ORDER, SetField("quote", "input", "x"), "more than a word"),
        (ORDER, SetField("quote", "task", None), "kind"),
        (ORDER + "steps: []\n", Remove("quote"), "second time"),
        ("a: [", Remove("quote"), "expected"),
        ('{"StartAt": "A", "States": {}}', Remove("quote"), "Amazon"),
        ("a: 1\n", Remove("quote"), "no list of `steps`"),
        (SMALL + "  - &one {id: a, set: {x: 1}}\n  - *one\n", Remove("a"), "several"),
        (SMALL + "  - {id: a, set: {x: &v 1}}\n  - {id: b, set: {x: *v}}\n", Remove("a"), "not be right"),
        (SMALL + "  - {id: a,\n   set: {x: 1}}\n  - {id: b, set: {x: 1}}\n", Move("a", Place(after="b")), None),
        (SMALL.replace("steps:\n", "steps: [\n") + "  {id: a, # c\n   set: {}}, {id: b, set: {}}]\n", Move("b", Place(before="a")), None),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_its_reason(text: str, edit: Any, reason: str | None) -> None:
    if reason is None:
        assert ids(apply(text, edit).text) == ["b", "a"]
        return
    with pytest.raises(NotEdited, match=re.escape(reason)):
        apply(text, edit)


def test_edits_are_read_from_json() -> None:
    assert edit_of({"do": "add", "kind": "wait", "place": {"after": "a"}}) == Add("wait", Place(after="a"))
    assert edit_of({"do": "connect", "step": "a", "to": None, "way": "error", "match": ["E"]}) == Connect(
        "a", None, "error", match=("E",)
    )
    for wrong in (None, {}, {"do": "fly"}, {"do": "add"}, {"do": "remove"}, {"do": "rename", "step": "a"}, {"do": "remove", "step": 1},
                  {"do": "remove", "step": "a", "x": 1}, {"do": "move", "step": "a", "place": {"after": "a", "before": "b"}}):  # fmt: skip
        with pytest.raises(ValueError):
            edit_of(wrong)


# -- texts that are made up ----------------------------------------------------------------------------------------


@dataclass
class Writer:
    """A spec in one of many styles, with comments whose owners are known."""

    chance: random.Random
    owners: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def comment(self, owner: str = "") -> str:
        text = f"# c{len(self.owners)} of «{owner}»: - é"
        self.owners[text] = owner
        return text

    def beside(self, owner: str) -> str:
        return f"  {self.comment(owner)}" if self.chance.random() < 0.25 else ""

    def steps(self, depth: int, indent: int, around: tuple[str, ...]) -> list[str]:
        made: list[str] = []
        count = self.chance.randint(1, 4)
        gap = self.chance.random() < 0.5
        for number in range(count):
            id = f"s{len(self.names)}"
            self.names.append(id)
            own = "/".join((*around, id))
            if number and gap:
                made += [""] * self.chance.randint(1, 2)
            if self.chance.random() < 0.15:
                made += [" " * indent + self.comment("/".join(around)), ""]
            if self.chance.random() < 0.3:
                made.append(" " * indent + self.comment(own))
            made += self.step(id, own, depth, indent, around)
            if self.chance.random() < 0.15 and not re.search("parallel|repeat", "\n".join(made)):
                made.append(" " * (indent + 3) + self.comment(own))
        return made

    def step(self, id: str, own: str, depth: int, indent: int, around: tuple[str, ...]) -> list[str]:
        other = self.chance.choice(self.names)
        space = " " * self.chance.choice((1, 1, 3))
        inner = " " * (indent + 1 + len(space))
        shape = self.chance.randint(0, 7 if depth else 4)
        quote = self.chance.choice(("", "'", '"'))
        head = f"{' ' * indent}-{space}id: {quote}{id}{quote}{self.beside(own)}"
        if shape == 0:
            return [
                f"{' ' * indent}-{space}{{id: {id}, set: {{v: \"{{% ${other} %}}\", 'ünï': [1, 2.50]}}}}{self.beside(own)}"
            ]
        if shape == 1:
            return [head, f"{inner}task: a.b{self.beside(own)}", f"{inner}input:",
                    f"{inner}  long: |-", f"{inner}    {{%   ${other} & '# none'", "", f"{inner}    & ${other} %}}"]  # fmt: skip
        if shape == 2:
            return [head, f"{inner}when: ${other} != null  {self.comment(own)}", f"{inner}wait: 1m"]
        if shape == 3:
            return [
                head,
                f"{inner}set:",
                f"{inner}  text: 'it''s",
                f"{inner}    two lines'",
                f'{inner}  x: "{{% ${other}.\\u0061 %}}"',
            ]
        if shape == 4:
            return [
                f"{' ' * indent}-{space}set: {{}}{self.beside(own)}",
                f"{inner}id: {id}",
                f"{inner}next: end{self.beside(own)}",
            ]
        below = (*around, id)
        if shape == 5:
            made = [head, f"{inner}parallel:{self.beside(own)}"]
            for branch in ("x", "y"):
                made += [
                    f"{inner}  {branch}:",
                    *self.steps(depth - 1, len(inner) + self.chance.choice((2, 4)), below),
                ]
            return made
        if shape == 6:
            name = f"s{len(self.names)}"
            self.names.append(name)
            return [
                head,
                f"{inner}map: {{items: [1]}}",
                f"{inner}steps: [{{id: {name}, wait: 1s}}]{self.beside(own)}",
            ]
        return [
            head,
            f"{inner}repeat: {{max: 2}}",
            f"{inner}steps:",
            *self.steps(depth - 1, len(inner) + self.chance.choice((0, 2)), below),
        ]

    def write(self) -> str:
        lines = ['stratum: "1"', self.comment(), "workflow: w", "version: 1.0.0", f"steps:{self.beside('')}"]
        lines += self.steps(2, self.chance.choice((0, 2, 2, 4)), ())
        end = self.chance.choice(("", "\n", "\n\n" + self.comment() + "\nresult: 1 " + self.comment() + "\n"))
        return "\n".join(lines) + end


def edited(text: str, edit: Any) -> Edited:
    made = apply(text, edit)
    again, at = "", 0
    for change in made.changes:
        again += text[at : change.start] + change.insert
        at = change.end
    assert again + text[at:] == made.text
    return made


def tried(text: str, edit: Any) -> Edited | str:
    """What it comes to, or why not."""
    try:
        return edited(text, edit)
    except NotEdited as refused:
        return str(refused)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9))
def test_whatever_the_text_edits_are_exact(seed: int) -> None:
    writer = Writer(random.Random(seed))
    text = writer.write()
    if writer.chance.random() < 0.3:
        text = text.replace("\n", "\r\n")
    data = load_data(text)
    found = [*steps(data)]
    assert sorted(step.id for step in found) == sorted(writer.names), text
    step, other = writer.chance.choice(found), writer.chance.choice(found)
    place = writer.chance.choice((Place(after=other.id), Place(before=other.id)))

    # Added and taken out again: the bytes as they were, every comment there in between.
    added = edited(text, Add(writer.chance.choice(KINDS), place, "added"))
    assert comments(added.text) == comments(text)
    assert find(load_data(added.text), "added").list == other.list
    assert edited(added.text, Remove("added")).text == text

    # Renamed: every name of it, and nothing else.
    renamed = edited(text, Rename(step.id, "other_name"))
    named = re.sub(rf'(?<="id": "){step.id}(?=")|(?<=\$){step.id}\b', "other_name", json.dumps(data))
    assert json.dumps(load_data(renamed.text)) == named
    assert comments(renamed.text) == comments(text)
    assert edited(renamed.text, Rename("other_name", step.id)).text == text

    # Led elsewhere and back.
    if "next" not in step.data:
        led = edited(text, Connect(step.id, "end"))
        assert comments(led.text) == comments(text)
        assert edited(led.text, Connect(step.id, None)).text == text

    # Moved: no comment is lost, and it is what it was.
    moved = tried(text, Move(step.id, place))
    if isinstance(moved, str):
        assert re.search("only step|into itself|in brackets", moved), text
    else:
        assert sorted(comments(moved.text)) == sorted(comments(text))
        now = find(load_data(moved.text), step.id)
        assert {**now.data, "next": 0} == {**step.data, "next": 0}
        assert sorted(ids(moved.text)) == sorted(writer.names)
        assert text.endswith("\n") == moved.text.endswith("\n")

    # Taken out: the comments of all others are there.
    gone = tried(text, Remove(step.id))
    if isinstance(gone, str):
        assert "only step" in gone, text
    else:
        left = [
            each for each, owner in writer.owners.items() if each in text and step.id not in owner.split("/")
        ]
        alone = [each.list for each in found].count(step.list) == 1  # a branch goes with what is about it
        assert alone or sorted(comments(gone.text)) == sorted(left), text
        assert step.id not in ids(gone.text)


def test_a_spec_in_braces_is_edited_with_its_comments() -> None:
    """JSON is YAML: with lines of its own for everything, and a comment beside each."""
    lines = json.dumps(load_data(ORDER), indent=2, ensure_ascii=False).split("\n")
    text = "".join(f"{line}  # {number} é\n" for number, line in enumerate(lines))
    every = [step.id for step in steps(load_data(text))]
    for id, other in zip(every, [*every[3:], *every[:3]], strict=True):
        for place in (Place(after=other), Place(before=other)):
            added = edited(text, Add("parallel", place, "added"))
            assert comments(added.text) == comments(text)
            assert edited(added.text, Remove("added")).text == text
            moved = tried(text, Move(id, place))
            if isinstance(moved, str):
                assert re.search("only step|into itself", moved)
            else:
                assert sorted(comments(moved.text)) == sorted(comments(text)), (id, place)
        renamed = edited(text, Rename(id, "other_name"))
        assert edited(renamed.text, Rename("other_name", id)).text == text
