"""One run: plan -> observe -> judge -> remember -> announce."""

from mailmon.model.run import AlertLine, RunResult
from mailmon.run.run import Request, run

__all__ = ["AlertLine", "Request", "RunResult", "run"]
