"""The handlers' log: one JSON line per event, with tenant, execution and state where there is one."""

from __future__ import annotations

import sys

from aws_lambda_powertools import Logger

# On stderr, as the output of a local command is its result alone. The level is the environment's POWERTOOLS_LOG_LEVEL: INFO where it is deployed, WARNING in the local cloud.
logger = Logger(service="stratum", stream=sys.stderr)
