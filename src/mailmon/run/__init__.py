"""One run: plan -> execute -> evaluate -> save -> deliver -> outputs."""

from mailmon.model.run import AlertLine, RunResult
from mailmon.run.run import Request, run

__all__ = ["AlertLine", "Request", "RunResult", "run"]
