"""What a state machine or an activity is set to besides its definition: logging, tracing, encryption."""

from __future__ import annotations

from typing import Any

from ..runtime import Runtime
from .errors import ApiError
from .parameters import Parameters

AWS_OWNED = {"type": "AWS_OWNED_KEY"}
FIELDS = ("logging", "tracing", "encryption")


def read_settings(runtime: Runtime, parameters: Parameters) -> dict[str, Any]:
    """Logging, tracing and encryption, as they are stored."""
    read: dict[str, Any] = {}
    logging = parameters.get("loggingConfiguration")
    if logging is not None:
        read["logging"] = _logging(runtime, logging)
    tracing = parameters.get("tracingConfiguration")
    if tracing is not None:
        read["tracing"] = {"enabled": bool(tracing.get("enabled", False))}
    encryption = parameters.get("encryptionConfiguration")
    if encryption is not None:
        read["encryption"] = encrypted(encryption)
    return read


def encrypted(given: dict[str, Any]) -> dict[str, Any]:
    """The encryption that is asked for, told and kept; what is stored here is not encrypted by it."""
    if given["type"] == "AWS_OWNED_KEY":
        if given.get("kmsKeyId") is not None:
            raise _invalid_encryption("Custom kmsKeyId is not allowed when selecting AWS_OWNED_KEY.")
        return AWS_OWNED
    if given.get("kmsKeyId") is None:
        raise _invalid_encryption("Must set a valid kmsKeyId.")
    reuse = given.get("kmsDataKeyReusePeriodSeconds") or 300
    return {"kmsKeyId": given["kmsKeyId"], "kmsDataKeyReusePeriodSeconds": reuse, "type": given["type"]}


def _invalid_encryption(reason: str) -> ApiError:
    return ApiError("InvalidEncryptionConfiguration", f"Invalid Encryption Configuration: {reason}")


def _logging(runtime: Runtime, given: Any) -> dict[str, Any]:
    level = given.get("level") or "OFF"
    destinations = given.get("destinations")
    if len(destinations or []) > 1 or (level != "OFF" and not destinations):
        raise _invalid_logging("Must specify exactly one Log Destination.")
    for destination in destinations or []:
        _check_log_group((destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn"))
    if level != "OFF":
        from ..execution_logs import destination_exists, log_group

        group = log_group(given)
        if group is None or not destination_exists(runtime, group):
            raise ApiError(
                "InvalidLoggingConfiguration",
                "Invalid Logging Configuration: Log Destination not found.",
            )
    logging = {"level": level, "includeExecutionData": bool(given.get("includeExecutionData", False))}
    if destinations is not None:
        logging["destinations"] = destinations
    return logging


def _check_log_group(arn: str | None) -> None:
    if arn is None:
        raise _invalid_logging("Must set valid CloudWatch Log Group ARN.")
    parts = arn.split(":")
    if len(parts) < 7 or parts[0] != "arn" or (parts[2], parts[5]) != ("logs", "log-group"):
        raise _invalid_logging("Provided ARN is not CloudWatch Logs Log Group ARN.")
    if parts[7:] != ["*"]:
        raise _invalid_logging("Log Group ARN must be provided with '*' qualifier.")


def _invalid_logging(reason: str) -> ApiError:
    return ApiError("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {reason}")
