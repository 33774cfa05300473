"""For the author's tools: tells the host where each of the author's functions begins and ends, or each line that is run."""

import sys

#: The parameter by which the host asks; no activity can have one of that name.
ASKED = "care:profile"
#: What is in these files is not the author's.
OTHERS = ("<", "care_sdk", "care_entry", "componentize_py", "python3", "wit_world")
#: How often nothing is told, so that the host knows what telling costs.
TIMES = 8


def begin(log, what):
    """From here on every function is told (``(`` is where telling begins, ``>`` and ``<`` where a function does and ends, ``=``
    is nothing), or every line (``@``)."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return
    monitoring.use_tool_id(monitoring.PROFILER_ID, "care")
    if what == "lines":
        _lines(log, monitoring)
    else:
        _functions(log, monitoring)


def _is_own(code):
    return not any(other in code.co_filename for other in OTHERS)


def _place(code, line):
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{line} {code.co_name}"


def _lines(log, monitoring):
    def ran(code, line):
        if not _is_own(code):
            return monitoring.DISABLE
        log("care-profile @ " + _place(code, line))

    monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.LINE, ran)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.LINE)


def _functions(log, monitoring):
    def note(mark):
        log("care-profile (")
        log("care-profile " + mark)

    def entered(code, _):
        if not _is_own(code):
            return monitoring.DISABLE
        note("> " + _place(code, code.co_firstlineno))

    def left(code, _, __):
        if not _is_own(code):
            return monitoring.DISABLE
        note("<")

    def unwound(code, _, __):
        if _is_own(code):
            note("<")

    events = monitoring.events
    for event in (events.PY_START, events.PY_RESUME):
        monitoring.register_callback(monitoring.PROFILER_ID, event, entered)
    for event in (events.PY_RETURN, events.PY_YIELD):
        monitoring.register_callback(monitoring.PROFILER_ID, event, left)
    monitoring.register_callback(monitoring.PROFILER_ID, events.PY_UNWIND, unwound)
    for _ in range(TIMES):
        note("=")
    every = events.PY_START | events.PY_RESUME | events.PY_RETURN | events.PY_YIELD | events.PY_UNWIND
    monitoring.set_events(monitoring.PROFILER_ID, every)
