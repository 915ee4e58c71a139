"""What another policy would change: for replay and for the shadow alike, so that both say the same."""

from services.matching.domain.comparing.book import Book
from services.matching.domain.comparing.comparison import Answer, Comparison, Kind, Outcome, compare, value_of
from services.matching.domain.comparing.groups import DIVISIONS, groups_of
from services.matching.domain.comparing.growing import KINDS, totals_so_far
from services.matching.domain.comparing.hiding import hidden
from services.matching.domain.comparing.report import case_of, groups_first, report
from services.matching.domain.comparing.tally import Tally, tally
from services.matching.domain.comparing.wording import COLUMNS, TOTALS, figure

__all__ = [
    "COLUMNS",
    "DIVISIONS",
    "KINDS",
    "TOTALS",
    "Answer",
    "Book",
    "Comparison",
    "Kind",
    "Outcome",
    "Tally",
    "case_of",
    "compare",
    "figure",
    "groups_first",
    "groups_of",
    "hidden",
    "report",
    "tally",
    "totals_so_far",
    "value_of",
]
