"""One run: plan -> observe -> judge -> remember -> announce."""

from mailmon.cycle.report import AlertLine, Report
from mailmon.cycle.run import Request, run

__all__ = ["AlertLine", "Report", "Request", "run"]
