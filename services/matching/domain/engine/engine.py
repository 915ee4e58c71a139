"""The engine: keeps the columns true to the directory, and answers searches from them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from uuid import UUID

import numpy as np

from services.matching.domain.engine.answers import Nearest, Placed, placed
from services.matching.domain.engine.asking import Asker, PathwayNumbers, Question
from services.matching.domain.engine.columns import (
    LAYOUT,
    LIVE_BY_VARIANT,
    SLOT,
    Array,
    Seats,
    day_number,
    empty_table,
)
from services.matching.domain.engine.districts import Districts
from services.matching.domain.engine.encoding import Entry, write, write_standing
from services.matching.domain.engine.marking import marked
from services.matching.domain.engine.nearing import NEAREST, nearest
from services.matching.domain.engine.painting import (
    move_marks,
    paint_facts,
    paint_languages,
    paint_live,
    set_seats,
)
from services.matching.domain.engine.rows import Rows, blocked_by, weight_of
from services.matching.domain.engine.scanning import BEST, retime
from services.matching.domain.engine.scanning import search as scan
from services.matching.domain.engine.tallying import tally
from services.matching.domain.engine.terms import terms_of
from services.matching.domain.gates import Gate, Search
from services.matching.domain.languages import met_by
from services.matching.domain.place import Places
from services.matching.domain.policy import Policy
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Slot, Variant

_MORE_ROWS = 1024
_MORE_LANGUAGES = 16


class Engine:
    """The directory in memory, for one policy and one table of places."""

    def __init__(self, policy: Policy, places: Places, today: date) -> None:
        self._policy = policy
        self._today = today
        self._day_limits = self._limits_of(today)
        self._languages: dict[str, int] = {}
        self._asker = Asker(policy, self._languages)
        self._terms = terms_of(policy)
        self._districts = Districts(places, policy, self._terms)
        self._caseload = policy.weights.caseload
        self._table = empty_table(0, LAYOUT.languages + _MORE_LANGUAGES)
        self._count = 0
        self._rows = Rows()
        # Of whoever has no row, as they have not come yet or have left.
        self._prices_apart: dict[int, int] = {}
        self._make_room(_MORE_ROWS)

    def __len__(self) -> int:
        return self._count

    @property
    def bytes_used(self) -> int:
        """What the directory takes in memory, with the room to work in."""
        arrays = (*self._table, self._desk)
        return sum(array.nbytes for array in arrays) + self._rows.nbytes + weight_of(self._prices_apart)

    def expect(self, therapists: int) -> None:
        """Makes room for so many at once, instead of step by step."""
        if therapists > self._table.kept.size:
            self._make_room(therapists)

    def put(self, entries: Sequence[Entry]) -> None:
        """Adds entries or brings them up to date; of two with one id the later counts."""
        if not entries:
            return
        # Neighbours stand side by side, so that a search in person can pass over whole regions.
        latest = sorted(
            {entry.id: entry for entry in entries}.values(),
            key=lambda entry: self._districts.number_of(entry.outcode),
        )
        if self._count + len(latest) > self._table.kept.size:
            self._make_room(max(self._count + len(latest), self._table.kept.size * 5 // 4))
        numbers = [entry.id.int for entry in latest]
        rows = self._rows.take_in(self._table.kept, numbers, self._count)
        new = np.flatnonzero(rows >= self._count)
        self._table.scored["price"][rows[new]] = [
            self._prices_apart.pop(numbers[place], 0) for place in new.tolist()
        ]
        self._count += new.size
        write(self._table, rows, latest, self._districts.numbers, self._policy.outcome)
        write_standing(self._table, rows, self._policy, self._day_limits[0])
        self._paint(rows, latest)
        self._rows.settle(self._table.kept[: self._count])

    def drop(self, ids: Iterable[UUID]) -> None:
        """Forgets entries; those that are not known are no matter."""
        numbers = list({identifier.int for identifier in ids})
        rows = self._rows.find_all(self._table.kept, numbers) if numbers else []
        gone = {row: number for row, number in zip(rows, numbers, strict=True) if row >= 0}
        if not gone:
            return
        table, was = self._table, np.arange(self._count)
        # The last row first, so that nobody who moves into a gap is to go as well.
        for row in sorted(gone, reverse=True):
            if price := int(table.scored["price"][row]):
                self._prices_apart[gone[row]] = price
            self._count -= 1
            last = self._count
            table.scored[row] = table.scored[last]
            table.kept[row] = table.kept[last]
            move_marks(table, last, row)
            was[row] = was[last]
        self._rows.follow(was[: self._count], was.size)

    def knows(self, therapist_id: UUID) -> bool:
        """Whether somebody is in the directory."""
        return self._find(therapist_id.int) is not None

    def set_seats(self, therapist_id: UUID, free: int) -> None:
        """Notes a therapist's free seats; the next search sees them."""
        row = self._find(therapist_id.int)
        if row is None:
            raise KeyError(therapist_id)
        table = self._table
        set_seats(
            table.kept, table.scored, table.planes, row, free, self._caseload, LAYOUT.seated, LIVE_BY_VARIANT
        )

    def set_prices(self, prices: Mapping[TherapistId, int]) -> None:
        """Prices every therapist, also those still to come; who is not named costs nothing."""
        numbers, points = [each.int for each in prices], np.fromiter(prices.values(), np.int32, len(prices))
        rows = np.array(self._rows.find_all(self._table.kept, numbers), np.int64)
        self._table.scored["price"] = 0
        self._table.scored["price"][rows[rows >= 0]] = points[rows >= 0]
        apart = np.flatnonzero(rows < 0).tolist()
        self._prices_apart = {numbers[place]: int(points[place]) for place in apart}

    def variants(self, search: Search) -> tuple[Variant, ...]:
        """The variants that fit."""
        return self._asker.pathways(search).names

    def shortlist(self, search: Search, size: int) -> list[Placed]:
        """The best, and below them the best of each pathway that none of them is proposed for.

        Which of the pathways that fit is taken, staff choose: the best alone could leave one out.
        """
        self._turn_to(search.on)
        pathways, blocked = self._asker.pathways(search), blocked_by(search.excluded, search.spoken_for)
        question = self._asker.question(search, pathways)
        best = self._scan(search, pathways, question, blocked, size)
        further: list[Placed] = []
        # Of fewer, all who pass are on the list.
        for variant in pathways.names if len(best) == size else ():
            if all(each.variant is not variant for each in best):
                listed = {each.number for each in (*best, *further)}
                own = pathways.narrowed(variant)
                # No more than are listed can stand before the best who is not.
                asked = question._replace(pathways=own.seated)
                on_it = self._scan(search, own, asked, blocked, len(listed) + 1)
                further += [each for each in on_it if each.number not in listed][:1]
        return best + sorted(further, key=lambda each: (-each.order, each.number))

    def best(self, search: Search, most: int, only: Variant | None = None) -> list[Placed]:
        """The therapists who pass every gate, by score minus what counts of the price and then by id.

        With `only`, who may be proposed for that variant, though another may suit them better.
        """
        self._turn_to(search.on)
        pathways = self._asker.pathways(search)
        if only is not None:
            pathways = pathways.narrowed(only)
        blocked = blocked_by(search.excluded, search.spoken_for)
        return self._scan(search, pathways, self._asker.question(search, pathways), blocked, most)

    def qualified(self, search: Search, most: int) -> list[Placed]:
        """Who passes every gate but that of the seat, by score and then by id."""
        self._turn_to(search.on)
        pathways, blocked = self._asker.pathways(search), blocked_by(search.excluded, {})
        return self._scan(search, pathways, self._asker.regardless(search, pathways), blocked, most)

    def seats(self) -> list[Seats]:
        """Everybody's seats."""
        kept = self._table.kept[: self._count][["id_high", "id_low", "seats_free", "seats_offered"]]
        return [Seats(high << 64 | low, free, offered) for high, low, free, offered in kept.tolist()]

    def _scan(
        self, search: Search, pathways: PathwayNumbers, question: Question, blocked: Array, most: int
    ) -> list[Placed]:
        best = np.zeros(most, BEST)
        kept = scan(
            self._table,
            blocked,
            self._districts.points_for(search.case),
            question,
            self._terms,
            self._desk,
            best,
        )
        return placed(pathways, best[:kept])

    def with_one_more_time(self, search: Search, first: Placed) -> dict[Slot, Placed]:
        """For each time that would put somebody else before who comes first now: whom."""
        self._turn_to(search.on)
        pathways, best = self._asker.pathways(search), np.zeros(len(SLOT), BEST)
        best["row"], best["order"] = self._find(first.number), first.order
        retime(
            self._table,
            blocked_by(search.excluded, search.spoken_for),
            self._districts.points_for(search.case),
            self._asker.question(search, pathways),
            self._terms,
            self._desk,
            best,
        )
        firsts = zip(Slot, placed(pathways, best), strict=True)
        return {slot: each for slot, each in firsts if each.number != first.number}

    def tally(self, search: Search) -> dict[Gate, int]:
        """How many therapists each gate keeps out; everybody is counted once, or passes."""
        self._turn_to(search.on)
        pathways, kept_out = self._asker.pathways(search), np.zeros(len(Gate), np.int64)
        tally(
            LAYOUT,
            self._table,
            self._districts.points_for(search.case),
            self._asker.question(search, pathways),
            *marked(self._table, self._rows, self._count, search),
            kept_out,
        )
        return dict(zip(Gate, kept_out.tolist(), strict=True))

    def nearest(self, search: Search) -> Nearest | None:
        """Who would score best of those whom exactly one gate keeps out."""
        self._turn_to(search.on)
        pathways, best = self._asker.pathways(search), np.zeros(1, NEAREST)
        if not nearest(
            LAYOUT,
            self._table,
            self._districts.points_for(search.case),
            self._asker.question(search, pathways),
            self._terms,
            *marked(self._table, self._rows, self._count, search),
            best,
        ):
            return None
        row, pathway, gate, score = best[0].tolist()
        high, low = self._table.kept[["id_high", "id_low"]][row].tolist()
        return Nearest(high << 64 | low, pathways.names[pathway], tuple(Gate)[gate], score)

    def _turn_to(self, day: date) -> None:
        if day != self._today:
            self._today = day
            self._day_limits = self._limits_of(day)
            everybody = np.arange(self._count, dtype=np.int64)
            paint_live(LAYOUT, self._table, everybody, *self._day_limits)
            write_standing(self._table, everybody, self._policy, self._day_limits[0])

    def _limits_of(self, day: date) -> tuple[int, int, int]:
        oldest = day - timedelta(days=self._policy.fresh_days)
        latest = day + timedelta(weeks=self._policy.latest_start_weeks)
        return day_number(day), day_number(oldest), day_number(latest)

    def _paint(self, rows: Array, entries: Sequence[Entry]) -> None:
        lists = dict.fromkeys(entry.languages for entry in entries)
        planes = {words: [self._language_plane(code) for code in met_by(words.split())] for words in lists}
        spoken = [planes[entry.languages] for entry in entries]
        paint_facts(LAYOUT, self._table, rows)
        speakers = np.repeat(rows, [len(each) for each in spoken])
        paint_languages(self._table.planes, speakers, np.fromiter(chain.from_iterable(spoken), np.int64))
        paint_live(LAYOUT, self._table, rows, *self._day_limits)

    def _language_plane(self, code: str) -> int:
        plane = self._languages.get(code)
        if plane is None:
            plane = self._languages[code] = LAYOUT.languages + len(self._languages)
            planes = self._table.planes
            if plane == planes.shape[0]:
                more = np.zeros((_MORE_LANGUAGES, planes.shape[1]), np.uint64)
                self._table = self._table._replace(planes=np.concatenate([planes, more]))
        return plane

    def _find(self, number: int) -> int | None:
        return self._rows.find(self._table.kept, number)

    def _make_room(self, rows: int) -> None:
        old = self._table
        new = empty_table(rows, old.planes.shape[0])
        new.scored[: self._count] = old.scored[: self._count]
        new.kept[: self._count] = old.kept[: self._count]
        filled = old.planes.shape[1]
        new.planes[:, :filled] = old.planes
        new.lowest[:filled], new.highest[:filled] = old.lowest, old.highest
        self._table = new
        self._desk = np.zeros((2, new.planes.shape[1]), np.uint64)
