"""From columns to customers: an object a row, whose attributes are read when they are asked for."""

import difflib
import types
import typing

NONE = 0xFFFFFFFF

#: Field types, and the function of the contract that hands each over.
TYPES = {
    "fen": "s64s", "instant": "s64s", "count": "s64s", "small": "s32s", "date": "s32s", "ratio": "f64s",
    "boolean": "booleans", "category": "codes", "text": "texts_of",
}

Fen = typing.Annotated[int, "fen"]
Instant = typing.Annotated[int, "instant"]
Count = typing.Annotated[int, "count"]
Small = typing.Annotated[int, "small"]
Date = typing.Annotated[int, "date"]
Ratio = typing.Annotated[float, "ratio"]
Flag = typing.Annotated[bool, "boolean"]
Category = typing.Annotated[str, "category"]
Text = typing.Annotated[str, "text"]


class Joined:
    """A customer's field whose row in a reference table the host finds: ``tariff = Joined(Tariff, "key")``."""

    def __init__(self, row, key, type="category", field=None):
        self.row, self.key, self.type, self.field = row, key, type, field


class Field:
    """A field as the manifest names it."""

    __slots__ = ("key", "name", "type", "optional", "joined")

    def __init__(self, key, name, type, optional, joined=None):
        self.key, self.name, self.type, self.optional, self.joined = key, name, type, optional, joined

    def use(self):
        return {"name": self.name, "type": self.type, "optional": self.optional}


def kebab(name):
    """``tenure_months`` is ``tenure-months``; one underscore at the end keeps off a keyword."""
    return name.rstrip("_").replace("_", "-")


class Row:
    """A row of a table. Annotations are its fields: ``tenure_months: Small``, ``points: Count | None`` where it may lack.

    ``table = "tariffs"`` makes it a reference table's; without it, it is a customer's.
    """

    __slots__ = ("_cells",)
    table = "customers"
    fields = ()

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        cls.fields = tuple(_fields(cls))
        for at, field in enumerate(cls.fields):
            setattr(cls, field.key, property(lambda self, at=at: self._cells[at]))

    def __getattr__(self, name):
        # Only what is not there comes here.
        known = [field.key for field in type(self).fields]
        near = difflib.get_close_matches(name, known, 3, 0.5)
        told = f"nearest: {', '.join(near)}" if near else f"it has {', '.join(known) or 'none'}"
        raise AttributeError(f"{type(self).__name__} has no field {name!r}; {told}; declare there what you read")

    def __repr__(self):
        cells = ", ".join(f"{field.key}={cell!r}" for field, cell in zip(self.fields, self._cells))
        return f"{type(self).__name__}({cells})"

    @classmethod
    def of(cls, **cells):
        """A row by hand, for tests: fields that are left out have no value."""
        row = object.__new__(cls)
        row._cells = tuple(cells.pop(field.key, None) for field in cls.fields)
        if cells:
            raise TypeError(f"{cls.__name__} has no field {sorted(cells)[0]}")
        return row


def _fields(cls):
    hints = typing.get_type_hints(cls, include_extras=True)
    for key, value in vars(cls).items():
        if isinstance(value, Joined):
            yield Field(key, value.field or kebab(key), value.type, False, value)
    for key, hint in hints.items():
        if key in ("table", "fields"):
            continue
        optional = False
        if typing.get_origin(hint) in (typing.Union, types.UnionType):
            parts = [part for part in typing.get_args(hint) if part is not type(None)]
            optional, hint = len(parts) < len(typing.get_args(hint)), parts[0]
        named = getattr(hint, "__metadata__", (None,))[0]
        if named not in TYPES:
            raise TypeError(
                f"{cls.__name__}.{key} is {hint!r}, which is no field type; use one of Fen, Instant, Count, Small, Date, "
                "Ratio, Flag, Category, Text, with `| None` where a customer may lack it"
            )
        yield Field(key, kebab(key), named, optional)


def rows_of(host, cls, table=None, tables=None):
    """Yields a row for each of a table; None where it lacks a value that is not optional."""
    table = table or cls.table
    count = host.rows(table)
    if not cls.fields:
        empty = object.__new__(cls)
        empty._cells = ()
        yield from (empty for _ in range(count))
        return
    columns = [column(host, table, field, tables or {}) for field in cls.fields]
    needed = [at for at, field in enumerate(cls.fields) if not field.optional and None in columns[at]]
    new = object.__new__
    for cells in zip(*columns):
        if needed and any(cells[at] is None for at in needed):
            yield None
            continue
        row = new(cls)
        row._cells = cells
        yield row


def column(host, table, field, tables):
    """The cells of a field, None where there is no value."""
    if field.joined:
        of = field.joined.row
        entries = tables[of.table]
        found = host.rows_of(field.name, of.table, kebab(field.joined.key))
        return [None if row == NONE else entries[row] for row in found]
    cells = getattr(host, TYPES[field.type])(table, field.name)
    if field.type == "category":
        names = host.categories(table, field.name)
        cells = [names[code] for code in cells] if names else [None] * len(cells)
    elif field.type == "boolean":
        cells = [cell != 0 for cell in cells]
    elif field.type == "text":
        offsets, text = cells.offsets, bytes(cells.bytes)
        cells = [text[start:end].decode() for start, end in zip(offsets, offsets[1:])]
    elif field.type == "ratio":
        # A model's way to say "no value" is NaN.
        cells = [cell if cell == cell else None for cell in cells]
    present = host.present(table, field.name)
    if not present:
        return cells
    bits = int.from_bytes(bytes(present), "little")
    return [cell if bits >> at & 1 else None for at, cell in enumerate(cells)]
