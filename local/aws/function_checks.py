"""Functions that could be made and never run are refused when they are made or changed."""

from __future__ import annotations

import base64
import binascii
import io
import json
import zipfile
from typing import Any

from .functions import unsupported
from .messages import Request, Response, json_response

_FUNCTIONS = "/2015-03-31/functions"


def function_given(request: Request) -> dict[str, Any] | None:
    """What the request says of a function that it makes or changes; None for any other request."""
    if request.method not in ("POST", "PUT") or not request.path.startswith(_FUNCTIONS):
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def refusal(request: Request, given: dict[str, Any]) -> Response | None:
    """Lambda's answer to a function that cannot be; None for one that can."""
    making = request.path.rstrip("/") == _FUNCTIONS
    runtime = given.get("Runtime")
    if runtime is not None or making:
        image = given.get("PackageType") == "Image" or not runtime
        if (reason := unsupported(None if image else str(runtime))) is not None:
            return _refused(f"{given.get('FunctionName', 'the function')}: {reason}")
    archive = given.get("Code", {}).get("ZipFile") if making else given.get("ZipFile")
    if isinstance(archive, str) and not _is_zip(archive):
        return _refused("Could not unzip uploaded file. Please check your file, then try to upload again.")
    return None


def _is_zip(archive: str) -> bool:
    try:
        return zipfile.is_zipfile(io.BytesIO(base64.b64decode(archive)))
    except (binascii.Error, ValueError):
        return False


def _refused(message: str) -> Response:
    return json_response(
        400, {"Type": "User", "message": message}, x_amzn_errortype="InvalidParameterValueException"
    )
