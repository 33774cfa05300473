import unittest

from care_sdk import Activity, Category, Count, Fen, Joined, Moments, Row, Selected, Small, Tally, days, declaration
from care_sdk import batch
from care_sdk.testing import Bench, decide

TODAY = days.parse("2026-07-29")


class Customer(Row):
    tenure_months: Small
    points: Count | None


class Content(Row):
    tenure_months: Small


class YearsWithUs(Activity):
    target = Customer
    content = Content
    reasons = ("full-year",)
    templates = ("thanks",)
    slots = ("years",)

    def select(self, who):
        if who.tenure_months % 12 == 0:
            return Selected("full-year", who.tenure_months, 0.5)

    def schedule(self, who, reason):
        return Moments(days.at(self.today, self.params["send_hour"]), days.end(self.today))

    def compose(self, who, reason, say):
        say("thanks", years=who.tenure_months // 12)


def changed(**rules):
    return type("Changed", (YearsWithUs,), rules)


def on(activity, customers, **more):
    return Bench(activity, TODAY, {"send_hour": 9}, customers, **more)


class Sdk(unittest.TestCase):
    def wrong(self, pattern, customers=({"tenure_months": 13}, {"tenure_months": 24}), **rules):
        activity = changed(**rules)
        with self.assertRaisesRegex(batch.RuleError, pattern):
            decide(activity, on(activity, customers))

    def test_an_activity_declares_the_fields_it_reads(self):
        said = declaration(YearsWithUs)
        self.assertEqual(said["fields"]["select"], [
            {"name": "tenure-months", "type": "small", "optional": False}, {"name": "points", "type": "count", "optional": True},
        ])
        observed = [field["name"] for field in said["fields"]["observe"]]
        self.assertEqual(observed, ["treated", "reached", "value", "home-adcode"])

    def test_a_customer_is_chosen_timed_and_spoken_to(self):
        customers = [{"tenure_months": 13}, {"tenure_months": 24, "points": 7}, {}, {"tenure_months": 36}]
        said = decide(YearsWithUs, on(YearsWithUs, customers))
        self.assertEqual([(one["row"], one["occasion"], one["messages"]) for one in said], [
            (1, 24, [{"template": "thanks", "years": "2"}]), (3, 36, [{"template": "thanks", "years": "3"}]),
        ])
        self.assertEqual(said[0]["not_before"], 1_785_286_800_000)

    def test_a_mistake_in_the_declaration_is_told_before_anything_runs(self):
        with self.assertRaisesRegex(TypeError, "arpu is <class 'int'>, which is no field type; use one of Fen"):
            type("Wrong", (Row,), {"__annotations__": {"arpu": int}})
        needy = type("Needy", (Row,), {"__annotations__": {"arpu": Fen}})
        with self.assertRaisesRegex(TypeError, "requires arpu, which Changed.target does not require"):
            changed(content=needy)
        with self.assertRaisesRegex(TypeError, "Bare.select is missing"):
            type("Bare", (Activity,), {})

    def test_a_wrong_answer_is_told_with_its_row_and_the_nearest_name(self):
        self.wrong("row 1: .*'ful-year'.*nearest: full-year",
                   select=lambda self, who: Selected("ful-year", 1) if who.tenure_months == 24 else None)
        self.wrong("row 0: TypeError: the occasion is 0.5, which is no whole number",
                   select=lambda self, who: Selected("full-year", 0.5))
        self.wrong("row 0: .*the score is 2", select=lambda self, who: Selected("full-year", 1, 2))
        self.wrong("row 0: .*64 bits do not hold", select=lambda self, who: Selected("full-year", 2**63))
        self.wrong("row 0: .*return Selected", select=lambda self, who: "full-year")
        self.wrong("row 0: .*'thank'.*nearest: thanks", compose=lambda self, who, reason, say: say("thank"))
        self.wrong("row 0: .*slot 'year'.*nearest: years", compose=lambda self, who, reason, say: say("thanks", year=1))
        self.wrong("row 0: .*Customer has no field 'tenure_month'; nearest: tenure_months",
                   select=lambda self, who: who.tenure_month)
        self.wrong("row 0: .*schedule returned None", schedule=lambda self, who, reason: None)

    def test_a_joined_field_is_the_row_of_its_table(self):
        brand = type("Brand", (Row,), {"table": "brands", "__annotations__": {"key": Category, "wait": Small}})
        target = type("Target", (Row,), {"brand": Joined(brand, "key"), "__annotations__": {"tenure_months": Small}})
        joined = changed(target=target, reference=(brand,), select=lambda self, who: Selected("full-year", who.brand.wait))
        tables = {"brands": [{"key": "gotone", "wait": 3}, {"key": "m-zone", "wait": 5}]}
        customers = [{"tenure_months": 12, "brand": "m-zone"}, {"tenure_months": 12, "brand": "easyown"}]
        self.assertEqual(batch.select(joined, on(joined, customers, tables=tables))[:3], ([0], [0], [5]))

    def test_states_merge_in_any_order_to_the_same_bytes_exactly(self):
        spend = changed(measure=lambda self, outcome, tally: tally.add(outcome, "spend", outcome.value * 10**12))

        def state(*values):
            outcomes = [{"treated": v % 2 == 0, "reached": v > 2, "value": v, "home_adcode": "350200"} for v in values]
            return batch.observe(spend, on(spend, [], outcomes=outcomes), b"")

        left, right = state(1, 2, 3), state(4, 5)
        self.assertEqual(batch.merge(left, right), batch.merge(right, left))
        self.assertEqual(batch.merge(left, right), state(5, 4, 3, 2, 1))
        treated = [entry for entry in Tally.from_state(batch.merge(left, right)).report() if entry[1] and entry[2]]
        self.assertEqual(treated, [("spend", "region=350200", True, 2, 6e12, 20e24)])
        with self.assertRaisesRegex(ValueError, "no state of this fold"):
            Tally.from_state(b"\x01")

    def test_dates_are_days(self):
        self.assertEqual((TODAY, days.format(TODAY), days.civil(TODAY).month), (20_663, "2026-07-29", 7))
        with self.assertRaises(ValueError):
            days.parse("2026-02-30")


if __name__ == "__main__":
    unittest.main()
