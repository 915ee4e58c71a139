"""The part of the policy that is about groups: how large, how far apart in age, how long they gather."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[int, Field(ge=1, le=1_000)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: str


class Size(_Row):
    """How many a group needs to be formed, and how many it takes."""

    least: Annotated[int, Field(ge=2)]
    most: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.most < self.least:
            raise ValueError("the most must not be below the least")
        return self


class Years(_Row):
    """A difference in age."""

    years: Annotated[int, Field(ge=0, le=120)]


class Days(_Row):
    """A time."""

    days: Positive


class Sessions(_Row):
    """A number of sessions."""

    sessions: Annotated[int, Field(ge=0, le=20)]


class Course(_Row):
    """The sessions together."""

    sessions: Positive
    minutes: Positive


class GroupRules(BaseModel):
    """The rules for groups of one variant."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    size: Size
    age_span: Years
    individual_first: Sessions
    gathering: Days
    starting: Days
    course: Course

    def sources(self) -> Iterator[tuple[str, str]]:
        """Every row with what it stands on."""
        for name in type(self).model_fields:
            yield name, getattr(self, name).source
