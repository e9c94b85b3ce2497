"""One run: plan -> observe -> judge -> remember -> announce."""

from mailmon.model.run import AlertLine, Report
from mailmon.run.run import Request, run

__all__ = ["AlertLine", "Report", "Request", "run"]
