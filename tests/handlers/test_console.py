"""The console's API: what it shows of executions, and what people do through it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from console_world import ADA, BOB, HOSTILE, INPUT, SHOP, World
from stratum.handlers.audit.trail import trail


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.cloud:
        yield made


def visits(told: dict[str, Any]) -> dict[str, Any]:
    return {visit["step"]: visit for visit in told["story"]["visits"]}


def test_a_story_from_start_to_end(world: World) -> None:
    execution, gate = world.to_the_gate()
    told = world.get("execution", execution=execution)
    assert (told["status"], told["workflow"], told["version"], told["requester"]) == (
        "RUNNING",
        "shop",
        "1.0.0",
        ADA.to_json(),
    )
    quote = visits(told)["quote"]
    assert [(part["what"], part["status"]) for part in quote["parts"]] == [
        ("attempt", "violated"), ("retry", "done"), ("attempt", "done"),
    ]  # fmt: skip
    assert (quote["status"], quote["tries"], quote["violations"]) == ("done", 2, 1)
    assert quote["parts"][1]["end"] - quote["parts"][1]["start"] == 1000
    assert visits(told)["approve"]["status"] == "waiting"
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()
    told = world.get("execution", execution=execution)
    assert told["status"] == "SUCCEEDED"
    assert told["output"] == {"price": 7}
    labels = [visit for visit in told["story"]["visits"] if visit["step"] == "label"]
    assert [(visit["iteration"], visit["status"]) for visit in labels] == [
        ("0", "done"),
        ("1", "done"),
        ("2", "done"),
    ]
    assert {visit["parent"] for visit in labels} == {visits(told)["parcels"]["id"]}
    assert [part["what"] for part in visits(told)["settle"]["parts"]] == ["wait"]
    events = world.get("events", execution=execution)
    assert [event["id"] for event in events["items"]] == list(range(1, told["story"]["events"] + 1))
    page = world.get("events", execution=execution, offset=5, limit=3)
    assert (page["items"], page["total"]) == (events["items"][5:8], len(events["items"]))
    assert {
        each["visit"] for each in world.get("events", execution=execution, visit=quote["id"])["items"]
    } == {quote["id"]}
    found = world.get("events", execution=execution, find="mapiteration")
    assert {each["type"] for each in found["items"]} == {"MapIterationStarted", "MapIterationSucceeded"}


def test_a_story_is_the_same_in_pieces(world: World) -> None:
    """Whoever watches is told what is new, and ends with what a fresh reader is told."""
    from stratum.handlers.console.stories import Stories, story_of
    from stratum.handlers.console.summary import summary

    execution, gate = world.to_the_gate(items=["a", "bad"])
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()
    whole = world.get("execution", execution=execution)["story"]
    head = world.store.head(execution)
    assert head is not None
    story = story_of(world.store, head)
    kept: dict[int, Any] = {}
    taken: set[str] = set()
    events = 0
    for commit in world.store.commits(execution):
        before = story.seq
        told = story.feed([commit]).to_json()
        assert {each["id"]: each for each in summary(story, before)["visits"]} == {
            each["id"]: each for each in told["visits"]
        }
        kept.update({visit["id"]: visit for visit in told["visits"]})
        taken |= set(told["taken"])
        events += len(told["events"])
    assert kept == {visit["id"]: visit for visit in whole["visits"]}
    assert (taken, events) == (set(whole["taken"]), whole["events"])
    # What was read of a log holds only for that log: the store is another one by now, with one as long.
    stories = Stories()
    with stories.read(world.store, head) as read:
        assert len(read.rows) == events
    other = World()
    with other.cloud:
        other.to_the_gate(items=["a", "b"], id="o-2")
        found = other.store.head(execution)
        assert found is not None
        with stories.read(other.store, found) as read:
            assert len(read.rows) == other.get("execution", execution=execution)["story"]["events"] != events


def test_what_failed_and_what_was_stopped_with_it(world: World) -> None:
    execution, gate = world.to_the_gate(items=["a", "bad", "c"])
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()
    told = world.get("execution", execution=execution)
    assert told["status"] == "FAILED"
    by_iteration = {
        visit["iteration"]: visit for visit in told["story"]["visits"] if visit["step"] == "label"
    }
    assert (by_iteration["1"]["status"], by_iteration["1"]["error"]) == ("failed", "ValueError")
    assert visits(told)["parcels"]["status"] == "failed"
    failed = world.get("visit", execution=execution, visit=by_iteration["1"]["id"])
    assert failed["attempts"][0]["error"] == "ValueError"
    assert failed["attempts"][0]["cause"]["errorMessage"] == HOSTILE


def test_values_of_a_step_without_its_secrets(world: World) -> None:
    execution, _ = world.to_the_gate()
    told = world.get("execution", execution=execution)
    values = world.get("visit", execution=execution, visit=visits(told)["quote"]["id"])
    assert [attempt["arguments"]["Payload"]["order"] for attempt in values["attempts"]] == ["o-1", "o-1"]
    assert [attempt["result"]["Payload"]["price"] for attempt in values["attempts"]] == [-1, 7]
    assert [(each["attempt"], len(each["found"])) for each in values["violations"]] == [(1, 1)]
    assert values["assigned"]["quote"]["price"] == 7
    whole = json.dumps([told, values, world.get("value", execution=execution, name="input")])
    for event in world.get("events", execution=execution)["items"]:
        whole += json.dumps(world.get("event", execution=execution, event=event["id"]))
    assert "4111" not in whole
    assert HOSTILE in json.loads(json.dumps(values["assigned"]["quote"]["note"]))


def test_large_values_are_folded(world: World) -> None:
    execution = world.start(id="x" * 100_000)
    told = world.get("execution", execution=execution)
    assert told["input"]["$folded"] > 100_000
    assert len(told["input"]["beginning"]) < 10_000
    assert world.get("value", execution=execution, name="input")["value"]["id"] == "x" * 100_000


def test_lists_are_filtered_and_paged(world: World) -> None:
    for number in range(7):
        world.start(f"order-{number}")
    page = world.get("executions", limit=3)
    names = [each["name"] for each in page["items"]]
    while page["token"]:
        page = world.get("executions", limit=3, token=page["token"])
        names += [each["name"] for each in page["items"]]
    assert names == [f"order-{number}" for number in reversed(range(7))]
    assert [each["name"] for each in world.get("executions", name="ORDER-3")["items"]] == ["order-3"]
    assert len(world.get("executions", workflow="shop", status="RUNNING")["items"]) == 7
    assert world.get("executions", workflow="none")["items"] == []
    assert world.get("executions", text="4111-1111")["items"] == []
    assert len(world.get("executions", text="o-1")["items"]) == 7


def test_a_definition_is_drawn_with_the_lines_of_its_steps(world: World) -> None:
    digest = world.get("execution", execution=world.start())["definition"]
    told = world.get("definition", digest=digest)
    lines = told["source"].splitlines()
    assert told["source"] == SHOP
    for step in ("quote", "approve", "parcels", "label", "settle", "done"):
        assert f"id: {step}" in lines[told["lines"][f"step {step}"] - 1]
    [parcels] = [node for node in told["plan"]["nodes"] if node["id"] == "step parcels"]
    assert [node["label"] for node in parcels["inner"][0]["plan"]["nodes"] if node["label"]] == ["label"]
    store = world.store
    asl = {"StartAt": 'a "b"', "States": {'a "b"': {"Type": "Parallel", "End": True, "Branches": [
        {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}]}}}  # fmt: skip
    digest = world.cloud.runtime.executions().define(json.dumps(asl))
    told = world.get("definition", digest=digest)
    lines = told["source"].splitlines()
    assert {name: lines[line - 1].strip() for name, line in told["lines"].items()} == {
        'state a "b"': '"a \\"b\\"": {',
        "state Pass": '"Pass": {',
    }
    assert store.get("definition", digest) is not None


def test_starting_checks_the_input_and_names_who(world: World) -> None:
    form = world.get("start-form", machine=world.machine)
    assert form["schema"]["required"] == ["id", "card", "items"]
    assert form["secrets"] == ["card"]
    status, told = world.refused("start", machine=world.machine, input={"id": 1})
    assert status == 422
    assert any("card" in line for line in told["violations"])
    execution = world.start("named")
    assert trail(world.store, execution).requester == ADA.to_json()
    assert (
        world.refused("start", machine=world.machine, name="named", input={**INPUT, "id": "other"})[0] == 409
    )
    assert world.get("start-form", machine=world.machine)["last"] is None  # it has a secret


def test_stop_redrive_and_fork_are_in_the_story(world: World) -> None:
    execution, _ = world.to_the_gate()
    assert world.refused("redrive", execution=execution)[0] == 409
    world.post("stop", execution=execution, cause="a mistake")
    told = world.get("execution", execution=execution)
    assert (told["status"], told["cause"]) == ("ABORTED", "a mistake")
    assert visits(told)["approve"]["status"] == "stopped"
    world.post("redrive", execution=execution)
    world.settle()
    told = world.get("execution", execution=execution)
    assert told["status"] == "RUNNING"
    assert visits(told)["approve"]["status"] == "waiting"
    forked = world.post(
        "fork", execution=execution, event=visits(told)["quote"]["id"], name="second", reason="try"
    )
    world.settle()
    told = world.get("execution", execution=forked["execution"])
    assert (told["origin"]["execution"], told["requester"]) == (execution, ADA.to_json())
    assert world.refused("fork", execution=execution, event=10**6)[0] == 409
    assert world.refused("fork", execution=execution, event=3, name="a/b")[0] == 400
    told = trail(world.store, execution).entries
    assert [entry.who for entry in told if entry.what == "stop asked"] == [ADA.to_json()]
    assert [entry.step for entry in told if entry.what == "scheduled"] == [
        "quote",
        "quote",
        "approve",
        "approve",
    ]


def test_a_gate_is_decided_by_another_person_for_what_was_shown(world: World) -> None:
    execution, gate = world.to_the_gate()
    assert gate["message"] == "Order o-1"
    assert gate["values"] == {"limit": 10}
    assert "started this execution" in gate["refused"]
    status, told = world.refused("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    assert (status, told["reason"]) == (409, "NotAllowed")
    world.who = BOB
    assert world.get("gates")["items"][0]["refused"] is None
    assert world.refused("decide", gate=gate["handle"], outcome="approve", shown="0" * 64)[0] == 409
    wrong = {"gate": gate["handle"], "outcome": "approve", "shown": gate["digest"], "form": {"limit": 0}}
    assert "limit" in world.refused("decide", **wrong)[1]["message"]
    world.post("decide", **{**wrong, "form": {"limit": 5}, "comment": "fine"})
    world.settle()
    assert world.get("gates")["items"] == []
    decided = [entry for entry in trail(world.store, execution).entries if entry.what == "approved"]
    assert [entry.who for entry in decided] == [BOB.to_json()]


def test_an_agent_that_serves_the_console_approves_nothing(world: World) -> None:
    from dataclasses import replace

    _, gate = world.to_the_gate()
    world.who = replace(BOB, agent="claude-code")
    assert "an agent" in world.get("gates")["items"][0]["refused"]
    assert world.refused("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])[0] == 409


def test_a_console_that_only_looks_does_nothing(world: World) -> None:
    execution = world.start()
    world.who = None
    assert world.get("about")["actions"] is False
    for name, body in {
        "start": {"machine": world.machine, "input": INPUT}, "stop": {"execution": execution},
        "redrive": {"execution": execution}, "fork": {"execution": execution, "event": 3},
        "decide": {"gate": "x", "outcome": "approve", "shown": "y"},
        "alias": {"workflow": "shop", "alias": "prod", "version": "1.0.0"},
    }.items():  # fmt: skip
        assert world.refused(name, **body)[0] == 403, name
    assert world.get("execution", execution=execution)["status"] == "RUNNING"


def test_what_does_something_is_asked_by_our_own_page(world: World) -> None:
    body = json.dumps({"machine": world.machine, "input": INPUT})
    for headers in ({}, {"x-stratum-console": "1", "sec-fetch-site": "cross-site"}):
        assert world.raw("POST", "start", body=body, headers=headers)["statusCode"] == 403
    assert world.raw("GET", "start")["statusCode"] == 404
    assert world.get("executions")["items"] == []


@pytest.mark.parametrize(
    ("method", "name", "query", "body"),
    [
        ("GET", "execution", "", ""),
        ("GET", "execution", "execution=arn:aws:states:us-east-1:1:execution:a:b", ""),
        ("GET", "executions", "limit=-1", ""),
        ("GET", "executions", "limit=many", ""),
        ("GET", "executions", "token=%00%ff", ""),
        ("GET", "executions", "status=Nice", ""),
        ("GET", "visit", "execution=x&visit=1", ""),
        ("GET", "definition", "digest=../../etc/passwd", ""),
        ("GET", "start-form", "machine=x", ""),
        ("GET", "compare", "workflow=shop&old=1.0.0&new=2.0.0", ""),
        ("GET", "nothing", "", ""),
        ("PUT", "executions", "", ""),
        ("POST", "start", "", "["),
        ("POST", "start", "", "[]"),
        ("POST", "start", "", '{"machine": 1}'),
        ("POST", "start", "", '{"machine": "arn:aws:s3:::x", "input": {}}'),
        ("POST", "fork", "", '{"execution": "x", "event": "1"}'),
        ("POST", "decide", "", '{"gate": "nothing", "outcome": "approve", "shown": "x"}'),
        ("POST", "check", "", "{}"),
        ("POST", "try", "", '{"text": "StartAt: x"}'),
        ("POST", "check", "", "[" * 100_000),
    ],
)
def test_bad_requests_are_told(world: World, method: str, name: str, query: str, body: str) -> None:
    answer = world.raw(method, name, query, body)
    assert 400 <= answer["statusCode"] < 500, answer
    assert json.loads(answer["body"])["message"]


# -- versions --------------------------------------------------------------------------------------------------------


def test_versions_are_compared_and_aliases_moved(world: World) -> None:
    from stratum.handlers.versions import publishing
    from stratum.handlers.workflows import check, workflow_of

    for text in (SHOP, SHOP.replace("1.0.0", "1.1.0").replace("wait: 10m", "wait: 1h")):
        workflow = workflow_of(check(text.encode(), "shop.yaml"))
        publishing.publish(world.cloud.runtime, world.store.tenant, workflow, workflow.spec.version, ADA)
    told = world.get("compare", workflow="shop", old="1.0.0", new="1.1.0")
    assert told["differences"] == ["step `settle`: wait: 1h, was 10m"]
    assert told["marks"] == {"old": {"step settle": "changed"}, "new": {"step settle": "changed"}}
    world.post("alias", workflow="shop", alias="prod", version="1.0.0", reason="first")
    moved = world.post("alias", workflow="shop", alias="prod", version="1.1.0", weight=10)
    assert moved["routing"] == {"1.0.0": 90, "1.1.0": 10}
    assert [each["by"]["user"] for each in moved["moves"]] == ["ada", "ada"]
    assert world.refused("alias", workflow="shop", alias="prod", version="9.0.0")[0] == 404
    assert world.refused("alias", workflow="shop", alias="prod", version="1.1.0", weight=0)[0] == 409
    [row] = world.get("workflows")
    assert (row["versions"], row["aliases"][0]["name"]) == (["1.0.0", "1.1.0"], "prod")
    detail = world.get("workflow", machine=world.machine)
    assert [each["version"] for each in detail["versions"]] == ["1.1.0", "1.0.0"]
    world.post("start", machine=world.machine, version="1.0.0", name="v1", input=INPUT)
    world.post("start", machine=world.machine, alias="prod", name="v-any", input=INPUT)


# -- drafts ----------------------------------------------------------------------------------------------------------


def test_a_draft_is_checked_and_drawn(world: World) -> None:
    told = world.post("check", text=SHOP)
    assert told["ok"]
    assert told["mermaid"].startswith("flowchart")
    assert "<svg" in told["svg"]
    told = world.post("check", text=SHOP.replace("$quote.price", "$quote.prise"))
    [finding] = told["findings"]
    assert (finding["line"], finding["severity"]) == (
        SHOP[: SHOP.index("$quote.price")].count("\n") + 1,
        "error",
    )
    assert "asl" not in told
    assert "step quote" in json.dumps(told["plan"])
    assert world.post("check", text='{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}')["ok"]


def test_a_draft_is_tried_answer_by_answer(world: World) -> None:
    def run(**answers: Any) -> Any:
        return world.post("try", text=SHOP, input=INPUT, answers=answers)

    told = run()
    assert [(each["step"], each["asked"]) for each in told["waiting"]] == [("quote", 1)]
    bad, good = {"result": {"price": -1, "note": ""}}, {"result": {"price": 3, "note": ""}}
    told = run(quote=[bad, good])
    assert [each["step"] for each in told["waiting"]] == ["approve"]
    assert told["story"]["visits"][0]["violations"] == 1
    told = run(quote=[good], approve=[{"result": "approve"}], label=[{"result": "x"}])
    assert (told["status"], told["output"]) == ("SUCCEEDED", {"price": 3})
    assert told["stopped"] - told["started"] == 600_000
    told = run(quote=[{"error": "Shop.Closed", "cause": "on Sundays"}])
    assert (told["status"], told["error"]) == ("FAILED", "Shop.Closed")
    status, refused = world.refused("try", text=SHOP, input={}, answers={})
    assert status == 422
    assert refused["violations"]
    loop = (
        '{"StartAt": "a", "States": {"a": {"Type": "Pass", "Next": "b"}, "b": {"Type": "Pass", "Next": "a"}}}'
    )
    assert world.raw("POST", "try", body=json.dumps({"text": loop, "input": {}}))["statusCode"] in (200, 422)


def test_a_draft_is_edited(world: World) -> None:
    """Changes are counted as JavaScript counts, and a refusal has its line."""
    text = SHOP.replace("shop.quote", "shop.quote  # \U0001f680 away", 1)
    made = world.post("edit", text=text, edit={"do": "rename", "step": "quote", "to": "offer"})
    units = text.encode("utf-16-le")
    for change in reversed(made["changes"]):
        units = units[: change["from"] * 2] + change["insert"].encode("utf-16-le") + units[change["to"] * 2 :]
    renamed = units.decode("utf-16-le")
    assert "- id: offer\n    task: shop.quote  # \U0001f680 away" in renamed
    assert "{% $offer.price %}" in renamed
    assert (made["step"], made["line"], made["end_line"]) == ("offer", 7, renamed.count("\n"))
    assert world.post("check", text=renamed)["ok"]

    added = world.post("edit", text=SHOP, edit={"do": "add", "kind": "wait", "place": {"after": "quote"}})
    assert (added["line"], added["end_line"], added["step"]) == (13, 14, "new_wait")
    told = world.post("check", text=SHOP.replace("settle, wait: 10m", "settle, wait: 10m, next: nowhere"))
    assert (told["ok"], told["shape"]["steps"]["settle"]["ways"][0]["to"]) == (False, "nowhere")
    assert "step label" in json.dumps(told["plan"])
    assert told["lines"]["step quote"] == 7
    assert told["shape"]["lists"][1] == {"of": "parcels", "branch": None, "steps": ["label"]}
    refused = world.post("edit", text=SHOP, edit={"do": "remove", "step": "label"})
    assert refused == {"refused": "`label` is the only step of `parcels`, which needs one", "line": None}
    assert world.refused("edit", text=SHOP, edit={"do": "fly"})[0] == 400


def test_whatever_stands_in_a_log_can_be_searched_for(world: World) -> None:
    """Logs that cannot have it are passed over unread; nothing that would be found is."""
    from stratum.handlers.audit.documents import redacted
    from stratum.handlers.audit.likely import Likely
    from stratum.handlers.audit.redaction import redactor_of
    from stratum.handlers.audit.search import Query
    from stratum.handlers.time_travel import checkpoints

    execution, gate = world.to_the_gate(
        id="Straße 7 \u0130stanbul", items=["ünïcödé-4711", "x" * 2000, "bad"]
    )
    world.who = BOB
    world.post(
        "decide",
        gate=gate["handle"],
        outcome="approve",
        comment="remarkable",
        shown=gate["digest"],
        form={"limit": 1234},
    )
    world.finish()
    checkpoints.mark(world.store, execution, "delivered", 3, 0, BOB, "noteworthy")
    definition = world.store.head(execution).definition  # pyright: ignore[reportOptionalMemberAccess]
    entries = redacted(trail(world.store, execution), redactor_of(world.store, definition))["entries"]
    words = {
        word
        for entry in entries
        for word in re.findall(r"[\w.:-]{2,40}", json.dumps(entry, ensure_ascii=False))
    }
    assert {"remarkable", "noteworthy", "1234", "bob", "Straße"} <= words
    for word in words:
        for text in (word, word.casefold(), word[1:]):
            assert Likely(world.store, Query(text=text))(execution, definition), text
    assert Likely(world.store, Query(text="STRASSE 7"))(execution, definition)
    assert Likely(world.store, Query(error="ValueError", step="label"))(execution, definition)
    world.start("plain")
    plain = world.store.heads(limit=1).items[0]
    for query in (Query(text="strange thing"), Query(error="ValueErrors"), Query(step="nowhere")):
        assert not Likely(world.store, query)(plain.execution, definition), query
    found = world.get("executions", text="remarkable")
    assert [each["execution"] for each in found["items"]] == [execution]


# -- scopes ----------------------------------------------------------------------------------------------------------


def test_variables_are_those_that_a_step_can_see(world: World) -> None:
    """Not those of a sibling branch, of another iteration, or of an attempt before."""

    def assigns(name: str, **more: Any) -> dict[str, Any]:
        return {"Type": "Pass", "Assign": {name: 1}, **more}

    left = {
        "StartAt": "L1",
        "States": {
            "L1": assigns("left", Next="L2"),
            "L2": assigns("more", Next="L3"),
            "L3": {"Type": "Succeed"},
        },
    }
    right = {
        "StartAt": "R0",
        "States": {
            "R0": {"Type": "Wait", "Seconds": 5, "Next": "R1"},
            "R1": assigns("right", Next="R2"),
            "R2": {"Type": "Succeed"},
        },
    }
    item = {"StartAt": "I1", "States": {
        "I1": {"Type": "Pass", "Assign": {"mine": "{% $states.input %}"}, "Next": "I2"}, "I2": {"Type": "Wait", "Seconds": 1, "Next": "I3"},
        "I3": {"Type": "Pass", "End": True}}}  # fmt: skip
    definition = {
        "QueryLanguage": "JSONata", "StartAt": "Before", "States": {
            "Before": assigns("outer", Next="Both"),
            "Both": {"Type": "Parallel", "Branches": [left, right], "Assign": {"after": 2}, "Next": "Each"},
            "Each": {"Type": "Map", "Items": [7, 8], "ItemProcessor": item, "Next": "Last"},
            "Last": {"Type": "Succeed"},
        },
    }  # fmt: skip
    machine = world.cloud.call(
        "CreateStateMachine",
        name="scopes",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::1:role/r",
    )
    execution = world.cloud.call("StartExecution", stateMachineArn=machine["stateMachineArn"], input="{}")[
        "executionArn"
    ]
    world.finish()
    seen = {
        (visit["step"], visit.get("iteration")): world.get("visit", execution=execution, visit=visit["id"])[
            "variables"
        ]
        for visit in world.get("execution", execution=execution)["story"]["visits"]
    }
    assert seen["L3", None] == {"outer": 1, "left": 1, "more": 1}
    assert seen["R2", None] == {"outer": 1, "right": 1}
    assert seen["Each", None] == {"outer": 1, "after": 2}
    assert [seen["I3", str(at)]["mine"] for at in (0, 1)] == [7, 8]
    assert seen["Last", None] == {"outer": 1, "after": 2}


def test_a_distributed_map_in_numbers(world: World) -> None:
    item = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:shop-label",
        "End": True,
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": item},
    }
    each = {
        "Type": "Map",
        "ItemProcessor": processor,
        "MaxConcurrency": 4,
        "ToleratedFailurePercentage": 50,
        "End": True,
    }
    definition = json.dumps({"StartAt": "Each", "States": {"Each": each}})
    machine = world.cloud.call(
        "CreateStateMachine", name="wide", definition=definition, roleArn="arn:aws:iam::1:role/r"
    )
    given = json.dumps([{"item": "bad" if at in (3, 8) else "good"} for at in range(12)])
    execution = world.cloud.call("StartExecution", stateMachineArn=machine["stateMachineArn"], input=given)[
        "executionArn"
    ]
    while not (run := visits(world.get("execution", execution=execution))["Each"].get("map_run")):
        world.cloud._work()
    told = world.get("map-run", map_run=run)
    assert (told["execution"], told["total"], told["at_once"]) == (execution, 12, 4)
    assert (told["counts"]["running"], told["counts"]["pending"]) == (4, 8)
    world.finish()
    assert world.get("map-run", map_run=run)["counts"]["failed"] == 2
    page = world.get("executions", map_run=run, limit=5)
    assert [each["item"] for each in page["items"][:2]] == [8, 3]
    items = [each["item"] for each in page["items"]]
    while page["token"]:
        page = world.get("executions", map_run=run, limit=5, token=page["token"])
        items += [each["item"] for each in page["items"]]
    assert sorted(items) == list(range(12))
    [one] = world.get("executions", map_run=run, item=7)["items"]
    told = world.get("execution", execution=one["execution"])
    assert (told["item"], told["map_run"], told["parent"]) == (7, run, execution)
    assert world.get("executions", map_run=run, item=12)["items"] == []
    found = world.get("executions", map_run=run, error="ValueError")["items"]
    assert {each["status"] for each in found} == {"FAILED"}
    assert world.raw("GET", "map-run", "map_run=arn:aws:states:us-east-1:1:mapRun:a/b:c")["statusCode"] == 404
    assert run not in json.dumps(world.get("executions")["items"])


def test_a_step_with_many_visits_is_told_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    execution, gate = world.to_the_gate(items=[*["a"] * 60, "bad"])
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()
    story = world.get("execution", execution=execution)["story"]
    [group] = story["groups"]
    assert "label" not in {visit["step"] for visit in story["visits"]}
    assert (group["total"], group["counts"]["failed"], group["bad"]["iteration"]) == (61, 1, "60")
    assert sum(group["lane"]["weights"]) >= 61
    listed = world.get("visits", execution=execution, step="label", limit=10)
    assert (listed["items"][0]["iteration"], listed["items"][0]["status"], listed["total"]) == (
        "60",
        "failed",
        61,
    )
    [one] = world.get("visits", execution=execution, step="label", item="7")["items"]
    read: list[Any] = []
    commits = type(world.store).commits

    def counted(self: Any, execution: str, start: int = 0, stop: int | None = None) -> Any:
        found = commits(self, execution, start, stop)
        read.extend(found)
        return found

    monkeypatch.setattr(type(world.store), "commits", counted)
    assert world.get("event", execution=execution, event=one["id"])["type"] == "TaskStateEntered"
    assert len(read) == 1
    read.clear()
    world.get("visit", execution=execution, visit=visits({"story": story})["quote"]["id"])
    assert max(commit.seq for commit in read) < story["seq"] - 2  # what came after is not read for it
    monkeypatch.undo()
    values = world.get("visit", execution=execution, visit=one["id"])
    assert (values["about"], values["among"]["total"]) == (one, 61)
    assert visits({"story": story})["parcels"]["items"] == {
        "total": 61,
        "done": 60,
        "failed": 1,
        "stopped": 0,
    }
