"""Runs activities natively, for their authors' tests: an in-memory bench in the host's place."""

import json
import types

from . import batch
from .row import NONE, TYPES, kebab


class Bench:
    """A host over customers written as dicts: ``Bench(YearsWithUs, today, params, [{"tenure_months": 24}])``.

    Like the real one it ends a call that asks for a field that nobody declared.
    """

    def __init__(self, activity, today, params=None, customers=(), tables=None, outcomes=(), now=None):
        self._today, self._params = today, params or {}
        self._now = today * 86_400_000 if now is None else now
        self._rows = {"customers": list(customers), "outcomes": list(outcomes), **(tables or {})}
        of = [activity.target, activity.timing, activity.content]
        self._declared = {"customers": {f.name: f for row in of for f in row.fields}, "outcomes": {}}
        for row in (*activity.reference, batch.Outcome):
            self._declared[row.table] = {f.name: f for f in row.fields}

    def today(self):
        return self._today

    def now(self):
        return self._now

    def params(self):
        return json.dumps(self._params)

    def rows(self, table):
        return len(self._rows[table])

    def _cells(self, table, name, function):
        field = self._declared[table].get(name)
        if field is None or TYPES[field.type] != function:
            raise LookupError(f"field {name} of table {table} is not declared")
        return [row.get(field.key) for row in self._rows[table]]

    def s64s(self, table, name):
        return [cell or 0 for cell in self._cells(table, name, "s64s")]

    def s32s(self, table, name):
        return [cell or 0 for cell in self._cells(table, name, "s32s")]

    def f64s(self, table, name):
        return [cell or 0.0 for cell in self._cells(table, name, "f64s")]

    def booleans(self, table, name):
        return bytes(bool(cell) for cell in self._cells(table, name, "booleans"))

    def categories(self, table, name):
        return sorted({cell for cell in self._cells(table, name, "codes") if cell is not None})

    def codes(self, table, name):
        known = self.categories(table, name)
        return [0 if cell is None else known.index(cell) for cell in self._cells(table, name, "codes")]

    def texts_of(self, table, name):
        offsets, text = [0], b""
        for cell in self._cells(table, name, "texts_of"):
            text += (cell or "").encode()
            offsets.append(len(text))
        return types.SimpleNamespace(offsets=offsets, bytes=text)

    def present(self, table, name):
        field = self._declared[table][name]
        bits = sum((row.get(field.key) is not None) << at for at, row in enumerate(self._rows[table]))
        return bits.to_bytes((len(self._rows[table]) + 7) // 8, "little")

    def rows_of(self, name, table, key):
        entries = [row.get(self._declared[table][key].key) for row in self._rows[table]]
        field = self._declared["customers"][name]
        cells = [row.get(field.key) for row in self._rows["customers"]]
        return [entries.index(cell) if cell is not None and cell in entries else NONE for cell in cells]


def decide(activity, bench):
    """What an activity decides about a bench's customers: a dict for each that is chosen."""
    rows, reasons, occasions, scores = batch.select(activity, bench)
    everybody = bench._rows["customers"]
    bench._rows["customers"] = [everybody[row] for row in rows]
    try:
        moments = list(zip(*batch.schedule(activity, bench, reasons)))
        of, templates, slots = batch.compose(activity, bench, reasons)
    finally:
        bench._rows["customers"] = everybody
    said = {}
    for at, (row, template) in enumerate(zip(of, templates)):
        texts = {name: text[offsets[at]:offsets[at + 1]].decode() for name, (offsets, text) in zip(activity.slots, slots)}
        message = {"template": activity.templates[template], **{name: text for name, text in texts.items() if text}}
        said.setdefault(row, []).append(message)
    return [
        {"row": row, "reason": activity.reasons[reasons[at]], "occasion": occasions[at], "score": scores[at],
         "not_before": moments[at][0], "not_after": moments[at][1], "messages": said.get(at, [])}
        for at, row in enumerate(rows)
    ]


__all__ = ["Bench", "decide", "kebab"]
