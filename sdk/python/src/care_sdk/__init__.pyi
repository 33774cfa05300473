from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from . import days as days

Fen = Annotated[int, "fen"]
Instant = Annotated[int, "instant"]
Count = Annotated[int, "count"]
Small = Annotated[int, "small"]
Date = Annotated[int, "date"]
Ratio = Annotated[float, "ratio"]
Flag = Annotated[bool, "boolean"]
Category = Annotated[str, "category"]
Text = Annotated[str, "text"]

R = TypeVar("R", bound="Row")

class Row:
    """A row of a table. Annotations are its fields; ``table`` makes it a reference table's."""
    table: ClassVar[str]
    @classmethod
    def of(cls: type[R], **cells: Any) -> R: ...

class Joined(Generic[R]):
    """A customer's field whose row in a reference table the host finds."""
    def __init__(self, row: type[R], key: str, type: str = "category", field: str | None = None) -> None: ...
    def __get__(self, of: Any, owner: Any = None) -> R: ...

class Selected(NamedTuple):
    """Why and how urgently a customer is chosen."""
    reason: str
    occasion: int
    score: float = 0.5

class Moments(NamedTuple):
    """Between which instants a contact is useful, both inclusive, in Unix milliseconds."""
    not_before: int
    not_after: int

class Say(Protocol):
    def __call__(self, template: str, **slots: int | str) -> None: ...

class Outcome(Row):
    """A customer's outcome, after the goal's window."""
    treated: bool
    reached: bool
    value: int | None
    home_adcode: str | None

class Tally:
    """Sums of a fold; whole numbers, so that any order gives the same bytes."""
    def add(self, outcome: Outcome, metric: str, amount: int) -> None: ...

class Activity:
    """A care activity; every call makes it afresh."""
    target: ClassVar[type[Row]]
    timing: ClassVar[type[Row]]
    content: ClassVar[type[Row]]
    reference: ClassVar[tuple[type[Row], ...]]
    reasons: ClassVar[tuple[str, ...]]
    templates: ClassVar[tuple[str, ...]]
    slots: ClassVar[tuple[str, ...]]
    today: int
    now: int
    params: dict[str, Any]
    tables: dict[str, list[Any]]
    def prepare(self) -> None: ...
    def select(self, who: Any) -> Selected | None: ...
    def schedule(self, who: Any, reason: str) -> Moments: ...
    def compose(self, who: Any, reason: str, say: Say) -> None: ...
    def measure(self, outcome: Outcome, tally: Tally) -> None: ...

def declaration(of: type[Activity]) -> dict[str, Any]: ...
