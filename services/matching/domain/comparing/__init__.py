"""What another policy would change: for replay and for the shadow alike, so that both say the same."""

from services.matching.domain.comparing.book import Book
from services.matching.domain.comparing.comparison import Answer, Comparison, Outcome, compare, value_of
from services.matching.domain.comparing.groups import DIVISIONS, groups_of
from services.matching.domain.comparing.hiding import hidden
from services.matching.domain.comparing.report import case_of, in_steps, report
from services.matching.domain.comparing.tally import Tally, tally
from services.matching.domain.comparing.wording import COLUMNS, TOTALS, figure

__all__ = [
    "COLUMNS",
    "DIVISIONS",
    "TOTALS",
    "Answer",
    "Book",
    "Comparison",
    "Outcome",
    "Tally",
    "case_of",
    "compare",
    "figure",
    "groups_of",
    "hidden",
    "in_steps",
    "report",
    "tally",
    "value_of",
]
