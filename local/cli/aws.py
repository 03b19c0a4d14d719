"""What the commands for AWS share: clients of the account that is meant, and errors told without a traceback."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

from .problem import WrongRequest

Command = Callable[[argparse.Namespace], int]


def clients(options: argparse.Namespace) -> Callable[[str], Any]:
    """Makes boto3's clients, each once, for `--profile` and `--region`. Raises `WrongRequest`."""
    return clients_of(options.profile, options.region)


def clients_of(profile: str | None, region: str | None) -> Callable[[str], Any]:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise WrongRequest("AWS needs boto3: pip install 'stratum-workflows[aws]'") from None
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise WrongRequest(str(error)) from None
    if session.region_name is None:
        raise WrongRequest("AWS has no region: give --region, or set AWS_REGION or one in the profile")
    return functools.cache(lambda service: session.client(service))


def reported(command: Command) -> Command:
    """The command, whose refusals by AWS are told like any other."""

    @functools.wraps(command)
    def run(options: argparse.Namespace) -> int:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise WrongRequest("AWS needs boto3: pip install 'stratum-workflows[aws]'") from None
        try:
            return command(options)
        except ClientError as error:
            told = error.response.get("Error", {})
            raise WrongRequest(
                f"AWS refused {error.operation_name}: {told.get('Code')}: {told.get('Message')}"
            ) from None
        except BotoCoreError as error:
            raise WrongRequest(f"AWS cannot be asked: {error}") from None

    return run
