"""本地节庆问候 local festival: a greeting for customers of the city in the days before its festival.

- Whom: customers of the city whose service is not stopped; those with enough points are told that the market takes them,
  others are greeted after a year.
- When: from the hour of the parameters until the festival is over.
- The occasion is the day of the festival, so that each is greeted once.
"""

from care_sdk import Activity, Category, Count, Flag, Moments, Row, Selected, Small, days

#: The city that holds the festival, by administrative code.
CITY = "350200"


class Target(Row):
    """What is read of a customer: ``tenure_months`` is the field ``tenure-months`` of the dictionary. ``| None`` is what a
    customer may lack; nobody is chosen who lacks one of the others."""

    home_adcode: Category
    tenure_months: Small
    points: Count | None
    stopped: Flag | None


class Content(Row):
    tenure_months: Small
    points: Count | None


class LocalFestival(Activity):
    target = Target
    content = Content
    reasons = ("market", "greeting")
    templates = ("market", "greeting")
    slots = ("day", "points", "years")

    def prepare(self):
        self.festival = days.parse(self.params["festival"])

    def select(self, who):
        left = self.festival - self.today
        if not 0 <= left <= self.params["days_ahead"] or who.home_adcode != CITY:
            return None
        if who.stopped:
            return None
        points = who.points
        if points is not None and points >= self.params["market_points"]:
            return Selected("market", self.festival, 0.6)
        tenure = who.tenure_months
        if tenure < 12:
            return None
        return Selected("greeting", self.festival, min(tenure, 120) / 240)

    def schedule(self, who, reason):
        return Moments(days.at(self.today, self.params["send_hour"]), days.end(self.festival))

    def compose(self, who, reason, say):
        if reason == "market":
            say("market", day=self.festival, points=who.points)
        else:
            say("greeting", day=self.festival, years=who.tenure_months // 12)


activity = LocalFestival
