"""Plays recorded cases through boto3 itself, and compares what comes back.

Cases of Step Functions alone are played against the front door, those that need functions or other services (classes b
and c) against the door to all of AWS.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from endpoint import ACCOUNT, Endpoint
from recorded_functions import archive, sleeps
from stratum.handlers.mocks import Mocks, read_mocks

CASES = Path(__file__).resolve().parents[2] / "shared" / "asl-cases"


def cases(classes: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every case of these classes, with its group."""
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text()):
            if case["class"] in classes:
                yield path.stem, case


def load_compare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare", CASES / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def play(case: dict[str, Any], difference: Any, endpoint: Any = None) -> str | None:
    """Makes the calls of the case; answers the first difference from what AWS answered.

    `endpoint` serves the case (`Everything`); one of Step Functions alone where none is given.
    """
    names: dict[str, Any] = {}
    replaced: dict[str, str] = {}
    answers: list[Any] = []
    own = Endpoint(mocks_of(case)) if endpoint is None else None
    endpoint = endpoint or own
    if sleeps(case):
        endpoint.clock.pace = SLEEPERS_PACE
    clients: dict[tuple[str, str], Any] = {}
    try:
        for step in case["steps"]:
            if "match" in step:
                answer = answers[step["of"]]
                if isinstance(answer, Exception):
                    answer = _as_recorded(answer, step["expected"])
                else:
                    for part in step.get("path") or []:
                        answer = answer[part]
                ours = json.loads(json.dumps(answer, default=_plain))
                if found := difference(*as_compared(step["expected"], ours), names):
                    return f"{step['match']}{found}"
                answers.append(None)
                continue
            parameters = _as_sent(_replace(step["params"], replaced))
            if step["call"] == "lambda.CreateFunction":
                parameters["Code"] = {"ZipFile": archive(case)}
            service, _, operation = step["call"].partition(".")
            if operation.startswith("SendTask") and (token := _token(answers)) is not None:
                parameters["taskToken"] = token
            account = _account(parameters) if service == "stepfunctions" else ACCOUNT
            if (key := (service, account)) not in clients:
                clients[key] = (
                    endpoint.client(account) if service == "stepfunctions" else endpoint.other(service)
                )
            client = clients[key]
            if step.get("until"):
                endpoint.settle(parameters.get("executionArn"))
            elif operation in ("GetExecutionHistory", "DescribeExecution", "ListExecutions"):
                endpoint.settle()
            try:
                answer = getattr(client, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower())(**parameters)
            except (ClientError, ParamValidationError) as failed:
                if "fails" not in step and not any(
                    later.get("of") == len(answers) for later in case["steps"] if "match" in later
                ):
                    return f"{step['call']}: {failed}"
                answers.append(failed)
                continue
            if operation == "CreateChangeSet":
                # Its answer was not recorded: what the next calls name is its id.
                following = (later.get("params", {}).get("ChangeSetName") for later in case["steps"])
                replaced.update(
                    {name: answer["Id"] for name in following if name and name.startswith("arn:")}
                )
            for name, recorded in (step.get("returned") or {}).items():
                ours = _at(answer, name)
                if name.endswith("LogicalResourceId"):
                    continue  # the template's own name
                if isinstance(ours, str) and isinstance(recorded, str):
                    replaced[recorded] = ours
            answers.append(answer)
    finally:
        if own is not None:
            own.close()
    return None


SLEEPERS_PACE = 10.0
"""Seconds of the clock for a real one, while functions sleep until their task has timed out."""


def _plain(value: Any) -> str:
    return value.read().decode() if hasattr(value, "read") else str(value)


def _as_sent(value: Any) -> Any:
    """Parameters as they were: the recording writes bytes as `{"bytes": …}`."""
    if isinstance(value, dict):
        if value.keys() == {"bytes"} and isinstance(value["bytes"], str):
            return base64.b64decode(value["bytes"])
        return {key: _as_sent(item) for key, item in value.items()}
    return [_as_sent(item) for item in value] if isinstance(value, list) else value


def _token(answers: list[Any]) -> str | None:
    """The task token in the last message that was received, if it has one."""
    for answer in reversed(answers):
        for message in answer.get("Messages", []) if isinstance(answer, dict) else []:
            if found := re.search(r'TaskToken[\\"]+: *[\\"]+([^\\"]+)', message["Body"]):
                return found[1]
    return None


def mocks_of(case: dict[str, Any]) -> Mocks | None:
    """The mock configuration of a case, whose file is not in it: read off the history that AWS recorded.

    Branches are told apart by the order of their events, which the recording has sorted.
    """
    started = [
        step["params"]["stateMachineArn"]
        for step in case["steps"]
        if step.get("call", "").endswith("StartExecution")
    ]
    named = [arn for arn in started if "#" in arn]
    if not named:
        return None
    machine, _, test = named[0].rpartition(":")[2].partition("#")
    events = next(
        step["expected"]["events"] for step in case["steps"] if "events" in step.get("expected", {})
    )
    states: list[str] = []
    answers: dict[str, dict[str, Any]] = {}
    submitted: Any = None
    for event in events:
        kind = event["type"]
        if kind == "TaskStateEntered":
            states.append(event["stateEnteredEventDetails"]["name"])
        elif kind == "TaskSubmitted":
            submitted = event["taskSubmittedEventDetails"]["output"]
        elif kind in ("TaskSucceeded", "TaskFailed"):
            state = states.pop(0)
            tries = answers.setdefault(state, {})
            tries[str(len(tries))] = _mocked(event, submitted)
    responses = {f"of {state}": tries for state, tries in answers.items()}
    config = {
        "StateMachines": {machine: {"TestCases": {test: {state: f"of {state}" for state in answers}}}},
        "MockedResponses": responses,
    }
    return read_mocks(config)


def _mocked(event: dict[str, Any], submitted: Any) -> dict[str, Any]:
    extra = {} if submitted is None else {"Submitted": submitted}
    if event["type"] == "TaskSucceeded":
        output = event["taskSucceededEventDetails"]["output"]
        return {"Return": json.loads(output) if isinstance(output, str) else output, **extra}
    details = event["taskFailedEventDetails"]
    return {"Throw": {"Error": details["error"], "Cause": details["cause"]}, **extra}


def _account(parameters: dict[str, Any]) -> str:
    """The account that the call was made for, as its role says; calls by ARN reach any."""
    role = parameters.get("roleArn") or ""
    return role.split(":")[4] if isinstance(role, str) and role.count(":") >= 5 else ACCOUNT


def _replace(value: Any, replaced: dict[str, str]) -> Any:
    if isinstance(value, str):
        for recorded in sorted(replaced, key=len, reverse=True):
            value = value.replace(recorded, replaced[recorded])
        return value
    if isinstance(value, dict):
        return {key: _replace(item, replaced) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, replaced) for item in value]
    return value


def _at(answer: Any, path: str) -> Any:
    for part in re.findall(r"[^.\[\]]+", path):
        try:
            answer = answer[int(part)] if part.isdigit() and isinstance(answer, list) else answer[part]
        except (KeyError, IndexError, TypeError):
            return None
    return answer


# Placeholders that the recording suite writes without brackets, within texts too.
_WORDS = re.compile(
    r"^\w+EventDetails\.output$|snf_role_arn_t\d|sm_nonexistent_arn|ssm_nonexistent_arn|invalid_execution_arn|(?<=^\")date(?=\"$)"
)


def as_compared(expected: Any, ours: Any) -> tuple[Any, Any]:
    """Both sides in the form in which they can be compared, where the recording is not what AWS sent.

    Placeholders get the brackets that mark the others; an array that was parsed is compared as one; and events of
    parallel branches, whose ids and order the recording has taken away, are compared without them.
    """
    if isinstance(expected, dict) and isinstance(ours, str) and '"RedriveCount"' in ours:
        if "RedriveCount" not in json.dumps(expected):
            # Recorded before the context object had it.
            ours = re.sub(r',"RedriveCount":\d+', "", ours)
    if isinstance(expected, dict) and isinstance(ours, dict):
        if isinstance(expected.get("events"), list):
            expected, ours = _without_order(expected, ours)
        if isinstance(expected.get("billedDurationInMilliseconds"), int):
            # Measured, with the time that real functions took.
            expected = {**expected, "billedDurationInMilliseconds": ours.get("billedDurationInMilliseconds")}
        pairs = {key: as_compared(expected[key], ours[key]) for key in expected if key in ours}
        return (
            {key: pairs[key][0] if key in pairs else value for key, value in expected.items()},
            {key: pairs[key][1] if key in pairs else value for key, value in ours.items()},
        )
    if isinstance(expected, list):
        if isinstance(ours, str) and ours.startswith("["):
            ours = json.loads(ours)
        if isinstance(ours, list) and len(ours) == len(expected):
            both = [as_compared(*pair) for pair in zip(expected, ours, strict=True)]
            return [one for one, _ in both], [other for _, other in both]
        return expected, ours
    if isinstance(expected, str):
        return _WORDS.sub(lambda found: f"<{found[0]}>", expected), ours
    return expected, ours


def _details(event: dict[str, Any]) -> str:
    """What an event is sorted by: its details, with data as values."""

    def parsed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: parsed(item) for key, item in value.items()}
        return json.loads(value) if isinstance(value, str) and value.startswith("{") else value

    return json.dumps(
        [event["type"], *(parsed(value) for key, value in event.items() if key.endswith("EventDetails"))],
        sort_keys=True,
    )


def _without_order(expected: dict[str, Any], ours: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Events of branches, which the recording says to have the id `[0]`, sorted as it sorts them."""
    places = [place for place, event in enumerate(expected["events"]) if event.get("id") == [0]]
    if not places or not isinstance(ours.get("events"), list):
        return expected, ours
    first, count = places[0], len(places)
    events = list(ours["events"])
    # What the recording left out at their end: the success of the state around them.
    end = next(
        (place for place, event in enumerate(events) if event["type"] == "ParallelStateSucceeded"),
        len(events),
    )
    branches = sorted(
        ({**event, "id": [0], "previousEventId": 0} for event in events[first:end]),
        key=_details,
    )  # fmt: skip
    theirs = sorted(
        (expected["events"][place] for place in places),
        key=_details,
    )  # fmt: skip
    rest = (
        events[end + 1 :]
        if len(expected["events"]) == first + count + len(events) - end - 1
        else events[end:]
    )
    return (
        {**expected, "events": [*expected["events"][:first], *theirs, *expected["events"][first + count :]]},
        {**ours, "events": [*events[:first], *branches, *rest]},
    )


def _as_recorded(error: Any, expected: Any) -> Any:
    """An exception in the form in which the recording has it: text, type and text, or the whole answer."""
    if isinstance(expected, str):
        return str(error)
    if isinstance(expected, dict) and "exception_typename" in expected:
        value = str(error).replace(" (reached max retries: 0)", "")
        return {"exception_typename": type(error).__name__, "exception_value": value}
    response = dict(error.response)
    response.setdefault("message", response["Error"]["Message"])
    return response
