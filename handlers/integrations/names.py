"""Names as Step Functions spells them: those of AWS's SDK for Java, with a capital.

`aws-sdk:` tasks follow version 2 of that SDK (`DbInstanceIdentifier`, `Md5OfBody`, `S3.NoSuchKeyException`), the
optimized ones the API's own spelling with a capital (`TaskDefinition`, `BOOL`). See the AWS guide, "Learning to use AWS
service SDK integrations in Step Functions", for the rule, and the SDK's code generator for what it makes of a name.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Members that the SDK renames, as Java has these words for something else.
_RENAMED = {"Equals": "EqualsValue", "NULL": "Nul"}


@lru_cache(maxsize=4096)
def sdk_name(member: str) -> str:
    """A member of an API's shape: `dbInstances` and `DBInstances` are both `DbInstances`, `ETag` stays."""
    if member in _RENAMED:
        return _RENAMED[member]
    head = 1
    while head < len(member) and member[head].isupper():
        if head + 1 < len(member) and member[head + 1].islower():
            break
        head += 1
    return member[:1].upper() + member[1:head].lower() + member[head:]


def capital(member: str) -> str:
    """The API's own spelling, with a capital."""
    return member[:1].upper() + member[1:]


@lru_cache(maxsize=512)
def service_title(service_id: str) -> str:
    """A service in error names: `DynamoDB` is `DynamoDb`, `ACM PCA` is `AcmPca`, `S3` stays."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", service_id)
    words = re.sub(r"(?<=[a-z])(?=[A-Z][A-Za-z])", " ", words)
    words = re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", " ", words)
    return "".join(word[:1].upper() + word[1:].lower() for word in words.split())


def exception_name(shape: str, *, legacy: bool) -> str:
    """An error's shape as an exception: `NoSuchKey` is `NoSuchKeyException`, `DBInstanceNotFoundFault` is
    `DbInstanceNotFoundException` or, in the SDK's version 1, `DBInstanceNotFoundException`."""
    name = re.sub(r"[^A-Za-z0-9]", "", shape) if legacy else service_title(shape)
    if name.endswith("Exception"):
        return name
    return f"{name.removesuffix('Fault')}Exception"
