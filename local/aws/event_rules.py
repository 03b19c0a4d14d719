"""What EventBridge's rules bring to their targets: the event as EventBridge writes it, or what the target makes of it.

moto keeps buses and rules and says which rule an event matches; it brings events to queues and log groups alone, and fails the
whole of PutEvents at any other target. See the EventBridge guide, "Event bus targets in Amazon EventBridge".
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ...handlers.http import Http, HttpRequest
from ...handlers.logs import logger
from ...statelang.jsonpath import InvalidPath, Path, PathNotFound
from .targets import Targets

_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
_MOTOS_OWN = ("archive", "event-bus")


class EventRules:
    """Brings events to targets. A target that cannot be reached is said in the log, as EventBridge's callers never learn
    of it."""

    def __init__(self, targets: Targets, http: Http):
        self._targets = targets
        self._http = http
        self._taken_over = False

    @staticmethod
    def needed() -> bool:
        """Whether some service of moto's may put events: importing it for nothing takes half a second."""
        return "moto.events.models" in sys.modules

    def take_over(self) -> None:
        """Has moto hand every matched event to us; once."""
        if self._taken_over:
            return
        self._taken_over = True
        from moto.events.models import EventsBackend, Rule

        bring, put = self.bring, EventsBackend.put_events
        if getattr(put, "of_stratum", False):
            put = put.__wrapped__  # pyright: ignore[reportFunctionMemberAccess]
            own = Rule.send_to_targets.__wrapped__  # pyright: ignore[reportFunctionMemberAccess]
        else:
            own = Rule.send_to_targets

        def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
            bring(self, original_event, own, transform_input)

        def put_events(self: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            # moto lets pass what is JSON and no object, and then stumbles over it.
            return put(
                self,
                [event if _is_object(event.get("Detail")) else {**event, "Detail": "{"} for event in events],
            )

        for made, wrapped in ((send_to_targets, own), (put_events, put)):
            made.__wrapped__, made.of_stratum = wrapped, True  # pyright: ignore[reportFunctionMemberAccess]
        Rule.send_to_targets = send_to_targets
        EventsBackend.put_events = put_events

    def bring(self, rule: Any, matched: dict[str, Any], own: Any, transform: bool) -> None:
        # To moto, a rule that has a schedule and no pattern matches every event there is.
        if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
            return
        if rule.event_pattern.matches_event(matched):
            self._to_targets(rule, matched, own, transform)

    def bring_scheduled(self, rule: Any, at: float) -> None:
        """The rule's own schedule has come due, at that time in seconds since the epoch."""
        event = {
            "version": "0", "id": str(uuid.uuid4()), "detail-type": "Scheduled Event", "source": "aws.events",
            "account": rule.account_id, "time": at, "region": rule.region_name, "resources": [rule.arn], "detail": {},
        }  # fmt: skip
        self._to_targets(rule, event, type(rule).send_to_targets, True)

    def _to_targets(self, rule: Any, matched: dict[str, Any], own: Any, transform: bool) -> None:
        event = _event(matched)
        for target in list(rule.targets):
            try:
                if any(f":{kind}/" in target["Arn"] for kind in _MOTOS_OWN) or ":archive" in target["Arn"]:
                    _by_moto(rule, target, matched, own, transform)
                else:
                    self._bring(rule, target, _transformed(target, event, rule))
            except Exception as error:
                logger.warning("event not brought", rule=rule.name, target=target["Arn"], reason=str(error))

    def _bring(self, rule: Any, target: dict[str, Any], text: str) -> None:
        arn = target["Arn"]
        name = arn.split(":", 5)[5]
        if name.startswith("api-destination/"):
            _, _, _, region, account, _ = arn.split(":", 5)
            client = self._targets.clients("events", account or rule.account_id, region or rule.region_name)
            self._call(client, target, name.split("/")[1], text)
        else:
            self._targets.bring(target, text, rule.account_id, rule.region_name)

    def _call(self, events: Any, target: dict[str, Any], name: str, text: str) -> None:
        destination = events.describe_api_destination(Name=name)
        given = target.get("HttpParameters", {})
        url = destination["InvocationEndpoint"]
        for value in given.get("PathParameterValues", []):
            url = url.replace("*", value, 1)
        if query := given.get("QueryStringParameters"):
            url = f"{url}?{urlencode(query)}"
        headers = {"Content-Type": "application/json; charset=utf-8", **given.get("HeaderParameters", {})}
        self._http(HttpRequest(destination["HttpMethod"], url, list(headers.items()), text.encode(), 5.0))


def _is_object(detail: Any) -> bool:
    try:
        return not detail or isinstance(json.loads(detail), dict)
    except (ValueError, TypeError, RecursionError):
        return True  # which moto itself finds malformed


def _event(matched: dict[str, Any]) -> dict[str, Any]:
    """The event without moto's own fields, and with its time as text."""
    event = {key: value for key, value in matched.items() if key not in ("ingestion-time", "archive-arn")}
    if isinstance(event.get("time"), int | float):
        event["time"] = datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return event


def _by_moto(rule: Any, target: dict[str, Any], matched: dict[str, Any], own: Any, transform: bool) -> None:
    """Archives and other buses, which are moto's; it brings an event to all targets, so it is shown this one."""
    targets, rule.targets = rule.targets, [target]
    try:
        own(rule, matched, transform)
    finally:
        rule.targets = targets


def _transformed(target: dict[str, Any], event: dict[str, Any], rule: Any) -> str:
    """What the target is sent: the event, or what its `Input`, `InputPath` or `InputTransformer` makes of it."""
    if target.get("Input"):
        return target["Input"]
    if target.get("InputPath"):
        return json.dumps(_found(target["InputPath"], event))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {name: _found(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    return _filled(transformer["InputTemplate"], values)


def _found(path: str, event: dict[str, Any]) -> Any:
    try:
        return Path.parse(path).select(event)
    except (InvalidPath, PathNotFound):
        return None


def _filled(template: str, values: dict[str, Any]) -> str:
    """The template with its variables: as JSON, or as text within a string."""
    parts: list[str] = []
    within, last = False, 0
    for found in _VARIABLE.finditer(template):
        before = template[last : found.start()]
        within ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        value = values.get(found[1], "" if within else None)
        if not within:
            text = json.dumps(value)
        else:
            text = json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]
        parts += [before, text]
        last = found.end()
    return "".join([*parts, template[last:]])
