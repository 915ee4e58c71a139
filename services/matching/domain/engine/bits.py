"""Two machine instructions that compiled loops need and the language does not name."""

from collections.abc import Callable
from typing import Any, cast

from numba.core import types
from numba.extending import intrinsic


@intrinsic
def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), generate


@intrinsic
def _ones(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


# Within compiled code these take the word alone.
trailing_zeros = cast(Callable[[Any], Any], _trailing_zeros)
ones = cast(Callable[[Any], Any], _ones)
