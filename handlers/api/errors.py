"""The errors of the API, by AWS's names and in AWS's words."""

from __future__ import annotations


class ApiError(Exception):
    """`type` is the exception's name in the API (`InvalidArn`, …); the answer's status is `status`; `fields` are
    what the answer says beside the message."""

    def __init__(self, type: str, message: str, status: int = 400, **fields: str):
        super().__init__(message)
        self.type = type
        self.message = message
        self.status = status
        self.fields = fields


def invalid_arn(reason: str) -> ApiError:
    return ApiError("InvalidArn", f"Invalid Arn: '{reason}'")


def state_machine_does_not_exist(arn: str) -> ApiError:
    return ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def execution_does_not_exist(arn: str) -> ApiError:
    return ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def validation(value: object, member: str, constraint: str) -> ApiError:
    return ApiError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}",
    )


def invalid_token(reason: str = "Invalid token") -> ApiError:
    return ApiError("InvalidToken", f"Invalid Token: '{reason}'")


def resource_not_found(message: str) -> ApiError:
    return ApiError("ResourceNotFound", message)
