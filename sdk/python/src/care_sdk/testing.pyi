from collections.abc import Iterable, Mapping
from typing import Any

from . import Activity

class Bench:
    def __init__(
        self,
        activity: type[Activity],
        today: int,
        params: Mapping[str, Any] | None = None,
        customers: Iterable[Mapping[str, Any]] = (),
        tables: Mapping[str, list[Mapping[str, Any]]] | None = None,
        outcomes: Iterable[Mapping[str, Any]] = (),
        now: int | None = None,
    ) -> None: ...

def decide(activity: type[Activity], bench: Bench) -> list[dict[str, Any]]: ...
