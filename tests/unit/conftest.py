"""Property tests draw the same examples each time; HYPOTHESIS_PROFILE=explore draws many others."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

# A shared machine pauses a test at any moment: how long an example took says nothing.
settings.register_profile(
    "stable",
    derandomize=True,
    deadline=None,
    max_examples=60,
    # All but explaining, which can take longer than the whole test run.
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("stable"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "stable"))
