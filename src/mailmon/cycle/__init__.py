"""One run: plan -> observe -> judge -> remember -> announce."""

from mailmon.cycle.report import AlertLine, Report
from mailmon.cycle.run import Request, run
from mailmon.cycle.topics import silenceable_names
from mailmon.cycle.unit import tell_unit_failed

__all__ = ["AlertLine", "Report", "Request", "run", "silenceable_names", "tell_unit_failed"]
