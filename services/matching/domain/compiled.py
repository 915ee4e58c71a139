"""How loops are compiled, and where what comes out is kept."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numba as nb
from numba.core import config

_HERE = Path(__file__).parent


def fingerprint(sources: Iterable[Path]) -> str:
    """Tells one state of the loops from another: a name for what is compiled from these files."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


# Numba asks of a loop's own file alone whether it is still what was compiled. What a loop takes from its
# neighbours is compiled into it and must not outlive them, neither beside the code nor in a volume that an
# upgrade finds as it was.
_LOOPS = (_HERE / "pricing.py", *sorted((_HERE / "engine").glob("*.py")), Path(__file__))
config.CACHE_DIR = str(Path(config.CACHE_DIR or _HERE / "__pycache__") / fingerprint(_LOOPS))  # type: ignore[attr-defined]

compiled = nb.njit(cache=True, error_model="numpy", nogil=True)
"""Compiles a loop at its first call, once for all processes that come after."""
