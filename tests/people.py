"""People of the tests: whoever runs them may be an agent, and then some things are refused, as they are meant to be."""

from __future__ import annotations

import pytest
from stratum.local import people

BY_A_PERSON = pytest.mark.skipif(
    people.agent_above() is not None, reason="an agent runs these tests, and its commands decide no gate"
)
