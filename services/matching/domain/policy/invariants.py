"""What no policy may change: rules of the design that keep people safe, whatever else a clinic decides."""

from collections.abc import Collection, Iterator, Mapping

from shared.contract.vocabulary import Condition, Variant

_NEEDS: Mapping[Variant, tuple[str, ...]] = {
    Variant.FB_IPT: ("attending_adult",),
    Variant.IPT_AST: ("no_diagnosis", "no_acute_flag"),
}
_WIDEST_AGES = {
    Variant.IPT: (18, 120),
    Variant.IPT_A: (12, 18),
    Variant.IPT_AST: (12, 16),
    Variant.FB_IPT: (0, 12),
    Variant.IPT_G: (18, 120),
}
_OPEN_TO_BIPOLAR = frozenset({Variant.IPSRT, Variant.SYSTEMIC})
"""Of the forms of IPT only the one made for it."""


def broken(
    variant: Variant, ages: tuple[int, int], needs: Collection[str], not_for: Collection[Condition]
) -> Iterator[tuple[str, str]]:
    """Each row of a form that breaks such a rule, and the rule."""
    for need in _NEEDS.get(variant, ()):
        if need not in needs:
            yield "needs", f"must hold {need} for {variant}"
    first, last = _WIDEST_AGES.get(variant, ages)
    if ages[0] < first or ages[1] > last:
        yield "ages", f"must lie within {first} to {last} for {variant}"
    if variant not in _OPEN_TO_BIPOLAR and Condition.BIPOLAR_DISORDER not in not_for:
        yield "not_for", f"must hold bipolar_disorder for {variant}"
