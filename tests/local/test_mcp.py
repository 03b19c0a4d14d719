"""The MCP server as an agent meets it: a real client of either era, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from agents import MODES, Here, talk
from notes_project import BOB, BRANCHES, GOOD, INPUT, LONG, SPEC, begin
from stratum.local.cli import main

REPO = Path(__file__).resolve().parents[2]

# -- the way through ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_an_agent_is_led_by_next_through_violation_and_gate_to_the_end(here: Here, mode: str) -> None:
    async def conversation() -> None:
        async with here.agent(mode) as agent:
            started = await begin(agent, name="first")
            assert (started["status"], started["execution"]) == ("RUNNING", "first")
            [work] = started["pending"]
            assert work["intent"] == "Write the notes of the release."
            assert work["input"] == {"version": "1.0", "n": 3}
            assert work["contract"]["required"] == ["text", "words"]
            assert work["claim"].startswith("yours until")
            assert started["next"] == {
                "tool": "step",
                "arguments": {"work": work["work"], "result": "<as the contract says>"},
            }
            wrong = await agent.refused("step", work=work["work"], result={"text": 1})
            assert "$.text: 1 is not of type 'string'" in wrong
            assert "no attempt was used" in wrong
            again = await agent.follow(started, result=LONG, usage={"usd": 0.5, "tokens": 100}, wait=20)
            [work] = again["pending"]
            assert (work["attempt"], work["budget"]) == (2, {"usd": 1.5, "tokens": 900})
            assert "$result.words < 5" in again["hint"]
            waits = await agent.follow(again, result=GOOD, wait=20)
            [gate] = waits["pending"]
            assert gate["for"] == "person"
            assert f"stratum approve {gate['gate']}" in gate["decide"]
            assert gate["decide"] in waits["hint"]
            [listed] = (await agent.call("gates"))["gates"]
            assert (listed["gate"], listed["shows"]) == (gate["gate"], GOOD)
            here.host.desk().decide(gate["gate"], "approve", BOB, comment="go")
            done = await agent.follow(waits, wait=20)
            assert (done["status"], done["next"]) == ("SUCCEEDED", None)
            assert done["output"]["by"]["user"] == "bob"

    talk(conversation)


def test_status_alone_tells_an_agent_that_has_forgotten_everything(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
        async with here.agent() as agent:
            overview = await agent.call("status")
            assert overview["executions"] == [{
                "execution": "first", "workflow": "notes", "status": "RUNNING", "waits": [{"for": "agent", "step": "notes"}],
                "started": overview["executions"][0]["started"],
            }]  # fmt: skip
            told = await agent.follow(overview)
            assert [(step["step"], step["status"]) for step in told["steps"]] == [
                ("counted", "done"),
                ("notes", "running"),
            ]
            assert told["steps"][0]["result"] == {"n": 3}
            assert told["pending"][0]["intent"]
            assert told["next"]["tool"] == "step"
            assert (await agent.follow(told, result=GOOD))["pending"][0]["for"] == "person"

    talk(conversation)


def test_the_server_is_described_in_few_words_and_one_order(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            tools = (await agent.client.list_tools()).tools
            assert [tool.name for tool in tools] == [
                "validate", "test", "run", "claim", "step", "status", "history", "search", "gates", "ask", "fork", "versions", "stop",
            ]  # fmt: skip
            assert [tool.name for tool in tools] == [
                tool.name for tool in (await agent.client.list_tools()).tools
            ]
            for tool in tools:
                assert tool.title
                assert len(tool.description or "") < 2000
                assert tool.annotations is not None
                assert tool.annotations.read_only_hint is not None
                assert tool.output_schema is not None
                assert "approve" not in tool.name
            stop = next(tool for tool in tools if tool.name == "stop")
            assert stop.annotations is not None
            assert stop.annotations.destructive_hint
            assert len(agent.client.instructions or "") < 2000

    talk(conversation)


def test_answers_are_the_same_as_text_and_as_structured_content(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            answer = await agent.client.call_tool("validate", {"file": "notes.yaml"})
            [content] = answer.content
            assert json.loads(content.text) == answer.structured_content  # pyright: ignore[reportAttributeAccessIssue]
            assert set(answer.structured_content or {}) >= {"status", "execution", "next", "hint"}

    talk(conversation)


def test_a_spec_is_validated_with_places_and_run_from_its_text(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            broken = (
                SPEC.replace("RISK", "normal")
                .replace("$counted.n", "$countd.n")
                .replace("words: {", "wrds: {")
            )
            found = await agent.call("validate", spec=broken)
            assert found["status"] == "INVALID"
            assert any("counted" in (finding.get("suggestion") or "") for finding in found["findings"])
            assert all(finding["line"] for finding in found["findings"])
            assert "has 2 errors" in await agent.refused("run", spec=broken, input=INPUT)
            fine = await agent.call("validate", spec=SPEC.replace("RISK", "normal"))
            assert (fine["status"], fine["next"]["tool"]) == ("VALID", "run")
            started = await agent.call("run", spec=SPEC.replace("RISK", "normal"), input=INPUT, wait=20)
            assert started["pending"][0]["step"] == "notes"
            asl = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
            ran = await agent.call("run", spec=asl, input=[1], wait=20)
            assert (ran["status"], ran["output"]) == ("SUCCEEDED", [1])
            assert (await agent.call("run", workflow="workflow", input=[2], wait=20))["output"] == [2]

    talk(conversation)


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("run", {}, "give one of"),
        ("run", {"file": "a", "spec": "b"}, "give one of"),
        ("run", {"file": "note.yaml"}, "did you mean"),
        ("run", {"file": "../../etc/passwd"}, "outside of the project"),
        ("run", {"file": "notes.yaml", "input": {"version": 1, "key": "k"}}, "$.version: expected string"),
        ("run", {"file": "notes.yaml", "input": INPUT, "name": "a/b"}, "InvalidName"),
        ("run", {"workflow": "nothing"}, "there is no workflow 'nothing'"),
        ("run", {"workflow": "nothing@1"}, "there is no workflow"),
        ("run", {"spec": ""}, "error"),
        ("run", {"spec": "{" * 5000}, "error"),
        ("run", {"file": "notes.yaml", "wait": -1}, "wait"),
        ("validate", {}, "either"),
        ("status", {"execution": "nothing"}, "there is no execution 'nothing'"),
        ("status", {"execution": "arn:aws:states:us-east-1:1:execution:a:b"}, "there is no execution"),
        ("history", {"execution": "nothing"}, "there is no execution"),
        ("step", {"work": "nothing.1", "result": 1}, "there is no work"),
        ("step", {"result": 1}, "work"),
        ("claim", {"work": ""}, "there is no work"),
        ("gates", {"cursor": "💥"}, "cursor"),
        ("gates", {"limit": 0}, "limit"),
        ("ask", {"gate": "nothing"}, "there is no gate"),
        ("search", {"status": "DONE"}, "is no status"),
        ("search", {"since": "yesterday"}, "how long ago"),
        ("search", {"cursor": "💥"}, "cursor"),
        ("versions", {"workflow": "nothing"}, "nothing is published of a workflow"),
        ("versions", {"against": "1.0.0"}, "give `workflow`"),
        ("fork", {"execution": "nothing"}, "there is no execution"),
        ("test", {"file": "../x.test.yaml"}, "outside of the project"),
        ("stop", {"execution": "nothing", "reason": "x"}, "there is no execution"),
        ("nothing", {}, "Unknown tool"),
    ],
)
def test_what_is_wrong_is_told_so_that_it_can_be_mended(
    here: Here, tool: str, arguments: dict[str, Any], reason: str
) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            told = await agent.refused(tool, **arguments)
            assert reason in told
            assert "Traceback" not in told

    talk(conversation)


def test_the_workflows_that_one_runs_are_found_beside_it(here: Here) -> None:
    (here.project / "child.yaml").write_text(
        'stratum: "1"\nworkflow: child\nversion: 1.0.0\ninput: {n: integer}\n'
        'steps: [{id: twice, succeed: {n: "{% $input.n * 2 %}"}}]\n'
    )
    parent = (
        'stratum: "1"\nworkflow: parent\nversion: 1.0.0\nsteps:\n'
        '  - {id: doubled, workflow: child, input: {n: 21}}\n  - {id: done, succeed: "{% $doubled.n %}"}\n'
    )
    (here.project / "parent.yaml").write_text(parent)

    async def conversation() -> None:
        async with here.agent() as agent:
            for given in ({"file": "parent.yaml"}, {"spec": parent}):
                ran = await agent.call("run", **given, wait=20)
                assert (ran["status"], ran["output"]) == ("SUCCEEDED", 42)
            missing = await agent.refused("run", spec=parent.replace("workflow: child", "workflow: chlid"))
            assert "runs the workflow `chlid`, which no file in" in missing

    talk(conversation)


def test_an_execution_is_stopped_and_says_by_whom(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
            stopped = await agent.call("stop", execution="first", reason="not needed")
            assert (stopped["status"], stopped["error"]) == ("ABORTED", "Stratum.Stopped")
            assert "not needed (stopped by mcp" in stopped["cause"]
            assert "has ended already" in await agent.refused("stop", execution="first", reason="again")

    talk(conversation)


def test_histories_are_paged_and_filtered(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
            seen: list[int] = []
            page = await agent.call("history", execution="first", limit=4)
            while True:
                seen += [event["id"] for event in page["events"]]
                if "next_cursor" not in page:
                    break
                page = await agent.follow(page)
            assert seen == list(range(1, len(seen) + 1))
            tasks = await agent.call("history", execution="first", step="counted", type="Task")
            assert {event["type"] for event in tasks["events"]} == {
                "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
            }  # fmt: skip
            newest = await agent.call("history", execution="first", newest_first=True, limit=1)
            assert newest["events"][0]["id"] == seen[-1]

    talk(conversation)


def test_executions_are_found_in_pages(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            for number in range(3):
                await begin(agent, name=f"e{number}", input={**INPUT, "version": f"{number}.0"})
            found = await agent.call("search", workflow="notes", limit=2)
            assert [each["execution"] for each in found["executions"]] == ["e2", "e1"]
            rest = await agent.follow(found)
            assert [each["execution"] for each in rest["executions"]] == ["e0"]
            one = await agent.call("search", input={"version": "1.0"}, step="counted", since="1h")
            assert [each["execution"] for each in one["executions"]] == ["e1"]
            assert (await agent.follow(one))["execution"] == "e1"
            assert "executions" not in await agent.call("search", text="hunter2hunter2") or not (
                await agent.call("search", text="hunter2hunter2")
            ).get("executions")

    talk(conversation)


def test_an_execution_is_gone_on_with_from_an_earlier_place(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            waits = await agent.follow(await begin(agent, name="first"), result=GOOD, wait=20)
            await agent.call("fork", execution="first", checkpoint="before-approval")
            places = await agent.call("fork", execution="first")
            assert [place["step"] for place in places["places"] if "step" in place][-2:] == [
                "notes",
                "approve",
            ]
            assert places["places"][-1]["checkpoint"] == "before-approval"
            second = await agent.call("fork", execution="first", at="notes", name="second", wait=20)
            assert (second["execution"], second["pending"][0]["step"]) == ("second", "notes")
            assert second["steps"][0] == {**second["steps"][0], "step": "counted", "result": {"n": 3}}
            third = await agent.call("fork", execution="first", at="before-approval", wait=20)
            assert third["pending"][0]["gate"] != waits["pending"][0]["gate"]
            assert "was never at" in await agent.refused("fork", execution="first", at="nowhere")
            # What a person has approved, an agent does not carry over to another input.
            here.host.desk().decide(waits["pending"][0]["gate"], "approve", BOB)
            await agent.call("status", execution="first", wait=20)
            other = {**INPUT, "version": "6.6.6"}
            told = await agent.refused("fork", execution="first", at="done", input=other)
            assert "approve was decided for the input" in told
            asked = await agent.call("fork", execution="first", at="approve", input=other, wait=20)
            assert asked["pending"][0]["for"] == "person"
            assert (await agent.call("fork", execution="first", at="done", wait=20))["status"] == "SUCCEEDED"

    talk(conversation)


def test_versions_are_listed_and_compared(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            assert (await agent.call("versions"))["versions"] == []
            file = str(here.project / "notes.yaml")
            assert main(["publish", file, "--reason", "the first", "--store", here.url]) == 0
            [version] = (await agent.call("versions", workflow="notes"))["versions"]
            assert (version["version"], version["reason"], version["running"]) == ("1.0.0", "the first", 0)
            same = await agent.call("versions", workflow="notes@1.0.0", against="notes.yaml")
            assert same["status"] == "SAME"
            (here.project / "notes.yaml").write_text(
                SPEC.replace("RISK", "normal").replace("input: {version", "input: {more: string, version")
            )
            differs = await agent.call("versions", workflow="notes", against="notes.yaml")
            assert differs["status"] == "DIFFERENT"
            assert "more" in differs["breaks"][0]
            assert "major" in differs["hint"]
            ran = await agent.call("run", workflow="notes@1.0.0", input=INPUT, wait=20)
            assert ran["pending"][0]["step"] == "notes"

    talk(conversation)


def test_a_workflow_is_explained_step_by_step(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            (here.project / "branches.yaml").write_text(BRANCHES)
            told = await agent.call("validate", file="notes.yaml", explain=True)
            assert [(step["step"], step["kind"], step.get("done_by")) for step in told["steps"]] == [
                ("counted", "task", "code"), ("notes", "agent", "an agent"), ("approve", "gate", "a person"), ("done", "succeed", None),
            ]  # fmt: skip
            assert told["steps"][1]["ensure"] == [{"that": "$result.words < 5"}]
            assert "flowchart" in told["graph"]
            inner = await agent.call("validate", file="branches.yaml", explain=True)
            assert [step.get("within") for step in inner["steps"]] == [None, "both/left", "both/right", None]
            asl = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
            assert (await agent.call("validate", spec=asl, explain=True))["steps"] == [
                {"step": "A", "kind": "Pass"}
            ]

    talk(conversation)


CASES = """\
stratum_test: "1"
input: {version: "1.0", key: hunter2hunter2}
cases:
  - name: nobody approves in time
    mocks: {notes: {return: {text: one, words: 1}}}
    expect: {error: Stratum.Rejected}
  - name: this one is wrong
    mocks: {notes: {return: {text: one, words: 1}}, approve: {return: approve}}
    expect: {error: Nothing}
"""


def test_the_cases_beside_a_workflow_are_run(here: Here) -> None:
    (here.project / "notes.test.yaml").write_text(CASES)

    async def conversation() -> None:
        async with here.agent() as agent:
            told = await agent.call("test", file="notes.yaml")
            assert (told["status"], told.get("passed"), told.get("failed")) == ("FAILED", 1, 1), told
            assert told["failures"][0]["case"] == "this one is wrong"
            (here.project / "notes.test.yaml").write_text("stratum_test: 1")
            assert "notes.test.yaml:1" in (await agent.call("test", file="notes.test.yaml"))["wrong"]

    talk(conversation)


# -- resources and prompts ---------------------------------------------------------------------------------


def test_resources_and_prompts(here: Here) -> None:
    async def conversation() -> None:
        async with here.agent() as agent:
            await begin(agent, name="first")
            work = (await agent.call("status", execution="first"))["pending"][0]["work"]

            async def read(uri: str) -> str:
                [content] = (await agent.client.read_resource(uri)).contents
                return content.text  # pyright: ignore[reportAttributeAccessIssue]

            assert json.loads(await read("stratum://schema"))["title"] == "A Stratum workflow"
            assert "workflow: release-notes" in await read("stratum://guide")
            assert json.loads(await read("stratum://workflows"))[0]["workflow"] == "notes"
            assert json.loads(await read("stratum://workflows/notes"))["spec"] == SPEC.replace(
                "RISK", "normal"
            )
            assert json.loads(await read("stratum://executions/first"))["requester"]["agent"] == "mcp"
            assert json.loads(await read("stratum://executions/first/history"))[0]["id"] > 5
            assert json.loads(await read(f"stratum://work/{work}"))["intent"]
            for uri in (
                "stratum://executions/none",
                "stratum://work/none.1",
                "stratum://workflows/none",
                "stratum://none",
            ):
                with pytest.raises(Exception, match=r"no|not|Unknown|exist"):
                    await read(uri)
            prompts = (await agent.client.list_prompts()).prompts
            assert [prompt.name for prompt in prompts] == ["work", "write", "diagnose", "mend"]
            got = await agent.client.get_prompt("diagnose", {"execution": "first"})
            assert "`first`" in got.messages[0].content.text  # pyright: ignore[reportAttributeAccessIssue]

    talk(conversation)


def test_the_guides_example_is_valid(here: Here) -> None:
    import re

    from stratum.handlers.mcp.guide import GUIDE

    spec, cases = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    (here.project / "release-notes.yaml").write_text(spec)
    (here.project / "release-notes.test.yaml").write_text(cases)

    async def conversation() -> None:
        async with here.agent() as agent:
            found = await agent.call("validate", spec=spec)
            assert found["status"] == "VALID", found
            tested = await agent.call("test", file="release-notes.yaml")
            assert tested["status"] == "PASSED", tested

    talk(conversation)
