"""Tasks that call HTTP APIs: `http:invoke` with EventBridge's connections, `apigateway:invoke`."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from api_calls import ROLE
from endpoint import ACCOUNT, Everything

HTTP = "arn:aws:states:::http:invoke"


class _Api(BaseHTTPRequestHandler):
    """Answers what it was asked; a path that is a number answers with that status, `/token` gives one."""

    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        kind, status = "application/json", 200
        path = self.path.partition("?")[0]
        if path == "/token":
            answer = json.dumps({"access_token": f"for {body}", "token_type": "Bearer"})
        elif path == "/image":
            answer, kind = "...", "image/png"
        elif path == "/text":
            answer, kind = "plain", "text/plain"
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = json.dumps({"method": self.command, "path": self.path, "headers": headers, "body": body})
            status = int(path[1:]) if path[1:].isdigit() else 200
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def connection(everything: Everything, kind: str, **parameters: Any) -> str:
    made = everything.other("events").create_connection(
        Name="c", AuthorizationType=kind, AuthParameters=parameters
    )
    return made["ConnectionArn"]


BASIC = {"BasicAuthParameters": {"Username": "ada", "Password": "s3cret"}}


def try_out(everything: Everything, arguments: Any, **more: Any) -> dict[str, Any]:
    state = {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": HTTP,
        "Arguments": arguments,
        "End": True,
    }
    return everything.client().test_state(definition=json.dumps(state), roleArn=ROLE, input="{}", **more)


def called(everything: Everything, arguments: Any) -> dict[str, Any]:
    done = try_out(everything, arguments)
    assert done["status"] == "SUCCEEDED", done
    return json.loads(done["output"])


def test_what_is_sent_and_what_comes_back(everything: Everything, api: str) -> None:
    arguments = {
        "ApiEndpoint": f"{api}/orders?page=2", "Method": "POST",
        "InvocationConfig": {"ConnectionArn": connection(everything, "BASIC", **BASIC)},
        "Headers": {"X-Kind": "a"}, "QueryParameters": {"q": "größe & co", "id": [1, 2]}, "RequestBody": {"n": [1, "zwei"]},
    }  # fmt: skip
    answer = called(everything, arguments)
    assert (answer["StatusCode"], answer["StatusText"]) == (200, "OK")
    assert answer["Headers"]["set-cookie"] == ["a=1", "b=2"]
    sent = answer["ResponseBody"]
    assert (sent["method"], sent["body"]) == ("POST", '{"n":[1,"zwei"]}')
    assert sent["path"] == "/orders?page=2&q=gr%C3%B6%C3%9Fe%20%26%20co&id=1&id=2"
    assert sent["headers"]["authorization"] == "Basic " + base64.b64encode(b"ada:s3cret").decode()
    assert sent["headers"]["user-agent"] == "Amazon|StepFunctions|HttpInvoke|us-east-1"
    assert sent["headers"]["range"] == "bytes=0-262144"
    assert sent["headers"]["content-type"] == "application/json"
    assert sent["headers"]["x-kind"] == "a"


def test_an_api_key_and_what_else_a_connection_adds(everything: Everything, api: str) -> None:
    added = {
        "HeaderParameters": [{"Key": "X-Tenant", "Value": "t", "IsValueSecret": False}],
        "QueryStringParameters": [{"Key": "q", "Value": "connection's", "IsValueSecret": True}],
        "BodyParameters": [{"Key": "b", "Value": "added", "IsValueSecret": False}],
    }
    key = {"ApiKeyName": "X-Api-Key", "ApiKeyValue": "k-1"}
    arn = connection(everything, "API_KEY", ApiKeyAuthParameters=key, InvocationHttpParameters=added)
    arguments = {
        "ApiEndpoint": f"{api}/x", "Method": "PUT", "Authentication": {"ConnectionArn": arn},
        "QueryParameters": {"q": "task's", "r": "1"}, "RequestBody": {"a": 1, "b": "task's"},
    }  # fmt: skip
    sent = called(everything, arguments)["ResponseBody"]
    assert sent["headers"]["x-api-key"] == "k-1"
    assert sent["headers"]["x-tenant"] == "t"
    assert sent["path"] == "/x?r=1&q=connection%27s", "the connection's value is the one that counts"
    assert json.loads(sent["body"]) == {"a": 1, "b": "added"}


def test_oauth_by_client_credentials(everything: Everything, api: str) -> None:
    oauth = {
        "ClientParameters": {"ClientID": "me", "ClientSecret": "hush"},
        "AuthorizationEndpoint": f"{api}/token", "HttpMethod": "POST",
        "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "all", "IsValueSecret": False}]},
    }  # fmt: skip
    arn = connection(everything, "OAUTH_CLIENT_CREDENTIALS", OAuthParameters=oauth)
    sent = called(
        everything, {"ApiEndpoint": f"{api}/x", "Method": "GET", "Authentication": {"ConnectionArn": arn}}
    )
    token = "for grant_type=client_credentials&client_id=me&client_secret=hush&scope=all"
    assert sent["ResponseBody"]["headers"]["authorization"] == f"Bearer {token}"


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({}, "a=1&b[0]=x&b[1]=y%20z&c[d]=true"),
        ({"ArrayFormat": "REPEAT"}, "a=1&b=x&b=y%20z&c[d]=true"),
        ({"ArrayFormat": "BRACKETS"}, "a=1&b[]=x&b[]=y%20z&c[d]=true"),
        ({"ArrayFormat": "COMMAS"}, "a=1&b=x%2Cy%20z&c[d]=true"),
    ],
)
def test_bodies_as_forms(everything: Everything, api: str, options: Any, body: str) -> None:
    arguments = {
        "ApiEndpoint": f"{api}/x", "Method": "POST", "RequestBody": {"a": 1, "b": ["x", "y z"], "c": {"d": True}},
        "Authentication": {"ConnectionArn": connection(everything, "BASIC", **BASIC)},
        "Transform": {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": options},
    }  # fmt: skip
    sent = called(everything, arguments)["ResponseBody"]
    assert sent["body"] == body
    assert sent["headers"]["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/404", "States.Http.StatusCode.404"),
        ("/302", "States.Http.StatusCode.302"),
        ("/503", "States.Http.StatusCode.503"),
        ("/image", "States.Runtime"),
    ],
)
def test_answers_that_fail_the_task(everything: Everything, api: str, path: str, error: str) -> None:
    arn = connection(everything, "BASIC", **BASIC)
    done = try_out(
        everything, {"ApiEndpoint": f"{api}{path}", "Method": "GET", "Authentication": {"ConnectionArn": arn}}
    )
    assert (done["status"], done["error"]) == ("FAILED", error)
    assert path == "/image" or json.loads(done["cause"])["path"] == path


def test_text_is_text(everything: Everything, api: str) -> None:
    arn = connection(everything, "BASIC", **BASIC)
    arguments = {"ApiEndpoint": f"{api}/text", "Method": "GET", "Authentication": {"ConnectionArn": arn}}
    assert called(everything, arguments)["ResponseBody"] == "plain"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ApiEndpoint": "http://example.com/x"}, "must start with https://"),
        ({"ApiEndpoint": None}, "The field 'ApiEndpoint' is required but was missing"),
        ({"Method": "TRACE"}, "The value of the field 'Method' must be one of GET, POST"),
        ({"Authentication": {}}, "The field 'ConnectionArn' is required but was missing"),
        ({"Headers": {"Host": "x"}}, "The 'Headers' field contains unsupported values: Host"),
        ({"Headers": "x"}, "The value of the field 'Headers' has an invalid format"),
        ({"Transform": {"RequestBodyEncoding": "XML"}}, "must be one of NONE, URL_ENCODED"),
    ],
)
def test_requests_that_cannot_be_made(everything: Everything, change: Any, problem: str) -> None:
    arn = connection(everything, "BASIC", **BASIC)
    arguments = {
        "ApiEndpoint": "http://localhost/x",
        "Method": "GET",
        "Authentication": {"ConnectionArn": arn},
    }
    done = try_out(everything, {**arguments, **change})
    assert done["error"] == "States.Runtime"
    assert problem in done["cause"]


def test_nobody_there(everything: Everything) -> None:
    arn = connection(everything, "BASIC", **BASIC)
    arguments = {
        "ApiEndpoint": "http://127.0.0.1:9/x",
        "Method": "GET",
        "Authentication": {"ConnectionArn": arn},
    }
    assert try_out(everything, arguments)["error"] == "States.Http.Socket"
    missing = f"arn:aws:events:us-east-1:{ACCOUNT}:connection/none/0"
    arguments = {**arguments, "Authentication": {"ConnectionArn": missing}}
    assert try_out(everything, arguments)["error"] == "Events.ResourceNotFoundException"


def test_a_trace_shows_request_and_response_and_hides_what_the_connection_adds(
    everything: Everything, api: str
) -> None:
    arn = connection(everything, "BASIC", **BASIC)
    arguments = {"ApiEndpoint": f"{api}/404", "Method": "POST", "RequestBody": {"a": 1}, "Authentication": {"ConnectionArn": arn}}  # fmt: skip
    data = try_out(everything, arguments, inspectionLevel="TRACE")["inspectionData"]
    request, response = data["request"], data["response"]
    assert (request["protocol"], request["method"], request["url"]) == ("http", "POST", f"{api}/404")
    assert json.loads(request["headers"])["Authorization"] == ["<redacted>"]
    assert request["body"] == '{"a":1}'
    assert (response["statusCode"], response["statusMessage"]) == ("404", "Not Found")
    assert json.loads(response["body"])["path"] == "/404"
    data = try_out(everything, arguments, inspectionLevel="TRACE", revealSecrets=True)["inspectionData"]
    assert json.loads(data["request"]["headers"])["Authorization"][0].startswith("Basic ")
    assert "request" not in try_out(everything, arguments, inspectionLevel="DEBUG")["inspectionData"]
