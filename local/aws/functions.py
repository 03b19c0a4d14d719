"""Lambda functions that run: made through Lambda's API or by a stack, or found in folders.

What there is of a function that was made (code, versions, aliases, layers, configuration) is kept by moto; it runs in
our worker processes. A folder's function is called `module-function` and needs no making.
"""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import sys
import tempfile
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...handlers import plugins
from ...handlers.functions import FunctionNotFound, Invocation, InvokeError
from ..functions import FunctionConfig, WorkerFunctions, Workers
from ..functions.errors import NO_NODE
from ..functions.process import WorkerResult, find_node
from .messages import ACCOUNT
from .moto_services import MotoServices

MAX_UNZIPPED = 262_144_000
"""Bytes of code and layers that a function may have, as on Lambda."""


class LocalFunctions:
    """`code` is a folder for unpacked code; `folders` are looked through for functions that nobody has made;
    `layers` are folders like an unpacked layer, which every function sees."""

    def __init__(
        self,
        moto: MotoServices,
        workers: Workers,
        *,
        folders: Sequence[Path] = (),
        layers: Sequence[Path] = (),
        code: Path | None = None,
    ):
        self.workers = workers
        self._moto = moto
        self._folders = WorkerFunctions([*folders, *_search_paths(layers)], workers=workers, reload=True)
        self._has_folders = bool(folders)
        self._layers = tuple(layers)
        self._own_code = None if code is not None else tempfile.mkdtemp(prefix="stratum-code-")
        self._code = Path(code or str(self._own_code))
        self._unpacking = threading.Lock()
        self._configs: dict[tuple[str, ...], tuple[Any, FunctionConfig]] = {}

    def close(self) -> None:
        self.workers.close()
        if self._own_code:
            shutil.rmtree(self._own_code, ignore_errors=True)

    def reset(self) -> None:
        self._configs.clear()
        self.workers.forget()

    def invoke(self, invocation: Invocation, config: FunctionConfig) -> WorkerResult:
        """Runs the function, whose `config` is that of the invocation. Raises `InvokeError`."""
        if config.arn:
            invocation = replace(invocation, function=_arn(invocation))
        result = self.workers.call(config, invocation)
        payload, log = result.payload, result.log
        if config.arn and result.function_error:
            # Traces name the files where Lambda has them, so that tests may compare them.
            payload = payload.replace(config.folders[0], "/var/task")
            log = log.replace(config.folders[0], "/var/task")
        return replace(result, payload=payload, log=log, executed_version=config.version)

    def config(self, invocation: Invocation) -> FunctionConfig:
        """What an invocation runs. Raises `FunctionNotFound`, and `InvokeError` for one that cannot run here."""
        made = self.made(invocation)
        if made is not None:
            if self._reserved(made) == "0":
                raise InvokeError("Lambda.TooManyRequestsException", "Rate Exceeded.")
            return self._config_of(made)
        if self._may_be_unmade(invocation):
            return self._folders.config(invocation.function)
        raise FunctionNotFound(f"Function not found: {_arn(invocation)}")

    def _reserved(self, made: Any) -> str:
        """The concurrency that is reserved for a function, and for its versions and aliases with it."""
        backend = self._moto.backend("lambda", made.account_id, made.region)
        return str(backend.get_function(made.function_name).reserved_concurrency)

    def _may_be_unmade(self, invocation: Invocation) -> bool:
        """Whether the function may be had without anybody having made it: out of a folder, or as a plug-in."""
        return self._has_folders or plugins.find(parse(invocation)[0]) is not None

    # -- made through the API --------------------------------------------------------------------------

    def load(self) -> None:
        """Has what was made be there. Raises `MissingMoto`."""
        self._moto.load()

    def made(self, invocation: Invocation) -> Any:
        """moto's model of the function, or None for one that only a folder or a plug-in may have. Raises `FunctionNotFound`."""
        if not self._moto.loaded:
            return None
        name, qualifier, account, region = parse(invocation)
        backend = self._moto.backend("lambda", account, region)
        try:
            if qualifier is not None and not qualifier[0].isdigit() and qualifier[0] != "$":
                qualifier = _version_of(backend.get_alias(qualifier, name))
            return backend.get_function(name, qualifier)
        except Exception as error:
            # moto's own exceptions for a function, a version or an alias that is not there
            if getattr(error, "code", 0) in (404, 400) or type(error).__name__.startswith("Unknown"):
                if qualifier is None and self._may_be_unmade(invocation):
                    return None
                raise FunctionNotFound(f"Function not found: {_arn(invocation)}") from None
            raise

    def dead_letter_target(self, invocation: Invocation) -> str | None:
        """The ARN of the function's queue or topic for events that it failed on."""
        more = getattr(self.made(invocation), "more", {})
        return more.get("DeadLetterConfig", {}).get("TargetArn")

    def _config_of(self, made: Any) -> FunctionConfig:
        key = (made.account_id, made.region, made.function_name, str(made.version))
        state = (
            made.code_sha_256, made.handler, made.run_time, made.timeout, made.memory_size,
            tuple(sorted((made.environment_vars or {}).items())), tuple(layer["Arn"] for layer in made.layers),
        )  # fmt: skip
        known = self._configs.get(key)
        if known is not None and known[0] == state:
            return known[1]
        if (refusal := unsupported(made.run_time)) is not None:
            raise InvokeError("Lambda.InvalidRuntimeException", f"{made.function_name}: {refusal}")
        node = str(made.run_time).startswith("nodejs")
        module, _, attribute = (made.handler or "").rpartition(".")
        code = self._unpacked(made.code_bytes)
        backend = self._moto.backend("lambda", made.account_id, made.region)
        layers = [
            self._unpacked(backend.layers_versions_by_arn(layer["Arn"]).code_bytes)
            for layer in reversed(made.layers)
        ]
        config = FunctionConfig(
            made.function_name,
            module if node else module.replace("/", "."),
            attribute,
            tuple(map(str, (code, *_search_paths([*layers, *self._layers], node=node)))),
            arn=made.function_arn,
            version=str(made.version),
            runtime=made.run_time,
            timeout=float(made.timeout),
            memory=int(made.memory_size),
            memory_limited=True,
            environ=self._environment(made),
            revision=hashlib.sha256(repr(state).encode()).hexdigest(),
        )
        self._configs[key] = (state, config)
        return config

    def _environment(self, made: Any) -> tuple[tuple[str, str], ...]:
        variables = {
            "AWS_REGION": made.region,
            "AWS_DEFAULT_REGION": made.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{made.run_time}",
            **{name: str(value) for name, value in (made.environment_vars or {}).items()},
        }
        if made.account_id != ACCOUNT:
            # What the function calls is called in its own account: the access key says which.
            variables["AWS_ACCESS_KEY_ID"] = made.account_id
        return tuple(sorted(variables.items()))

    def _unpacked(self, content: bytes) -> Path:
        """The folder with the content of an archive; made once."""
        folder = self._code / hashlib.sha256(content).hexdigest()[:32]
        with self._unpacking:
            if not folder.exists():
                self._code.mkdir(parents=True, exist_ok=True)
                made = Path(tempfile.mkdtemp(prefix="unpacking-", dir=self._code))
                try:
                    _unpack(content, made)
                    made.rename(folder)
                except BaseException:
                    shutil.rmtree(made, ignore_errors=True)
                    raise
        return folder


def unsupported(runtime: str | None) -> str | None:
    """Why functions of that runtime (None: in a container image) do not run here; None where they do."""
    if runtime is not None and runtime.startswith("python"):
        return None
    if runtime is not None and runtime.startswith("nodejs"):
        return None if find_node() else f"the runtime {runtime} does not run here: {NO_NODE}"
    return f"the runtime {runtime or 'of a container image'} does not run here: python3.* and nodejs* do"


def _version_of(alias: Any) -> str:
    """The version that an alias leads to this time: those beside its own have shares of the calls."""
    shares = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    drawn = random.random() if shares else 1.0
    for version, share in shares.items():
        drawn -= float(share)
        if drawn < 0:
            return str(version)
    return str(alias.function_version)


def parse(invocation: Invocation) -> tuple[str, str | None, str, str]:
    """Name, qualifier, account and region of the function that is meant, by any of the ways to write it."""
    parts = invocation.function.split(":")
    account, region = invocation.account, invocation.region
    if parts[0] == "arn" and len(parts) >= 7:
        region, account, parts = parts[3], parts[4], parts[6:]
    elif len(parts) >= 3 and parts[1] == "function":
        account, parts = parts[0], parts[2:]
    qualifier = parts[1] if len(parts) > 1 and parts[1] else None
    return parts[0], qualifier, account, region


def _arn(invocation: Invocation) -> str:
    name, qualifier, account, region = parse(invocation)
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def _search_paths(layers: Sequence[Path], *, node: bool = False) -> list[Path]:
    """Where layers have their packages. See the AWS Lambda guide, "Packaging your layer content"."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = ["nodejs/node_modules"] if node else ["python", f"python/lib/{version}/site-packages"]
    return [path for layer in layers for place in places if (path := layer / place).is_dir()]


def _unpack(content: bytes, folder: Path) -> None:
    """Raises `InvokeError` for what is no archive, or is larger than it may be."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MAX_UNZIPPED:
                raise InvokeError(
                    "Lambda.CodeStorageExceededException", f"the code has more than {MAX_UNZIPPED} bytes"
                )
            # `extractall` keeps every name within the folder.
            archive.extractall(folder)
            for each in archive.infolist():
                if mode := each.external_attr >> 16 & 0o777:
                    path = folder / each.filename
                    if path.is_file():
                        path.chmod(mode | 0o600)
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise InvokeError("Lambda.InvalidZipFileException", f"the code is no zip archive: {error}") from None
