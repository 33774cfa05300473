"""Evaluation as a fold over outcomes. Sums are whole numbers of any size, so that any order gives the same bytes."""

import json

from .row import Category, Count, Flag, Row


class Outcome(Row):
    """A customer's outcome, after the goal's window."""

    table = "outcomes"
    treated: Flag
    reached: Flag
    value: Count | None
    home_adcode: Category | None


class Tally:
    """Sums by metric, region (empty for the whole) and arm."""

    def __init__(self):
        self._sums = {}

    def add(self, outcome, metric, amount):
        """Adds a whole amount for a customer: to the whole and to the customer's region."""
        if isinstance(amount, float) or int(amount) != amount:
            raise TypeError(f"the amount of metric {metric} is {amount!r}, which is no whole number")
        amount = int(amount)
        for region in {"", outcome.home_adcode or ""}:
            self._add((metric, region, outcome.treated), (1, amount, amount * amount))

    def _add(self, key, sums):
        known = self._sums.get(key, (0, 0, 0))
        self._sums[key] = tuple(a + b for a, b in zip(known, sums))

    def merge(self, other):
        for key, sums in other._sums.items():
            self._add(key, sums)
        return self

    @classmethod
    def from_state(cls, state):
        """The state of a fold; an empty one has seen nothing."""
        tally = cls()
        if not state:
            return tally
        try:
            for metric, region, treated, *sums in json.loads(bytes(state)):
                tally._sums[metric, region, treated] = tuple(sums)
        except (ValueError, TypeError) as error:
            raise ValueError("this is no state of this fold") from error
        return tally

    def to_state(self):
        entries = [[*key, *sums] for key, sums in sorted(self._sums.items())]
        return json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()

    def report(self):
        """Name, slice, arm, count, sum and sum of squares of each."""
        for (name, region, treated), (count, total, squares) in sorted(self._sums.items()):
            yield name, f"region={region}" if region else "", treated, count, float(total), float(squares)
