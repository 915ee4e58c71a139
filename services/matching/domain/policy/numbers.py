"""The numbers that a policy is made of, and spans of them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.matching.domain.policy.sources import Cited

Points = Annotated[int, Field(ge=0, le=10_000)]
Positive = Annotated[int, Field(ge=1, le=10_000)]
Percent = Annotated[int, Field(ge=0, le=100)]
Days = Annotated[int, Field(ge=1, le=3_650)]


class Table(BaseModel):
    """A table of the file; a row that nobody knows is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Span(Table):
    """A range of whole numbers with both ends included; written `[first, last]`."""

    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(le=120)]

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: object) -> object:
        if isinstance(value, list):
            if len(value) != 2:
                raise ValueError("must be [first, last]")
            return {"first": value[0], "last": value[1]}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("the last must not be below the first")
        return self

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __str__(self) -> str:
        return f"{self.first} and over" if self.last >= 120 else f"{self.first} to {self.last}"


class Phases(Cited):
    """The sessions of a course, cut in three."""

    opening: Span
    middle: Span
    ending: Span

    @model_validator(mode="after")
    def _without_gaps(self) -> Self:
        follows = self.middle.first == self.opening.last + 1 and self.ending.first == self.middle.last + 1
        if self.opening.first != 1 or not follows:
            raise ValueError("phases must begin at session 1 and follow one another without gap or overlap")
        return self

    @property
    def sessions(self) -> int:
        """How many sessions a full course has; one a week."""
        return self.ending.last
