"""What an author writes: an activity, and the few words its rules answer in."""

import typing

from .row import Row
from .tally import Outcome


class Selected(typing.NamedTuple):
    """Why and how urgently a customer is chosen; the same customer is contacted once for the same occasion."""

    reason: str
    occasion: int
    score: float = 0.5


class Moments(typing.NamedTuple):
    """Between which instants a contact is useful, both inclusive, in Unix milliseconds."""

    not_before: int
    not_after: int


class Nothing(Row):
    """Nothing needs to be known of the customer."""


class Activity:
    """A care activity. Every call makes it afresh, so that nothing can be remembered between batches.

    ``self.today``, ``self.now``, ``self.params`` (a dict) and ``self.tables`` (lists of rows by table) are the facts of a run.
    """

    #: What is known of a customer when choosing; a row that lacks a required value is never chosen.
    target = Nothing
    #: What is known when scheduling.
    timing = Nothing
    #: What is known when composing.
    content = Nothing
    #: Reference tables: Row classes with ``table = "…"``.
    reference = ()
    reasons = ()
    templates = ()
    slots = ()

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        required = {field.name for field in cls.target.fields if not field.optional}
        for stage in ("timing", "content"):
            for field in getattr(cls, stage).fields:
                if not field.optional and field.name not in required:
                    raise TypeError(
                        f"{cls.__name__}.{stage} requires {field.name}, which {cls.__name__}.target does not require: a "
                        "customer could be chosen for whom it is not known"
                    )
        for rule in ("select", "schedule", "compose"):
            if getattr(cls, rule) is getattr(Activity, rule, None):
                raise TypeError(f"{cls.__name__}.{rule} is missing; write it as a method")

    def prepare(self):
        """Makes ready for one call."""

    def select(self, who):
        """Whom: a ``Selected`` where this customer is a target, else None."""
        raise NotImplementedError

    def schedule(self, who, reason):
        """When: the ``Moments`` between which the contact is useful."""
        raise NotImplementedError

    def compose(self, who, reason, say):
        """What: ``say("template", slot=value)`` for each message."""
        raise NotImplementedError

    def measure(self, outcome, tally):
        """What an outcome adds to the evaluation: by default the metric ``goal``, 1 where the goal was reached."""
        tally.add(outcome, "goal", int(outcome.reached))


def declaration(of):
    """What the code of an activity declares, for its manifest."""
    stages = {"select": of.target, "schedule": of.timing, "compose": of.content, "observe": Outcome}
    return {
        "fields": {stage: [field.use() for field in row.fields] for stage, row in stages.items()},
        "tables": {row.table: [field.use() for field in row.fields] for row in of.reference},
        "reasons": list(of.reasons),
        "templates": list(of.templates),
        "slots": list(of.slots),
    }
