"""Writes customer-care activities (客户关怀活动) in Python. Nothing here knows a host: ``component`` does."""

from . import days
from .activity import Activity, Moments, Selected, declaration
from .row import Category, Count, Date, Fen, Flag, Instant, Joined, Ratio, Row, Small, Text
from .tally import Outcome, Tally

__all__ = [
    "Activity", "Category", "Count", "Date", "Fen", "Flag", "Instant", "Joined", "Moments", "Outcome", "Ratio", "Row",
    "Selected", "Small", "Tally", "Text", "days", "declaration",
]
