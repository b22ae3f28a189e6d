"""Retries, by stamina. Import it from here alone.

stamina tells of each retry through structlog, which writes to standard output where nobody has
configured it: in the middle of what a command answers. So it tells nobody.
"""

from stamina import retry_context
from stamina.instrumentation import set_on_retry_hooks

set_on_retry_hooks(())

__all__ = ["retry_context"]
