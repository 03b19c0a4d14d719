"""What an agent reads on demand: the language's schema and guide, executions, histories, workflows, long inputs."""

from __future__ import annotations

import json
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from .guide import GUIDE
from .kit import Kit

JSON = "application/json"
MAX_EVENTS = 200


def add_all(server: MCPServer, kit: Kit) -> None:
    @server.resource(
        "stratum://schema",
        title="The grammar of specs",
        description="JSON Schema of the spec language",
        mime_type=JSON,
    )
    async def schema() -> str:
        from ...statelang.spec import json_schema

        return _text(await kit.off(json_schema))

    @server.resource(
        "stratum://guide",
        title="How to write a workflow",
        description="the language on one page",
        mime_type="text/markdown",
    )
    async def guide() -> str:
        return GUIDE

    @server.resource(
        "stratum://workflows", title="Workflows", description="the workflows that are here", mime_type=JSON
    )
    async def workflows() -> str:
        def listed() -> list[dict[str, Any]]:
            page = kit.host.desk().items.store.records("state-machine", limit=200)
            return [
                {"workflow": record.value["name"], "at": f"stratum://workflows/{record.value['name']}"}
                for record in page.items
                if record.key.count(":") == 6
            ]

        return _text(await _read(kit, listed))

    @server.resource(
        "stratum://workflows/{name}",
        title="A workflow",
        description="its spec where it was one, and its definition",
        mime_type=JSON,
    )
    async def workflow(name: str) -> str:
        def found() -> dict[str, Any]:
            from ..api.state_machines import state_machine
            from ..workflows import spec_text

            arn = kit.host.runtime.machine(name)
            store = kit.host.desk().items.store
            value = state_machine(store, arn).value
            record = store.get("definition", value["definition"])
            return {
                "workflow": name, "digest": value["definition"], "spec": spec_text(store, value["definition"]),
                "definition": None if record is None else json.loads(record.value["definition"]),
            }  # fmt: skip

        return _text(await _read(kit, found))

    @server.resource(
        "stratum://executions/{name}",
        title="An execution",
        description="its story: who, what, when, with data",
        mime_type=JSON,
    )
    async def execution(name: str) -> str:
        def told() -> dict[str, Any]:
            from ..audit.documents import redacted
            from ..audit.redaction import redactor_of
            from ..audit.trail import trail

            store = kit.host.desk().items.store
            story = trail(store, kit.find(name))
            return redacted(story, redactor_of(store, story.definition))

        return _text(await _read(kit, told))

    @server.resource(
        "stratum://executions/{name}/history",
        title="An execution's history",
        description="its last events, newest first",
        mime_type=JSON,
    )
    async def history(name: str) -> str:
        def events() -> list[dict[str, Any]]:
            from ..api.history import get_execution_history
            from ..audit.redaction import redactor_for
            from .events import readable

            asked = {"executionArn": kit.find(name), "maxResults": MAX_EVENTS, "reverseOrder": True}
            found = get_execution_history(kit.host.runtime, kit.host.tenant, asked)["events"]
            store = kit.host.desk().items.store
            snapshot = kit.host.desk().executions.load(asked["executionArn"]).snapshot
            redactor = redactor_for(store, asked["executionArn"], snapshot["definition"])
            return [redactor.hide(readable(event)) for event in found]

        return _text(await _read(kit, events))

    @server.resource(
        "stratum://work/{work}",
        title="A piece of work",
        description="an agent step's whole input",
        mime_type=JSON,
    )
    async def work(work: str) -> str:
        def found() -> dict[str, Any]:
            item = kit.host.desk().find(work, "agent")
            return {"work": item.handle, "step": item.step, "execution": item.execution, **item.request}

        return _text(await _read(kit, found))


async def _read(kit: Kit, reading: Any) -> Any:
    from ..api.errors import ApiError
    from ..lookup import NoSuchExecution
    from ..store import StoreError
    from ..work.refusal import Refused

    try:
        return await kit.off(reading)
    except (NoSuchExecution, Refused) as error:
        raise ResourceNotFoundError(str(error)) from None
    except ApiError as error:
        raise ResourceNotFoundError(error.message) from None
    except StoreError as error:
        raise ResourceError(str(error)) from None


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "replace").decode()
