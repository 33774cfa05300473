"""What the stubs promise an author: ``mypy --strict`` accepts this file, and each line marked below it must refuse."""

from care_sdk import (
    Activity, Category, Count, Flag, Joined, Moments, Outcome, Row, Say, Selected, Small, Tally, days, declaration,
)
from care_sdk.testing import Bench, decide


class Brand(Row):
    table = "brands"
    key: Category
    wait: Small


class Target(Row):
    tenure_months: Small
    home_adcode: Category
    stopped: Flag | None
    points: Count | None
    brand = Joined(Brand, "key")


class YearsWithUs(Activity):
    target = Target
    content = Target
    reference = (Brand,)
    reasons = ("full-year",)
    templates = ("thanks",)
    slots = ("years",)

    def select(self, who: Target) -> Selected | None:
        tenure: int = who.tenure_months
        home: str = who.home_adcode
        stopped: bool | None = who.stopped
        wait: int = who.brand.wait
        points: int = who.points  # type: ignore[assignment]
        if who.tenure_month > 1:  # type: ignore[attr-defined]
            return None
        if stopped or not home or tenure + wait + points < 12:
            return Selected("full-year", 0.5)  # type: ignore[arg-type]
        return Selected("full-year", self.today, 0.5)

    def schedule(self, who: Target, reason: str) -> Moments:
        return Moments(days.at(self.today, self.params["send_hour"]), days.end(self.today))

    def compose(self, who: Target, reason: str, say: Say) -> None:
        say("thanks", years=who.tenure_months // 12)
        say("thanks", years=who.points)  # type: ignore[arg-type]

    def measure(self, outcome: Outcome, tally: Tally) -> None:
        tally.add(outcome, "goal", int(outcome.reached))
        tally.add(outcome, "spend", outcome.value)  # type: ignore[arg-type]


class Wrong(Activity):
    def select(self, who: Target) -> str:  # type: ignore[override]
        return "full-year"


declared: dict[str, object] = declaration(YearsWithUs)
bench = Bench(YearsWithUs, days.parse("2026-07-29"), {"send_hour": 9}, [{"tenure_months": 24}])
template: str = decide(YearsWithUs, bench)[0]["messages"][0]["template"]
