"""The functions of the contract over any host: a batch of columns in, an activity's answers out."""

import difflib
import json

from . import profile
from .activity import Moments, Selected
from .row import kebab, rows_of
from .tally import Outcome, Tally


class RuleError(Exception):
    """What a rule raised, with the row that made it."""

    def __init__(self, row, error):
        super().__init__(f"row {row}: {type(error).__name__}: {error}")
        self.__cause__ = error


def prepared(activity, host):
    """The activity with the facts of the run."""
    made = activity()
    made.today, made.now, made.params = host.today(), host.now(), json.loads(host.params())
    asked = made.params.pop(profile.ASKED, False)
    made.tables = {}
    for entry in activity.reference:
        rows = list(rows_of(host, entry))
        if None in rows:
            row = rows.index(None)
            raise ValueError(
                f"row {row} of reference table {entry.table!r} lacks a value; fill it and import the table again"
            )
        made.tables[entry.table] = rows
    made.prepare()
    if asked:
        profile.begin(host.log, asked)
    return made


def select(activity, host):
    """``targeting.select``: rows, reasons, occasions and scores."""
    made = prepared(activity, host)
    reasons = {name: index for index, name in enumerate(activity.reasons)}
    rows, whys, occasions, scores = [], [], [], []
    for row, who in enumerate(rows_of(host, activity.target, tables=made.tables)):
        if who is None:
            continue
        try:
            selected = made.select(who)
            if not selected:
                continue
            why, occasion, score = _checked(selected, reasons)
        except Exception as error:
            raise RuleError(row, error) from error
        rows.append(row)
        whys.append(why)
        occasions.append(occasion)
        scores.append(score)
    return rows, whys, occasions, scores


def _checked(selected, reasons):
    if not isinstance(selected, Selected):
        raise TypeError(f"select returned {selected!r}; return Selected(reason, occasion, score) or None")
    if selected.reason not in reasons:
        raise ValueError(f"select chose for reason {selected.reason!r}, which the activity does not declare"
                         + _nearest(selected.reason, reasons))
    score = selected.score
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise ValueError(f"the score is {score!r}, which is not within 0 to 1")
    return reasons[selected.reason], _whole("the occasion", selected.occasion), float(score)


def _whole(what, value):
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} is {value!r}, which is no whole number")
    if not -(2**63) <= value < 2**63:
        raise OverflowError(f"{what} is {value}, which 64 bits do not hold")
    return value


def _nearest(wrong, known):
    near = difflib.get_close_matches(str(wrong), list(known), 3, 0.5)
    return f"; nearest: {', '.join(near)}" if near else f"; known: {', '.join(known)}"


def _later(activity, host, made, row_class, reasons, rule):
    """Calls a rule of a later stage for each selected row."""
    for row, (who, reason) in enumerate(zip(rows_of(host, row_class, tables=made.tables), reasons)):
        try:
            if who is None:
                raise ValueError("it was chosen but lacks a value that a later stage requires")
            rule(row, who, activity.reasons[reason])
        except Exception as error:
            raise RuleError(row, error) from error


def schedule(activity, host, reasons):
    """``timing.schedule``: the moments of each row."""
    made = prepared(activity, host)
    not_before, not_after = [], []

    def rule(_, who, reason):
        useful = made.schedule(who, reason)
        if not isinstance(useful, Moments):
            raise TypeError(f"schedule returned {useful!r}; return Moments(not_before, not_after)")
        until = _whole("not_after", useful.not_after)
        # A plan made after the last useful instant is too late, which is for the host to say; it is no fault.
        not_before.append(min(_whole("not_before", useful.not_before), until))
        not_after.append(until)

    _later(activity, host, made, activity.timing, reasons, rule)
    return not_before, not_after


def compose(activity, host, reasons):
    """``content.compose``: rows, templates, and for each slot its offsets and bytes."""
    made = prepared(activity, host)
    templates = {name: index for index, name in enumerate(activity.templates)}
    slots = {name: ([0], bytearray()) for name in activity.slots}
    rows, said = [], []

    def rule(row, who, reason):
        def say(template, **values):
            if template not in templates:
                raise ValueError(f"it says template {template!r}, which the activity does not declare"
                                 + _nearest(template, templates))
            filled = {kebab(key): value for key, value in values.items()}
            for key in filled:
                if key not in slots:
                    raise ValueError(f"it fills slot {key!r}, which the activity does not declare" + _nearest(key, slots))
            rows.append(row)
            said.append(templates[template])
            for name, (offsets, text) in slots.items():
                value = filled.get(name, "")
                text += (value if isinstance(value, str) else str(_whole(f"slot {name}", value))).encode()
                offsets.append(len(text))

        made.compose(who, reason, say)

    _later(activity, host, made, activity.content, reasons, rule)
    return rows, said, [(offsets, bytes(text)) for offsets, text in slots.values()]


def observe(activity, host, state):
    """``evaluation.observe``"""
    tally, made = Tally.from_state(state), activity()
    for row, outcome in enumerate(rows_of(host, Outcome)):
        if outcome is not None:
            try:
                made.measure(outcome, tally)
            except Exception as error:
                raise RuleError(row, error) from error
    return tally.to_state()


def merge(left, right):
    """``evaluation.merge``"""
    return Tally.from_state(left).merge(Tally.from_state(right)).to_state()
