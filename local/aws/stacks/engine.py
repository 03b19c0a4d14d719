"""moto's CloudFormation with our types, our reading of templates, and the ends that stacks have on AWS.

What fails is rolled back, and told by the stack's events; types that nobody here makes have a placeholder, and a word of
warning; the rest of a stack that is updated stays what it was.
"""

from __future__ import annotations

import contextlib
import functools
import re
from typing import Any
from urllib.parse import urlsplit

from ....handlers.logs import logger
from . import change_sets, functions, others, rest_apis, schedules, step_functions, updates
from .custom import CustomResource
from .others import Placeholder
from .resource import Clients, StackResource
from .templates import InvalidTemplate, parse

KINDS: tuple[type[StackResource], ...] = (
    step_functions.StateMachine,
    step_functions.StateMachineVersion,
    step_functions.StateMachineAlias,
    step_functions.Activity,
    functions.Function,
    functions.Version,
    functions.Alias,
    functions.EventInvokeConfig,
    functions.Url,
    others.Subscription,
    others.QueuePolicy,
    others.TopicPolicy,
    others.BucketPolicy,
    others.Secret,
    others.Alarm,
    others.GlobalTable,
    others.CompositeAlarm,
    others.MetricFilter,
    schedules.ScheduleGroup,
    schedules.Schedule,
    rest_apis.RestApi,
    rest_apis.Deployment,
    rest_apis.Stage,
    CustomResource,
)
_SILENT = ("AWS::CDK::Metadata",)
"""Types that say nothing of what is to be there."""


def install(clients: Clients, url: str) -> None:
    """Has moto's CloudFormation work so. `url` is the endpoint's. Imports it, which takes a second."""
    from moto.cloudformation import models, parsing, responses

    StackResource.clients = staticmethod(clients)  # pyright: ignore[reportAttributeAccessIssue]
    CustomResource.url = url
    types: Any = parsing.get_model_map()
    types.update({kind.type: kind for kind in KINDS})
    every: Any = parsing.get_model_list()
    ours = {kind.type for kind in KINDS}
    every[:] = [model for model in every if model.cloudformation_type() not in ours]
    every.extend(KINDS)
    if not hasattr(models, "stratum"):
        _take_all_types(parsing)
        _keep_what_is_not_updated(parsing)
        _read_templates(models)
        _resolve_parameters(parsing)
        _roll_back(models)
        change_sets.scope()
        updates.install(parsing, models, responses)
        models.stratum = True  # pyright: ignore[reportAttributeAccessIssue]


def _take_all_types(parsing: Any) -> None:
    known = parsing.resource_class_from_type

    def resource_class_from_type(resource_type: str) -> Any:
        if resource_type in parsing.NULL_MODELS:
            return None
        if resource_type.startswith("Custom::"):
            return CustomResource
        if resource_type in parsing.get_model_map():
            return known(resource_type)
        return Placeholder

    parsing.resource_class_from_type = resource_class_from_type


def _keep_what_is_not_updated(parsing: Any) -> None:
    create, update = parsing.parse_and_create_resource, parsing.parse_and_update_resource

    @functools.wraps(create)
    def parse_and_create_resource(logical_id: str, resource_json: Any, *rest: Any, **named: Any) -> Any:
        try:
            made = create(logical_id, resource_json, *rest, **named)
        except Exception as error:
            if not hasattr(error, "resource"):
                error.resource = (logical_id, resource_json.get("Type"))  # pyright: ignore[reportAttributeAccessIssue]
            raise
        kind = resource_json.get("Type")
        if isinstance(made, Placeholder) and kind not in _SILENT:
            logger.warning(
                "a placeholder stands for a resource that is not made here", type=kind, resource=logical_id
            )
        return made

    def parse_and_update_resource(
        logical_id: str, resource_json: Any, resources_map: Any, **named: Any
    ) -> Any:
        """moto has no update for some types, and then forgets the resource."""
        present = resources_map._parsed_resources.get(logical_id)
        return update(logical_id, resource_json, resources_map, **named) or present

    parsing.parse_and_create_resource = parse_and_create_resource
    parsing.parse_and_update_resource = parse_and_update_resource


_OURS = re.compile(r"(?:(?P<bucket>[a-z0-9.-]+?)\.)?(?:s3\.)?(?:127\.0\.0\.1|localhost)(?::\d+)?")
"""Hosts of templates' URLs that are this endpoint: with a bucket before them, or in the path."""


def _read_templates(models: Any) -> None:
    from moto.cloudformation import responses

    fetch = models.get_stack_from_s3_url

    def get_stack_from_s3_url(template_url: str, account_id: str, partition: str) -> str:
        parts = urlsplit(template_url)
        if found := _OURS.fullmatch(parts.netloc):
            bucket = f"/{found['bucket']}" if found["bucket"] not in (None, "s3") else ""
            template_url = f"https://s3.amazonaws.com{bucket}{parts.path}"
        return fetch(template_url, account_id=account_id, partition=partition)

    models.get_stack_from_s3_url = get_stack_from_s3_url
    responses.get_stack_from_s3_url = get_stack_from_s3_url  # pyright: ignore[reportPrivateImportUsage]

    def read(text: Any, parameters: Any = None) -> dict[str, Any]:
        from moto.cloudformation.exceptions import ValidationError

        try:
            return parse(text, parameters)
        except InvalidTemplate as error:
            raise ValidationError(message=str(error)) from None

    def parse_of(self: Any) -> None:
        self.template_dict = read(self.template, getattr(self, "parameters", None))

    models.Stack.parse_template = staticmethod(read)
    models.Stack._parse_template = parse_of
    models.ChangeSet._parse_template = parse_of


def _resolve_parameters(parsing: Any) -> None:
    resolve = parsing.ResourceMap.parse_ssm_parameter

    def parse_ssm_parameter(self: Any, value: str, value_type: str) -> Any:
        """A parameter's value out of SSM's store. An update that keeps the previous one brings it resolved."""
        from moto.cloudformation.exceptions import ValidationError

        if parsing.ssm_backends[self._account_id][self._region_name].get_parameter(value) is not None:
            return resolve(self, value, value_type)
        if value in map(str, self.resolved_parameters.values()):
            return value
        raise ValidationError(
            message=f"Unable to fetch parameters [{value}] from parameter store for this account."
        )

    parsing.ResourceMap.parse_ssm_parameter = parse_ssm_parameter


def _roll_back(models: Any) -> None:
    create, update = models.Stack.create_resources, models.Stack.update
    execute = models.CloudFormationBackend.execute_change_set
    apply = models.ChangeSet.apply

    def create_resources(self: Any) -> None:
        try:
            create(self)
        except Exception as error:
            _fail(models, self, error, "CREATE")

    def update_stack(self: Any, *given: Any, **named: Any) -> None:
        try:
            update(self, *given, **named)
        except Exception as error:
            _fail(models, self, error, "UPDATE")

    def apply_and_show(self: Any) -> None:
        """Gives a stack its outputs when a change set was executed, as `aws cloudformation deploy` does; moto works
        them out for stacks that were made or updated directly."""
        apply(self)
        self.stack.template, self.stack.template_dict = self.template, self.template_dict
        self.stack.output_map = self.stack._create_output_map()

    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        try:
            execute(self, change_set_name, stack_name)
        except Exception as error:
            change_set = self.describe_change_set(change_set_name)
            change_set.execution_status = "EXECUTE_FAILED"
            _fail(models, self.stacks[change_set.stack_id], error, change_set.change_set_type)

    models.Stack.create_resources = create_resources
    models.Stack.update = update_stack
    models.ChangeSet.apply = apply_and_show
    models.CloudFormationBackend.execute_change_set = execute_change_set


def _fail(models: Any, stack: Any, error: Exception, doing: str) -> None:
    """Tells in the stack's events what failed, and takes away what a new stack has made already."""
    reason = str(getattr(error, "message", "") or error) or type(error).__name__
    name, kind = getattr(error, "resource", (None, None))
    if name is not None:
        stack.events.append(
            models.Event(
                stack_id=stack.stack_id,
                stack_name=stack.name,
                logical_resource_id=name,
                physical_resource_id="",
                resource_type=kind,
                resource_status=f"{doing}_FAILED",
                resource_status_reason=reason,
                resource_properties=None,
            )
        )
    logger.warning("the stack failed", stack=stack.name, resource=name, reason=reason)
    state = "ROLLBACK" if doing == "CREATE" else "UPDATE_ROLLBACK"
    told = f"The following resource(s) failed to {doing.lower()}: [{name}]. {reason}" if name else reason
    stack._add_stack_event(f"{state}_IN_PROGRESS", resource_status_reason=told)
    if doing == "CREATE":
        with contextlib.suppress(Exception):
            stack.resource_map.delete()
        # The map makes what it is asked for and has not.
        stack.resource_map._resource_json_map = {}
        stack.output_map._output_json_map = {}
    stack._add_stack_event(f"{state}_COMPLETE")
    stack.status = f"{state}_COMPLETE"
