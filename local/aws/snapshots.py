"""moto's state in a file, from one start to the next.

moto keeps everything in memory. What it holds is written as one pickle when it has changed, every few seconds, and
read before the first request of the next start. So an end by `kill -9` loses the last seconds of other services;
executions are in the store and lose nothing. A pickle runs what it says: this one is read from the user's own folder.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import platform
import threading
import time
import weakref
from collections import defaultdict
from pathlib import Path
from typing import Any

from ...handlers.logs import logger

_EVERY = 2.0
"""Seconds between two writes; more where a write takes long."""
_SHARE = 20
"""A write takes at most about one part in so many of the time."""


class UnreadableSnapshot(Exception):
    """The file is no snapshot, or of a moto that had other models."""


class Snapshots:
    """Writes what moto holds to `path` while `changed` is called, and reads it back."""

    def __init__(self, path: Path):
        self.path = path
        self._dirty = threading.Event()
        self._closed = threading.Event()
        self._writing = threading.Lock()
        self._unkept: set[str] = set()
        self._thread: threading.Thread | None = None

    @property
    def there(self) -> bool:
        return self.path.exists()

    def changed(self) -> None:
        self._dirty.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="stratum-snapshots", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Writes what has not been written yet."""
        self._closed.set()
        if self._dirty.is_set():
            self.write()

    def forget(self) -> None:
        with self._writing:
            self._dirty.clear()
            self.path.unlink(missing_ok=True)

    def write(self) -> None:
        with self._writing:
            self._dirty.clear()
            content = self._content()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            written = self.path.with_suffix(".new")
            with written.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            written.replace(self.path)

    def read(self) -> None:
        """Gives moto what was written. Raises `UnreadableSnapshot`."""
        if not self.path.exists():
            return
        try:
            with self.path.open("rb") as file:
                pickle.load(file)
                state = pickle.load(file)
        except Exception as error:
            raise UnreadableSnapshot(
                f"{self.path} cannot be read ({type(error).__name__}: {error}); it was written by {_written_by(self.path)}, "
                f"this is {_here()}. Move it away to begin with empty services: executions are not in it"
            ) from None
        for module, accounts, extra in state:
            _restore(module, accounts, extra)

    def _run(self) -> None:
        pause = _EVERY
        while not self._closed.is_set():
            self._dirty.wait()
            if self._closed.wait(pause):
                return
            began = time.monotonic()
            try:
                self.write()
            except Exception as error:
                logger.error(
                    "the state of other services is not kept", reason=f"{type(error).__name__}: {error}"
                )
            pause = max(_EVERY, (time.monotonic() - began) * _SHARE)

    def _content(self) -> bytes:
        for attempt in range(6):
            state = [each for each in _state() if each[0] not in self._unkept]
            try:
                return pickle.dumps({"by": _here()}) + _dump(state)
            except RuntimeError:
                # Somebody has changed what was being gone through.
                time.sleep(0.05 * (attempt + 1))
            except Exception:
                unkept = _unpicklable(state)
                if not unkept:
                    raise
                for module, reason in unkept.items():
                    logger.warning("not kept over restarts", service=module.split(".")[1], reason=reason)
                self._unkept |= unkept.keys()
        raise RuntimeError("the services are changed all the time")


def _here() -> str:
    from moto import __version__

    return f"moto {__version__} on Python {platform.python_version()}"


def _written_by(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return str(pickle.load(file)["by"])
    except Exception:
        return "nobody knows"


State = list[tuple[str, dict[str, dict[str, Any]], dict[str, Any]]]


def _state() -> State:
    """For each service in use: its module, its backends by account and region, and what else its index knows."""
    from moto.core.base_backend import BackendDict

    found: State = []
    instances: list[Any] = BackendDict._instances  # pyright: ignore[reportGeneralTypeIssues]
    for index in list(instances):
        accounts = {account: dict(dict.items(regions)) for account, regions in list(dict.items(index))}
        extra = {
            name: value
            for name, value in vars(index).items()
            if name not in ("backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id")
        }
        if any(accounts.values()):
            found.append((index.backend.__module__, accounts, extra))
    return found


def _restore(module: str, accounts: dict[str, dict[str, Any]], extra: dict[str, Any]) -> None:
    backends = [backend for regions in accounts.values() for backend in regions.values()]
    index = _index_of(module, type(backends[0])) if backends else None
    if index is None:
        return
    for account, regions in accounts.items():
        for region, backend in regions.items():
            dict.__setitem__(index[account], region, backend)
    for name, value in extra.items():
        setattr(index, name, value)


def _index_of(module: str, backend: type) -> Any:
    from moto.core.base_backend import BackendDict

    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, BackendDict) and value.backend is backend:
            return value
    return None


def _unpicklable(state: State) -> dict[str, str]:
    """The modules of services that cannot be written, and why."""
    found: dict[str, str] = {}
    for each in state:
        try:
            _dump([each])
        except RuntimeError:
            continue
        except Exception as error:
            found[each[0]] = f"{type(error).__name__}: {error}"
    return found


def _dump(state: State) -> bytes:
    import cloudpickle

    lock, rlock = type(threading.Lock()), type(threading.RLock())

    class Pickler(cloudpickle.Pickler):
        def reducer_override(self, obj: Any) -> Any:
            kind = type(obj)
            if kind is lock:
                return threading.Lock, ()
            if kind is rlock:
                return threading.RLock, ()
            if kind is weakref.WeakValueDictionary:
                return weakref.WeakValueDictionary, (dict(obj),)
            if issubclass(kind, defaultdict) and kind is not defaultdict:
                return _defaultdict, (kind, obj.default_factory), obj.__dict__, None, iter(obj.items())
            if kind.__module__.startswith("cryptography."):
                return _key(obj) or super().reducer_override(obj)
            return super().reducer_override(obj)

    content = io.BytesIO()
    Pickler(content, protocol=5).dump(state)
    return content.getvalue()


def _defaultdict(kind: Any, factory: Any) -> Any:
    """One of a class whose constructor takes other arguments than `defaultdict`'s."""
    made = kind.__new__(kind)
    defaultdict.__init__(made, factory)
    return made


def _key(obj: Any) -> Any:
    """Keys and certificates in the form in which they are exchanged."""
    from cryptography.hazmat.primitives import serialization as form

    if hasattr(obj, "private_bytes"):
        pem = obj.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        return _private_key, (pem,)
    if hasattr(obj, "public_bytes") and hasattr(obj, "verify"):
        pem = obj.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        return form.load_pem_public_key, (pem,)
    return None


def _private_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization as form

    return form.load_pem_private_key(pem, None)
