"""The same search in SQL, as well as PostgreSQL can: masks, partial and GiST indexes, or arrays and GIN."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from services.matching.domain.engine import Entry
from services.matching.domain.engine.columns import (
    AGE_GROUP,
    AREA,
    CONDITION,
    FORMAT,
    MODE,
    SLOT,
    TRAIT,
    VARIANT,
    day_number,
)
from services.matching.domain.gates import Search
from services.matching.domain.place import EARTH_METRES, metres_between
from services.matching.domain.policy import Policy
from services.matching.domain.ranking import Rules
from shared.contract.matching import Pathway
from shared.contract.vocabulary import Mode, Strength, Variant
from tests.benchmarks.matching.phrases import latest_start, mask, mask_of, not_named, ones, standing, trait
from tests.benchmarks.matching.population import price_of
from tests.benchmarks.matching.ways import Placed, Ways

DEGREE = 6.283185307179586 * EARTH_METRES / 360

_ONLINE, _IN_PERSON = 1 << MODE[Mode.ONLINE], 1 << MODE[Mode.IN_PERSON]
# A word for each fact that a gate asks for, as arrays hold numbers.
_FORMAT_WORD, _AGE_WORD, _MODE_WORD, _TRAIT_WORD, _VARIANT_WORD, _LANGUAGE_WORD = 10, 20, 30, 40, 60, 100


class Sql:
    """One table and the prepared statements that search it."""

    def __init__(self, connection: asyncpg.Connection, rules: Rules, *, arrays: bool) -> None:
        self._connection = connection
        self._ways = Ways([], rules.policy)
        self._rules = rules
        self._arrays = arrays
        self._table = "with_arrays" if arrays else "with_masks"
        self._languages: dict[str, int] = {}
        self._districts = {outcode: number for number, outcode in enumerate(rules.places.positions, start=1)}
        self._statements: dict[str, Any] = {}

    async def create(self) -> None:
        """Makes the table and, for London, the distances from every district to every other."""
        held = ", ".join(f"until_{n} int, cases_{n} int" for n in VARIANT.values())
        await self._connection.execute(
            f"""
            DROP TABLE IF EXISTS {self._table};
            CREATE TABLE {self._table} (
                id uuid, district int, at point, fee int, price int, free int, offered int,
                registered_until int, confirmed int, ksa int, formats int, ages int, modes int, traits int,
                slots int, areas int, conditions int, languages bigint, words int[], free_from int,
                outcome_cases int, outcome_change int, {held}
            );
            CREATE TABLE IF NOT EXISTS distances (
                here int, there int, metres int, PRIMARY KEY (here, there) INCLUDE (metres)
            )
            """
        )

    async def know_distances(self, outcodes: Iterable[str]) -> None:
        """The distances from these districts to every other."""
        places = self._rules.places.positions
        await self._connection.copy_records_to_table(
            "distances",
            records=[
                (self._districts[here], self._districts[there], metres_between(places[here], places[there]))
                for here in outcodes
                for there in places
            ],
        )

    async def add(self, entries: list[Entry]) -> None:
        """Copies entries into the table."""
        await self._connection.copy_records_to_table(self._table, records=map(self._row, entries))

    def know_ways(self, ways: Ways) -> None:
        """The pathways of all that will be asked."""
        self._ways = ways

    async def index(self) -> None:
        """Indexes what is there, as for reading."""
        table = self._table
        await self._connection.execute(f"CREATE UNIQUE INDEX ON {table} (id)")
        await self._connection.execute(f"CREATE INDEX ON {table} USING gist (at) WHERE free > 0")
        if self._arrays:
            await self._connection.execute(f"CREATE INDEX ON {table} USING gin (words) WHERE free > 0")
        else:
            for n in VARIANT.values():
                await self._connection.execute(
                    f"CREATE INDEX ON {table} (fee) WHERE free > 0 AND until_{n} > 0"
                )
        await self._connection.execute(f"VACUUM ANALYZE {table}")
        await self._connection.execute("VACUUM ANALYZE distances")

    def _row(self, entry: Entry) -> tuple[Any, ...]:
        held = dict.fromkeys(VARIANT.values(), (0, 0))
        ksa = 0
        words = []
        for each in entry.accreditations.split():
            variant, route, until, cases = each.split(":")
            held[VARIANT[variant]] = int(until), int(cases)
            ksa |= (route == "ksa") << VARIANT[variant]
            words.append(_VARIANT_WORD + VARIANT[variant])
        position = self._rules.places.find(entry.outcode)
        at = None if position is None else asyncpg.Point(position.longitude, position.latitude)
        languages = 0
        for code in entry.languages.split():
            number = self._languages.setdefault(code, len(self._languages))
            languages |= 1 << number
            words.append(_LANGUAGE_WORD + number)
        for field, bits, base in (
            (entry.formats, FORMAT, _FORMAT_WORD),
            (entry.age_groups, AGE_GROUP, _AGE_WORD),
            (entry.modes, MODE, _MODE_WORD),
            (entry.traits, TRAIT, _TRAIT_WORD),
        ):
            words += [base + bits[word] for word in field.split()]
        return (
            entry.id,
            self._districts.get(entry.outcode),
            at,
            entry.fee_pence,
            price_of(entry.id),
            entry.seats_free,
            entry.seats_offered,
            entry.registered_until,
            entry.confirmed,
            ksa,
            mask(entry.formats, FORMAT),
            mask(entry.age_groups, AGE_GROUP),
            mask(entry.modes, MODE),
            mask(entry.traits, TRAIT),
            mask(entry.slots, SLOT),
            mask(entry.problem_areas, AREA),
            mask(entry.conditions, CONDITION),
            languages,
            words if self._arrays else [],
            entry.free_from,
            entry.outcome_cases,
            entry.outcome_change,
            *(number for pair in held.values() for number in pair),
        )

    async def best(self, search: Search, most: int, only: Variant | None) -> list[Placed]:
        """The best by score minus what counts of the price, ties by id."""
        ways = [way for way in self._ways.of(search) if only in {None, way.variant}]
        sql, arguments = self._question(search, most, ways)
        if sql not in self._statements:
            self._statements[sql] = await self._connection.prepare(sql)
        found = await self._statements[sql].fetch(*arguments)
        return [Placed(-row[0], row[1].int, row[2], ways[row[3]].variant) for row in found]

    def _question(self, search: Search, most: int, ways: Sequence[Pathway]) -> tuple[str, list[Any]]:
        policy, case = self._rules.policy, search.case
        weights, caps, cap = policy.weights, policy.caps, policy.caps.experience_cases
        arguments: list[Any] = []

        def given(value: Any, kind: str = "int") -> str:
            arguments.append(value)
            return f"${len(arguments)}::{kind}"

        today, oldest = day_number(search.on), day_number(search.on - timedelta(days=policy.fresh_days))
        gates = [
            f"free > 0 AND registered_until >= {given(today)} AND confirmed >= {given(oldest)}",
            f"free_from <= {given(latest_start(search, policy))}",
        ]
        ages = [AGE_GROUP[group] for group, span in policy.age_groups.items() if search.age in span]
        languages = [self._languages[code] for code in case.languages if code in self._languages]
        gates.append(f"ages & {given(sum(1 << bit for bit in ages))} <> 0")
        gates.append(f"languages & {given(sum(1 << bit for bit in languages), 'bigint')} <> 0")
        if case.max_fee_pence is not None:
            gates.append(f"fee <= {given(case.max_fee_pence)}")
        traits = [(trait(wish.about, wish.wish), wish.strength) for wish in case.preferences]
        musts = [bit for bit, strength in traits if strength is Strength.MUST]
        if musts:
            bits = given(sum(1 << bit for bit in musts))
            gates.append(f"traits & {bits} = {bits}")
        gates += not_named(search, given)
        if not ways:
            return f"SELECT 0, id, 0, 0 FROM {self._table} WHERE false", []  # noqa: S608
        live = []
        for way in ways:
            n, form = VARIANT[way.variant], 1 << FORMAT[way.format]
            holds = f"until_{n} >= {given(today)} AND ksa & {1 << n} = 0 AND formats & {given(form)} <> 0"
            points = (
                f"{given(weights.of_pathway(way.evidence, as_asked=way.format is case.format))}"
                f" + {weights.experience} * least(cases_{n}, {cap}) / {cap}"
            )
            live.append((holds, points))
        gates.append("(" + " OR ".join(holds for holds, _ in live) + ")")
        if self._arrays:
            gates.append(f"words && {given([_VARIANT_WORD + VARIANT[way.variant] for way in ways], 'int[]')}")
            gates.append(f"words && {given([_LANGUAGE_WORD + bit for bit in languages], 'int[]')}")
            gates.append(f"words && {given([_AGE_WORD + bit for bit in ages], 'int[]')}")
        own = [f"CASE WHEN {holds} THEN {points} END" for holds, points in live]
        place, source = self._place(search, gates, given, policy)
        score = [f"greatest({', '.join(own)})", place]
        chosen = f"array_position(ARRAY[{', '.join(own)}], {score[0]}) - 1" if len(own) > 1 else "0"
        share = weights.problem_area // max(len(search.areas), 1)
        score.append(f"{share} * {ones(f'areas & {given(mask_of((a.area for a in search.areas), AREA))}')}")
        named = set(case.conditions)
        known = ones(f"conditions & {given(mask_of(named, CONDITION))}")
        score.append(f"{weights.condition} * {known} / {max(len(named), 1)}")
        shared = ones(f"slots & {given(mask_of(case.availability, SLOT))}")
        score.append(f"{weights.availability} * least({shared}, {caps.shared_slots}) / {caps.shared_slots}")
        for bit, strength in traits:
            score.append(
                f"CASE WHEN traits & {given(1 << bit)} <> 0 THEN {weights.preference.of(strength)} ELSE 0 END"
            )
        first = 1 << self._languages[case.languages[0]] if case.languages[0] in self._languages else 0
        score.append(
            f"CASE WHEN languages & {given(first, 'bigint')} <> 0 THEN {weights.preferred_language}"
            f" ELSE {weights.other_language} END"
        )
        if case.max_fee_pence:
            limit = given(case.max_fee_pence)
            score.append(f"{weights.fee} * ({limit} - fee) / {limit}")
        score += standing(policy, given(today))
        counts = f"greatest(price - {given(search.credit)}, 0)"
        # OFFSET keeps the score from being worked out twice, once to show and once to order by.
        found = (
            f"SELECT id, {' + '.join(score)} AS score, {counts} AS counts, {chosen} AS way FROM {source}"  # noqa: S608 - our own words
            f" WHERE {' AND '.join(gates)} OFFSET 0"
        )
        return (
            f"SELECT score - counts, id, score, way FROM ({found}) AS found ORDER BY 1 DESC, id LIMIT {most}",  # noqa: S608
            arguments,
        )

    def _place(
        self, search: Search, gates: list[str], given: Callable[..., str], policy: Policy
    ) -> tuple[str, str]:
        """The points for distance, and the tables that tell it; adds the gates of mode and distance."""
        case, position = search.case, search.position
        if case.mode is Mode.ONLINE:
            gates.append(f"modes & {_ONLINE} <> 0")
            return "0", self._table
        metres = (case.max_distance_km or policy.default_distance_km) * 1000
        here = given(self._districts.get(case.outcode or "", 0))
        near = f"(modes & {_IN_PERSON} <> 0 AND metres <= {given(metres)})"
        bands = " ".join(
            f"WHEN metres <= {band.up_to_km * 1000} THEN {band.points}" for band in policy.distance_bands
        )
        source = f"{self._table} LEFT JOIN distances ON here = {here} AND there = district"
        if case.mode is Mode.EITHER:
            gates.append(f"({near} OR modes & {_ONLINE} <> 0)")
            return f"CASE WHEN {near} THEN CASE {bands} ELSE 0 END ELSE 0 END", source
        gates.append(near)
        if position is not None:
            # A box that surely holds the circle; at this latitude a degree of longitude is the shorter one.
            up, across = metres / DEGREE * 1.01, metres / DEGREE * 1.01 / 0.5
            box = asyncpg.Box(
                (position.longitude + across, position.latitude + up),
                (position.longitude - across, position.latitude - up),
            )
            gates.append(f"at <@ {given(box, 'box')}")
        return f"CASE {bands} ELSE 0 END", source
