"""Templates as data: JSON or YAML, with the short forms of functions, and with what SAM adds written out."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import yaml

from .. import managed_policies

SAM = "AWS::Serverless-2016-10-31"


class InvalidTemplate(Exception):
    """The text is no template, or SAM has refused it."""


class MissingSam(InvalidTemplate):
    """The package with SAM's transform is not installed."""


class _Loader(yaml.SafeLoader):
    """Nothing is built but data. Dates stay text: `Version: 2012-10-17` is one."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: Any, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if tag == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def parse(text: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """The template of `text`, where SAM's resources have become CloudFormation's. Raises `InvalidTemplate`."""
    try:
        template = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise InvalidTemplate(f"Template format error: {error}") from None
    if not isinstance(template, dict):
        raise InvalidTemplate("Template format error: unsupported structure.")
    transform = template.get("Transform")
    if transform == SAM or (isinstance(transform, list) and SAM in transform):
        return _without_sam(template, parameters or {})
    return template


def _without_sam(template: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    # SAM asks boto3 for a region, which only stands in a few names of AWS's own.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that nobody gathers
    try:
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.translator.transform import transform
    except ImportError:
        raise MissingSam(
            f"the transform {SAM} needs SAM's translator: pip install 'stratum-workflows[local]'"
        ) from None
    try:
        return transform(template, dict(parameters), _ManagedPolicies())  # pyright: ignore[reportArgumentType]
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise InvalidTemplate(f"Transform {SAM} failed with: {causes or error.message}") from None


class _ManagedPolicies:
    """AWS's managed policies by name, as SAM asks IAM for them."""

    def load(self) -> dict[str, str]:
        return managed_policies.arns_by_name()
