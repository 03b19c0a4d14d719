"""EventBridge connections: what one adds to a request, by basic authorization, an API key or OAuth's client credentials.

Its secrets are where EventBridge keeps them, in Secrets Manager.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ..http import HttpFailed, HttpRequest
from .calls import Style, call_api, could_not_start
from .names import capital
from .outcomes import TaskFailed

if TYPE_CHECKING:
    from ..runtime import Runtime

_STYLE = Style(capital, "Events")
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Connection:
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)


def connection_of(runtime: Runtime, arguments: Any, arn: str) -> Connection:
    """Raises `TaskFailed`."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "events" or not parts[5].startswith("connection/"):
        raise could_not_start(arguments, ["The value of the field 'ConnectionArn' is not a valid ARN"])
    at = runtime.at(parts[4] or runtime.account, parts[3] or runtime.region)
    described = call_api(at.client("events"), "DescribeConnection", {"Name": parts[5].split("/")[1]}, _STYLE)
    state = described.get("ConnectionState", "AUTHORIZED")
    if state not in ("AUTHORIZED", "ACTIVE"):
        raise TaskFailed("Events.ConnectionResource.InvalidConnectionState", f"The connection is {state}.")
    stored = call_api(
        at.client("secretsmanager"), "GetSecretValue", {"SecretId": described["SecretArn"]}, _STYLE
    )
    secret = _flat(json.loads(stored["SecretString"]))
    added = _invocation_parameters(described, json.loads(stored["SecretString"]))
    headers = _authorization(runtime, described, secret)
    return Connection({**added[0], **headers}, added[1], added[2])


def _authorization(runtime: Runtime, described: dict[str, Any], secret: dict[str, Any]) -> dict[str, str]:
    kind = described["AuthorizationType"]
    parameters = described.get("AuthParameters", {})
    if kind == "BASIC":
        name = parameters.get("BasicAuthParameters", {}).get("Username") or secret.get("username", "")
        both = f"{name}:{secret.get('password', '')}"
        return {"Authorization": "Basic " + base64.b64encode(both.encode()).decode()}
    if kind == "API_KEY":
        name = parameters.get("ApiKeyAuthParameters", {}).get("ApiKeyName") or secret.get("apikeyname", "")
        return {name: str(secret.get("apikeyvalue", ""))}
    return {"Authorization": f"Bearer {_token(runtime, parameters.get('OAuthParameters', {}), secret)}"}


def _token(runtime: Runtime, parameters: dict[str, Any], secret: dict[str, Any]) -> str:
    """An access token by OAuth 2.0's client credentials (RFC 6749, 4.4)."""
    given = {
        "grant_type": "client_credentials",
        "client_id": parameters.get("ClientParameters", {}).get("ClientID") or secret.get("clientid", ""),
        "client_secret": secret.get("clientsecret", ""),
    }
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
    url = parameters["AuthorizationEndpoint"]
    query: dict[str, str] = {}
    for kind, into in (("BodyParameters", given), ("QueryStringParameters", query)):
        for each in parameters.get("OAuthHttpParameters", {}).get(kind, []):
            into[each["Key"]] = each.get("Value", "")
    for each in parameters.get("OAuthHttpParameters", {}).get("HeaderParameters", []):
        headers.append((each["Key"], each.get("Value", "")))
    method = parameters.get("HttpMethod", "POST")
    body = urlencode(given).encode()
    if method == "GET":
        query, body = {**given, **query}, b""
    if query:
        url = f"{url}?{urlencode(query)}"
    try:
        response = runtime.http(HttpRequest(method, url, headers, body, _TIMEOUT))
        answer = json.loads(response.body)
        if 200 <= response.status < 300 and isinstance(answer.get("access_token"), str):
            return answer["access_token"]
        why = f"{response.status} {response.body[:200].decode('utf-8', 'replace')}"
    except HttpFailed as failed:
        why = str(failed)
    except (ValueError, AttributeError):
        why = "its answer has no access_token"
    raise TaskFailed(
        "Events.ConnectionResource.AuthorizationFailed", f"{url.partition('?')[0]} gave no token: {why}"
    )


def _invocation_parameters(described: dict[str, Any], secret: Any) -> tuple[dict[str, str], ...]:
    """What the connection adds to header, query and body; secret values are in the secret alone."""
    public = described.get("AuthParameters", {}).get("InvocationHttpParameters", {})
    hidden = secret.get("invocation_http_parameters", {}) if isinstance(secret, dict) else {}
    found: list[dict[str, str]] = []
    for name in ("HeaderParameters", "QueryStringParameters", "BodyParameters"):
        values = {each["Key"]: each.get("Value", "") for each in public.get(name, [])}
        for each in hidden.get(_snake(name), []):
            flat = _flat(each)
            values[str(flat.get("key", ""))] = str(flat.get("value", ""))
        found.append(values)
    return tuple(found)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _flat(value: Any) -> dict[str, Any]:
    """Every field of the secret by its bare name: EventBridge nests them by kind of authorization."""
    found: dict[str, Any] = {}
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict):
                if not key.startswith("invocation"):
                    found |= _flat(item)
            else:
                found[key.replace("_", "").lower()] = item
    return found
