"""What staff are told of consent, and of the adult who comes along, by who asks for whom."""

from collections.abc import Iterator, Mapping

from services.matching.domain.policy.forms import Said
from services.matching.domain.policy.numbers import Table
from shared.contract.vocabulary import RequesterRole


class WhoAsks(Table):
    """For each who asks; it rules nobody out, for whoever asks, the client is the same."""

    below_consent_age: Mapping[RequesterRole, Said]
    from_consent_age: Mapping[RequesterRole, Said]
    """Who asks for themselves consents by that, and nothing needs to be said."""

    where_harm: Mapping[RequesterRole, Said]
    """In place of both where somebody may be being hurt: who asks may be who does it."""

    no_adult: Mapping[RequesterRole, Said]
    """Why nobody comes along where an adult must."""

    def rows(self) -> Iterator[tuple[str, RequesterRole, Said | None]]:
        """Every row there must be, by its table and who asks; None for one that is missing."""
        for table, said in self:
            for role in RequesterRole:
                if (table, role) != ("from_consent_age", RequesterRole.SELF):
                    yield table, role, said.get(role)
