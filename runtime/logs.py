"""The log of a worker: one structured line per event on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import structlog
from temporalio import activity, workflow

from domain.ids import WORKFLOW_PREFIX
from runtime.settings import Settings

# At INFO they log every request, and at DEBUG its content, which holds customers' data.
TALKATIVE: Final = ("stripe", "httpx", "httpcore")


def configure_logging(settings: Settings) -> None:
    """Add the order's id to every log line that concerns an order."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _order_id,
        structlog.processors.format_exc_info,
    ]
    as_json = settings.log_format == "json"
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # The order's id is in the line's fields; the SDK need not repeat it in the text.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _order_id(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Lift the order's id out of what the Temporal SDK says about its task."""
    for key in ("temporal_workflow", "temporal_activity", "temporal_log"):
        task = event.pop(key, None)
        if isinstance(task, dict):
            event["order_id"] = str(task.get("workflow_id", "")).removeprefix(WORKFLOW_PREFIX)
            event["step"] = task.get("activity_type", task.get("workflow_type"))
            event["attempt"] = task.get("attempt")
    return event
