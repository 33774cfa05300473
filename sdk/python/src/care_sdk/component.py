"""The exports of a component, for ``care plugin build``: what an activity raises becomes an error that names its line."""

from componentize_py_types import Err
from wit_world.exports import content, evaluation, timing, targeting
from wit_world.imports import run, tables

from . import batch


class Host:
    """The imports of the contract under one roof."""

    today, now, params = staticmethod(run.today), staticmethod(run.now), staticmethod(run.params)
    log = staticmethod(run.log)
    rows, present, categories = staticmethod(tables.rows), staticmethod(tables.present), staticmethod(tables.categories)
    s64s, s32s, f64s = staticmethod(tables.s64s), staticmethod(tables.s32s), staticmethod(tables.f64s)
    booleans, codes, texts_of = staticmethod(tables.booleans), staticmethod(tables.codes), staticmethod(tables.texts_of)
    rows_of = staticmethod(tables.rows_of)


def words(error):
    """Words for what was raised: the error, and where in the author's files."""
    cause = error.__cause__ or error
    text = str(error) if isinstance(error, batch.RuleError) else f"{type(error).__name__}: {error}"
    place, trace = "", cause.__traceback__
    # Walked by hand: the standard library would look for the sources, and there are no files.
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "care_sdk" not in file:
            place = f" ({file.rsplit('/', 1)[-1]}:{trace.tb_lineno})"
        trace = trace.tb_next
    return text + place


def told(call):
    try:
        return call()
    except Err:
        raise
    except Exception as error:
        raise Err(words(error)) from error


def exports(activity):
    """The classes of the world ``activity``: Targeting, Timing, Content, Evaluation."""

    class Targeting:
        def select(self):
            return told(lambda: targeting.Selection(*batch.select(activity, Host)))

    class Timing:
        def schedule(self, reasons):
            return told(lambda: timing.Moments(*batch.schedule(activity, Host, reasons)))

    class Content:
        def compose(self, reasons):
            def said():
                rows, templates, slots = batch.compose(activity, Host, reasons)
                return content.Messages(rows, templates, [tables.Texts(*slot) for slot in slots])

            return told(said)

    class Evaluation:
        def observe(self, state):
            return told(lambda: batch.observe(activity, Host, state))

        def merge(self, left, right):
            return told(lambda: batch.merge(left, right))

        def report(self, state):
            return told(lambda: [evaluation.Metric(*entry) for entry in batch.Tally.from_state(state).report()])

    return Targeting, Timing, Content, Evaluation
