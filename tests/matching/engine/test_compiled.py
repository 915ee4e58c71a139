"""What is compiled is kept for the very loops that it was compiled from."""

from pathlib import Path

import pytest

from services.matching.domain import pricing
from services.matching.domain.compiled import fingerprint
from services.matching.domain.engine import barring, nearing, painting, scanning, tallying


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "one.py", tmp_path / "two.py"]
    for file in files:
        file.write_text("LIMIT = 1\n")
    return files


def test_the_same_sources_have_the_same_fingerprint_wherever_they_lie(sources: list[Path]) -> None:
    before = fingerprint(sources)
    elsewhere = sources[0].parent / "elsewhere"
    elsewhere.mkdir()

    assert fingerprint([file.rename(elsewhere / file.name) for file in sources]) == before


def test_a_neighbour_that_changes_gives_another_fingerprint(sources: list[Path]) -> None:
    before = fingerprint(sources)
    sources[1].write_text("LIMIT = 2\n")

    assert fingerprint(sources) != before


def test_sources_that_change_places_give_another_fingerprint(sources: list[Path]) -> None:
    sources[1].write_text("LIMIT = 2\n")

    assert fingerprint(sources) != fingerprint(sources[::-1])


@pytest.mark.parametrize(
    "loop",
    [barring.bar, nearing.nearest, painting.paint_live, pricing.ascend, scanning.search, tallying.tally],
    ids=lambda loop: loop.__name__,
)
def test_every_loop_is_kept_under_the_fingerprint_of_all(loop: object) -> None:
    here = Path(pricing.__file__).parent
    loops = (here / "pricing.py", *sorted((here / "engine").glob("*.py")), here / "compiled.py")

    assert fingerprint(loops) in Path(loop._cache.cache_path).parts  # type: ignore[attr-defined]
