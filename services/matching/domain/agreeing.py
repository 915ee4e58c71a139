"""What would fit somebody whom nothing fits as they asked, if another way were agreed on."""

from collections.abc import Iterator

from services.matching.domain import wording
from shared.contract.intake import CaseDetails
from shared.contract.matching import Pathway, RuledOut
from shared.contract.vocabulary import Format, Therapy


def other_ways(case: CaseDetails) -> Iterator[CaseDetails]:
    """The case with another format, with another school, and with both: the smaller change first."""
    formats = [each for each in Format if each is not case.format]
    yield from (case.model_copy(update={"format": each}) for each in formats)
    if case.therapy is not Therapy.EITHER:
        either = case.model_copy(update={"therapy": Therapy.EITHER})
        yield either
        yield from other_ways(either)


def would_fit(out: RuledOut, other: Pathway) -> RuledOut:
    """Why a variant does not fit, and the way in which it would."""
    given = wording.capital(wording.form(other.variant, other.format))
    # Who would come along may be who does harm: what to do first is said beside it.
    first = [each.text for each in other.cautions if each.code.startswith("flag_")]
    return RuledOut(
        variant=out.variant,
        rule=" ".join([out.rule, f"{given} would fit if that were agreed.", *first]),
        source="; ".join(dict.fromkeys([out.source, *other.rule_sources])),
    )
