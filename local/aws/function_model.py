"""What moto's model of Lambda lacks: that functions run, and a few things that they are given.

moto keeps the functions, and calls them itself where one of its services does (SNS, S3, streams, custom resources of
stacks); so what is missing is put into its classes. Importing them takes a while: `complete` is called when moto is loaded.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from ...handlers.functions import Invocation
from .invocations import Invocations

_KEPT = ("DeadLetterConfig", "LoggingConfig", "FileSystemConfigs")
"""Parts of a function's configuration that moto takes and forgets."""


def complete(invocations: Invocations, url_of: Callable[[str], str]) -> None:
    """Has functions run by `invocations`. `url_of` makes the URL of a host name below this endpoint."""
    from moto.awslambda import models

    model: Any = models.LambdaFunction
    if not hasattr(model, "stratum"):
        _complete_function(models)
        _complete_versions(models)
        model.stratum = True

    def invoke(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        text = body.decode() if isinstance(body, bytes) else body or "{}"
        result = invocations.invoke(Invocation(self.function_arn, text, str(uuid.uuid4())))
        if result.function_error:
            response_headers["x-amz-function-error"] = result.function_error
        return result.payload.encode()

    model.invoke = invoke
    config: Any = models.FunctionUrlConfig
    described = getattr(config.to_dict, "__wrapped__", config.to_dict)

    @functools.wraps(described)
    def to_dict(self: Any) -> dict[str, Any]:
        return {**described(self), "FunctionUrl": url_of(url_host(self))}

    config.to_dict = to_dict


def url_host(config: Any) -> str:
    """The host name of a function URL, below the endpoint's own."""
    return config.url.removeprefix("https://").removesuffix(".on.aws")


def _complete_function(models: Any) -> None:
    model = models.LambdaFunction
    begin, configure, update = model.__init__, model.get_configuration, model.update_configuration

    def __init__(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:  # noqa: N807
        begin(self, account_id, spec, *rest, **named)
        self.more = {name: spec[name] for name in _KEPT if spec.get(name)}

    def get_configuration(self: Any, *given: Any, **named: Any) -> dict[str, Any]:
        return {**configure(self, *given, **named), **getattr(self, "more", {})}

    def update_configuration(self: Any, updates: dict[str, Any]) -> dict[str, Any]:
        self.more = {
            **getattr(self, "more", {}),
            **{name: updates[name] for name in _KEPT if name in updates},
        }
        for name, attribute in (("TracingConfig", "tracing_config"), ("KMSKeyArn", "kms_key_arn")):
            if name in updates:
                setattr(self, attribute, updates[name])
        if "EphemeralStorage" in updates:
            self.ephemeral_storage = updates["EphemeralStorage"]["Size"]
        return update(self, updates)

    model.__init__, model.get_configuration = __init__, get_configuration
    model.update_configuration = update_configuration


def _complete_versions(models: Any) -> None:
    put = models.LambdaBackend.put_function_event_invoke_config

    def put_function_event_invoke_config(self: Any, function_name: str, config: Any) -> dict[str, Any]:
        """The newest configuration is the one that counts; moto shows the first."""
        answer = put(self, function_name, config)
        made = self.get_function(function_name)
        made.event_invoke_config[:] = made.event_invoke_config[-1:]
        return answer

    models.LambdaBackend.put_function_event_invoke_config = put_function_event_invoke_config
    update = models.LambdaAlias.update

    def update_alias(self: Any, *given: Any, **named: Any) -> None:
        update(self, *given, **named)
        self.revision_id = str(uuid.uuid4())

    models.LambdaAlias.update = update_alias
