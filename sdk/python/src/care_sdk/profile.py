"""For ``care plugin simulate --profile``: tells the host where each of the author's functions begins and ends."""

import sys

#: The parameter by which the host asks; no activity can have one of that name.
ASKED = "care:profile"
#: What is in these files is not the author's.
OTHERS = ("<", "care_sdk", "care_entry", "componentize_py", "python3", "wit_world")
#: How often nothing is told, so that the host knows what telling costs.
TIMES = 8


def begin(log):
    """From here on every function is told: ``(`` is where telling begins, ``>`` and ``<`` where a function does and ends,
    ``=`` is nothing."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return

    def note(mark):
        log("care-profile (")
        log("care-profile " + mark)

    def is_own(code):
        return not any(other in code.co_filename for other in OTHERS)

    def entered(code, _):
        if not is_own(code):
            return monitoring.DISABLE
        note(f"> {code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno} {code.co_name}")

    def left(code, _, __):
        if not is_own(code):
            return monitoring.DISABLE
        note("<")

    def unwound(code, _, __):
        if is_own(code):
            note("<")

    events = monitoring.events
    monitoring.use_tool_id(monitoring.PROFILER_ID, "care")
    for event in (events.PY_START, events.PY_RESUME):
        monitoring.register_callback(monitoring.PROFILER_ID, event, entered)
    for event in (events.PY_RETURN, events.PY_YIELD):
        monitoring.register_callback(monitoring.PROFILER_ID, event, left)
    monitoring.register_callback(monitoring.PROFILER_ID, events.PY_UNWIND, unwound)
    for _ in range(TIMES):
        note("=")
    every = events.PY_START | events.PY_RESUME | events.PY_RETURN | events.PY_YIELD | events.PY_UNWIND
    monitoring.set_events(monitoring.PROFILER_ID, every)
