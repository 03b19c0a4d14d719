"""A zip file that depends on its content alone: names in order, one date for all, the same attributes everywhere."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import marshal
import sys
import zipfile
from collections.abc import Mapping

_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""
_MODE = 0o100644
_MARSHAL = 2
_UNZIPPED = 262_144_000
"""Bytes that a function's code may have, unpacked: Lambda's quota."""


class TooLarge(ValueError):
    """Lambda would not take the code."""


def archive(files: Mapping[str, bytes]) -> bytes:
    """Files by their path, with `/` between its parts. Raises `TooLarge`."""
    size = sum(map(len, files.values()))
    if size > _UNZIPPED:
        raise TooLarge(f"the code has {size} bytes, and Lambda takes {_UNZIPPED} at the most")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = 3, _MODE << 16
            made.writestr(info, files[name], zipfile.ZIP_DEFLATED, 9)
    return content.getvalue()


def digest(content: bytes) -> str:
    """Names the content: in keys of S3, and in the names of versions."""
    return hashlib.sha256(content).hexdigest()[:32]


def with_bytecode(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files, and each module compiled by this Python: Lambda's file system is read-only, so that it would compile all
    of them again at every cold start. The bytecode is not checked against its source, which cannot change there.
    """
    made = dict(files)
    for name in sorted(files):
        if not name.endswith(".py"):
            continue
        try:
            code = compile(files[name], f"/var/task/{name}", "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            continue  # a template or a test of some package: nobody imports it
        folder, _, file = name.rpartition("/")
        cached = f"{folder}/__pycache__" if folder else "__pycache__"
        header = (
            importlib.util.MAGIC_NUMBER
            + (0b01).to_bytes(4, "little")
            + importlib.util.source_hash(files[name])
        )
        # Later versions of the format say which constants are referred to from anywhere in this process, which differs from run to run.
        body = marshal.dumps(code, _MARSHAL)
        made[f"{cached}/{file[:-3]}.{sys.implementation.cache_tag}.pyc"] = header + body
    return made
