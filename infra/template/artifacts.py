"""The bucket of artifacts, one for an account and region: a stack of its own, as it has to be there before any stage is."""

from __future__ import annotations

from typing import Any

from . import storage
from .parts import Parts, ref, sub

STACK = "stratum-artifacts"
BUCKET = "Artifacts"


def artifacts_template() -> dict[str, Any]:
    parts = Parts()
    parts.add(
        BUCKET,
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [storage.bucket_encryption(None)]},
            "BucketName": sub("stratum-artifacts-${AWS::AccountId}-${AWS::Region}"),
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "unfinished", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                    }
                ]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": storage.private(),
            "VersioningConfiguration": {"Status": "Enabled"},
        },
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )  # fmt: skip
    storage.add_transport_policy(parts, BUCKET)
    parts.output("Bucket", ref(BUCKET), "What stages are deployed from")
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Stratum: the bucket that stages are deployed from",
        "Resources": parts.resources,
        "Outputs": parts.outputs,
    }
