"""Step Functions at an endpoint or on AWS, through boto3."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from . import errors
from .backends import Changed

if TYPE_CHECKING:
    from ...handlers.store import Store
    from ...handlers.work.answers import Desk
    from ..cli.files import WorkflowFile


class Remote:
    """`endpoint` is a URL (None: AWS itself). Credentials and region are boto3's business; an endpoint on this machine
    needs none."""

    poll = 2.0

    def __init__(
        self, endpoint: str | None, *, region: str | None, profile: str | None, signed_for: str | None = None
    ):
        """`signed_for`: the service that requests are signed for, where it is not Step Functions."""
        try:
            import boto3
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise errors.NotAvailable(
                "an endpoint or AWS needs boto3: install stratum-workflows[aws]"
            ) from None
        given: dict[str, Any] = {}
        if endpoint is not None and re.match(r"https?://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", endpoint):
            given = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
            region = region or "us-east-1"
        try:
            session = boto3.Session(profile_name=profile, region_name=region, **given)
            self._client: Any = session.client(
                "stepfunctions", endpoint_url=endpoint, config=_config(signed_for)
            )
        except (BotoCoreError, ValueError) as error:
            raise errors.ConnectionFailed(str(error)) from None
        if signed_for is not None:
            self._client.meta.events.register("before-sign.stepfunctions", _signing(signed_for))
        self._machines: dict[str, str] = {}

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        method = getattr(self._client, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower())
        try:
            return method(**parameters)
        except ClientError as error:
            told = error.response.get("Error", {})
            raise errors.api_error(told.get("Code", ""), told.get("Message", "")) from None
        except ParamValidationError as error:
            raise errors.ApiError("ValidationException", str(error)) from None
        except BotoCoreError as error:
            raise errors.ConnectionFailed(str(error)) from None

    def deploy(self, workflow: WorkflowFile, role: str | None) -> str:
        from ...handlers.workflows import ROLE
        from ...statelang.asl import dump

        definition = dump(workflow.definition)
        local = "localhost" in self._client.meta.endpoint_url or "127.0.0.1" in self._client.meta.endpoint_url
        if role is None and not local:
            raise errors.NotAvailable("a state machine on AWS needs a role: deploy(…, role=ARN)")
        try:
            return self.call(
                "CreateStateMachine", name=workflow.name, definition=definition, roleArn=role or ROLE
            )["stateMachineArn"]
        except errors.ApiError as error:
            if error.code != "StateMachineAlreadyExists":
                raise
        machine = self.machine(workflow.name)
        changed = {} if role is None else {"roleArn": role}
        self.call("UpdateStateMachine", stateMachineArn=machine, definition=definition, **changed)
        return machine

    def start(self, machine: str, name: str, input: str, workflow: WorkflowFile | None) -> str:
        return self.call("StartExecution", stateMachineArn=machine, name=name, input=input)["executionArn"]

    def machine(self, name: str) -> str:
        if name not in self._machines:
            token: dict[str, Any] = {}
            while True:
                page = self.call("ListStateMachines", **token)
                self._machines |= {each["name"]: each["stateMachineArn"] for each in page["stateMachines"]}
                if name in self._machines or not page.get("nextToken"):
                    break
                token = {"nextToken": page["nextToken"]}
        if name not in self._machines:
            raise errors.StateMachineDoesNotExist(
                "StateMachineDoesNotExist", f"there is no state machine '{name}'; deploy(…) makes one"
            )
        return self._machines[name]

    def workflow(self, machine: str) -> str:
        return machine.split(":")[6]

    def find(self, name: str) -> str:
        workflow, _, execution = name.rpartition(":")
        if not workflow:
            raise errors.InvalidArn(
                "InvalidArn", f"'{name}': on AWS an execution is workflow:name, or an ARN"
            )
        return f"{self.machine(workflow).replace(':stateMachine:', ':execution:')}:{execution}"

    def when_changed(self, changed: Changed) -> None:
        """Nobody tells."""

    def store(self) -> Store:
        self._elsewhere("what an API does not say is asked of the store")

    def desk(self, execution: str | None) -> Desk:
        self._elsewhere("gates are answered where the store is")

    def resume(self) -> list[str]:
        self._elsewhere("executions at an endpoint go on by themselves")

    def close(self) -> None:
        self._client.close()

    def _elsewhere(self, why: str) -> NoReturn:
        raise errors.NotAvailable(f"{why}: Stratum('dynamodb://table?region=…') or Stratum('sqlite:///path')")


def _config(signed_for: str | None) -> Any:
    """A function URL is one host, without the prefix that some operations have."""
    from botocore.config import Config

    return None if signed_for is None else Config(inject_host_prefix=False)


def _signing(service: str) -> Callable[..., None]:
    """Signs requests for another service than the client's own: a function URL is Lambda's."""

    def sign(request: Any, **_: Any) -> None:
        request.context.setdefault("signing", {})["signing_name"] = service

    return sign


class OfStage(Remote):
    """A stage that `stratum deploy` has made: its API by its function URL, as whoever IAM lets in; what no API says by its
    table and queues. A stage on Step Functions is asked by AWS's own API."""

    alias = "live"

    def __init__(self, address: str, *, region: str | None, profile: str | None):
        from ..cli.problem import WrongRequest
        from ..cli.stages import open_stage

        try:
            self._stage = open_stage(address)
        except WrongRequest as problem:
            raise errors.NotAvailable(str(problem)) from None
        engine = self._stage.found.target == "engine"
        super().__init__(
            self._stage.found.outputs["ApiUrl"] if engine else None, region=region or self._stage.found.region, profile=profile,
            signed_for="lambda" if engine else None,
        )  # fmt: skip

    def deploy(self, workflow: WorkflowFile, role: str | None) -> str:
        raise errors.NotAvailable(
            "a stage runs what was deployed to it: name that; `stratum deploy` brings others"
        )

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """A stage's own API knows from a request's signature who asks; on Step Functions it is written down beside."""
        if self._stage.found.target == "engine":
            return super().call(operation, **parameters)
        from ...handlers.api.errors import ApiError
        from ...handlers.api.front_door import call
        from ...handlers.store import StoreError
        from .embedded import me

        runtime = self._stage.runtime.on_behalf_of(me().to_json())
        try:
            return call(runtime, operation, parameters, self._stage.store.tenant)
        except ApiError as error:
            raise errors.api_error(error.type, error.message) from None
        except StoreError as error:
            raise errors.StratumError(str(error)) from None

    def workflow(self, machine: str) -> str:
        return self._stage.runtime.workflow(machine)

    def machine(self, name: str) -> str:
        """By the alias that a deployment leads, where none is named."""
        workflow, _, wanted = name.partition("@")
        return f"{self._stage.machine(workflow)}:{wanted or self.alias}"

    def find(self, name: str) -> str:
        from ...handlers.lookup import NoSuchExecution, find_execution

        try:
            return find_execution(self._stage.store, name).execution
        except NoSuchExecution as error:
            raise errors.ExecutionDoesNotExist("ExecutionDoesNotExist", str(error)) from None

    def store(self) -> Store:
        return self._stage.store

    def desk(self, execution: str | None) -> Desk:
        from ...handlers.work.answers import Desk
        from ..desk import people_of

        return Desk(self._stage.runtime, self._stage.store.tenant, people=people_of(""))
