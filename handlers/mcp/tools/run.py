"""`run`: starts a workflow and waits a little."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from ..host import Caller
from ..kit import Kit
from ..results import Result, reports_errors
from .claim import take_if_only
from .validate import File, Spec, source_of


def add(server: MCPServer, kit: Kit) -> None:
    @server.tool(
        title="Run a workflow",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
        ),
    )
    @reports_errors
    async def run(
        ctx: Context,
        spec: Spec = None,
        file: File = None,
        workflow: Annotated[
            str | None, Field(description="or one that is there: NAME, NAME@VERSION or NAME@ALIAS")
        ] = None,
        input: Annotated[Any, Field(description="the execution's input, as JSON")] = None,
        name: Annotated[
            str | None,
            Field(description="the execution's name; with one, the same call twice starts one execution"),
        ] = None,
        wait: Annotated[float, Field(description="seconds to wait for it, at most 100", ge=0)] = 5,
        agent: Annotated[
            str | None, Field(description="your name, where several agents share this server")
        ] = None,
    ) -> Result:
        """Starts a workflow: a spec's text, a file, or one that was run or published before. Answers when it waits
        for you, when it ends, or after `wait` seconds, with a handle (`execution`) and what to do next; it goes on
        by itself in any case, also while you are away."""
        await kit.ready()
        caller = kit.caller(ctx, agent)
        if sum(each is not None for each in (spec, file, workflow)) != 1:
            raise ToolError("give one of `spec` (text), `file` (a path) and `workflow` (a name)")
        text = json.dumps({} if input is None else input, ensure_ascii=False)
        called = name or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        if workflow is not None:
            execution = await kit.off(_begin_known, kit, workflow, called, text, caller)
        else:
            execution = await kit.off(_begin_new, kit, spec, file, called, text, caller)
        await kit.wait(execution, caller, wait)
        await kit.off(take_if_only, kit, execution, caller)
        return await kit.view(execution, caller)


def _begin_new(
    kit: Kit, spec: str | dict[str, Any] | None, file: str | None, name: str, input: str, caller: Caller
) -> str:
    from ...arns import execution_arn
    from ...workflows import DeploymentRefused, deploy, input_violations

    host = kit.host
    if host.no_new is not None:
        raise ToolError(host.no_new)
    source = source_of(kit, spec, file)
    workflow = source.workflow
    if wrong := input_violations(workflow, input):
        lines = "\n".join(f"  {line}" for line in wrong)
        raise ToolError(
            f"the input is not as the workflow wants it:\n{lines}\nGive `input` as its contract says."
        )
    runtime = host.runtime
    machine = runtime.machine(workflow.name)
    execution = execution_arn(machine, name)
    if host.desk().items.store.head(execution) is None:
        try:
            for each in (*host.children(source), workflow):
                deploy(runtime, host.tenant, each)
        except DeploymentRefused as refused:
            raise ToolError(str(refused)) from None
        host.begin(execution, source)
    return _start(kit, machine, name, input, caller)


def _begin_known(kit: Kit, given: str, name: str, input: str, caller: Caller) -> str:
    from ...versions import publishing

    host = kit.host
    runtime, store = host.runtime, host.desk().items.store
    workflow, _, wanted = given.partition("@")
    machine = runtime.machine(workflow)
    wanted = wanted or host.alias or ""
    if not wanted:
        return _start(kit, machine, name, input, caller)
    try:
        published = publishing.find(store, workflow, wanted)
        target = published.arn
        if wrong := publishing.input_violations(published, input):
            lines = "\n".join(f"  {line}" for line in wrong)
            raise ToolError(f"the input is not as {workflow} {published.version} wants it:\n{lines}")
    except publishing.NoSuchVersion:
        target = f"{machine}:{wanted}"  # an alias, which leads to a version when the execution starts
    execution = _start(kit, target, name, input, caller)
    head = store.head(execution)
    assert head is not None
    version = head.fields.get("version")
    if version is not None and (chosen := publishing.by_arn(store, workflow).get(version)) is not None:
        host.begun(execution, chosen)
    return execution


def _start(kit: Kit, machine: str, name: str, input: str, caller: Caller) -> str:
    from ...api.errors import ApiError
    from ...api.front_door import call as call_api

    runtime = kit.host.runtime.on_behalf_of(caller.identity.to_json())
    try:
        request = {"stateMachineArn": machine, "name": name, "input": input}
        execution = call_api(runtime, "StartExecution", request, kit.host.tenant)["executionArn"]
    except ApiError as error:
        if error.type == "ExecutionAlreadyExists":
            raise ToolError(
                f"there was an execution {name!r} before, with another input or at its end: `status` shows it, and"
                " another `name` (or none) begins a new one"
            ) from None
        if error.type in ("StateMachineDoesNotExist", "ResourceNotFound"):
            raise ToolError(
                f"there is no workflow {machine.partition(':stateMachine:')[2]!r} here: run it once by `file` or `spec`"
            ) from None
        raise
    kit.host.adopt(execution)
    return execution
