"""Lambda functions for recorded cases: code that answers as the recorded one did."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

_ECHO = "def handler(event, context):\n    return event\n"
# The recorded stack traces name this file, this line and this text.
_RAISES = 'def handler(event, context):\n    raise Exception("Some exception was raised.")\n'
_LARGE = "def handler(event, context):\n    return '\\u00e9' * 140_000\n"
_SLEEPS = "import time\ndef handler(event, context):\n    time.sleep(20)\n"
_ANSWERS = """import json
def handler(event, context):
    return ANSWERS.get(json.dumps(event, sort_keys=True), event)
ANSWERS = json.loads({answers!r})
"""


def code(case: dict[str, Any]) -> str:
    """The module `handler` of the function of a case, from what the recording says that it answered."""
    functions = case.get("functions") or []
    causes = [each.get("error") for each in functions if "error" in each]
    if "States.DataLimitExceeded" in causes:
        return _LARGE
    if sleeps(case):
        return _SLEEPS
    if causes or (not functions and "Some exception was raised." in json.dumps(case["steps"])):
        return _RAISES
    for step in case["steps"]:
        if (result := _tested(step)) is not None:
            return f"def handler(event, context):\n    return {json.loads(result)!r}\n"
    answers = {}
    for each in functions:
        event, output = _value(each["input"]), _value(each["output"])
        if event != output:
            answers[json.dumps(event, sort_keys=True)] = output
    return _ANSWERS.format(answers=json.dumps(answers)) if answers else _ECHO


def sleeps(case: dict[str, Any]) -> bool:
    """Whether the function ran until its task had timed out."""
    return any(each.get("error") == "States.Timeout" for each in case.get("functions") or [])


def _tested(step: dict[str, Any]) -> str | None:
    """What the function answered to TestState."""
    expected = step.get("expected")
    return expected.get("inspectionData", {}).get("result") if isinstance(expected, dict) else None


def archive(case: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", code(case))
    return content.getvalue()


def _value(recorded: Any) -> Any:
    """Recorded as JSON text, or parsed where that was an object."""
    try:
        return json.loads(recorded) if isinstance(recorded, str) else recorded
    except ValueError:
        return recorded
