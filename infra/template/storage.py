"""The table and the bucket: what must not get lost. A stack that is deleted leaves both."""

from __future__ import annotations

from typing import Any

from ...handlers.store.table import table_definition
from ..plan import Deployment
from .parts import Parts, att, ref, sub

TABLE, BUCKET = "Table", "Bucket"
TTL = "expires"
"""The attribute that DynamoDB deletes items by."""
_KEEP = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def add(parts: Parts, deployment: Deployment) -> None:
    settings = deployment.settings
    given = table_definition("")
    properties: dict[str, Any] = {key: value for key, value in given.items() if key != "TableName"}
    encryption: dict[str, Any] = {"SSEEnabled": True}
    if settings.kms_key is not None:
        encryption |= {"SSEType": "KMS", "KMSMasterKeyId": settings.kms_key}
    parts.add(
        TABLE,
        "AWS::DynamoDB::Table",
        {
            **properties,
            "DeletionProtectionEnabled": settings.protected,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": encryption,
            "StreamSpecification": {"StreamViewType": "KEYS_ONLY"} if settings.target == "engine" else None,
            "TimeToLiveSpecification": {"AttributeName": TTL, "Enabled": True},
        },
        **_KEEP,
    )
    parts.add(
        BUCKET,
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [bucket_encryption(settings.kms_key)]},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "what-was-replaced", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                    }
                ]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": private(),
            "VersioningConfiguration": {"Status": "Enabled"},
        },
        **_KEEP,
    )  # fmt: skip
    add_transport_policy(parts, BUCKET)
    parts.output("TableName", ref(TABLE), "The table with everything that happens")
    parts.output("BucketName", ref(BUCKET), "The bucket with what is too large for the table")


def bucket_encryption(kms_key: str | None) -> dict[str, Any]:
    if kms_key is None:
        return {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key},
    }


def private() -> dict[str, bool]:
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return dict.fromkeys(names, True)


def add_transport_policy(parts: Parts, bucket: str) -> None:
    """Requests without TLS are refused."""
    parts.add(
        f"{bucket}Policy",
        "AWS::S3::BucketPolicy",
        {
            "Bucket": ref(bucket),
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                        "Resource": [att(bucket), sub("${" + bucket + ".Arn}/*")],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            },
        },
    )  # fmt: skip


def store_url() -> Any:
    """The address of the store, for handlers."""
    return sub("dynamodb://${Table}?region=${AWS::Region}&bucket=${Bucket}")
