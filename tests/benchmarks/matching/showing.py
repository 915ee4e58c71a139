"""What was measured, in a table, and which goals were reached."""

from typing import Any

import numpy as np

from services.matching.domain.engine import Engine

LOOP_BELOW = 200_000
"""With as many, nobody waits for the loop, and other goals hold."""

MICRO = 1e6


def summary(count: int, requests: int, engine: Engine, taken: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Percentiles per contender, and per round how many times longer than the engine each took."""
    contenders = {}
    for name, rounds in taken.items():
        every = np.array(rounds) * MICRO
        ratios = every.sum(axis=1) / (np.array(taken["engine"]) * MICRO).sum(axis=1)
        contenders[name] = {
            "p50_us": round(float(np.percentile(every, 50)), 1),
            "p99_us": round(float(np.percentile(every, 99)), 1),
            "mean_us": round(float(every.mean()), 1),
            "per_second": round(MICRO / float(every.mean())),
            "ratio": [round(float(np.percentile(ratios, q)), 1) for q in (25, 50, 75)],
        }
    return {
        "therapists": count,
        "requests": requests,
        "rounds": len(taken["engine"]),
        "bytes_per_therapist": round(engine.bytes_used / count, 1),
        "contenders": contenders,
    }


def shown(result: dict[str, Any]) -> str:
    """A table in Markdown."""
    lines = [
        f"{result['therapists']:,} therapists, {result['requests']} requests, {result['rounds']} rounds,"
        " the same ids and scores from all\n",
        "| engine | p50 µs | p99 µs | mean µs | requests/s | times as long as the engine (quartiles) |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in result["contenders"].items():
        low, middle, high = found["ratio"]
        lines.append(
            f"| {name} | {found['p50_us']:,} | {found['p99_us']:,} | {found['mean_us']:,} |"
            f" {found['per_second']:,} | {middle:,} ({low:,}–{high:,}) |"
        )
    lines.append("")
    lines += [f"- {'met' if met else 'NOT MET'}: {goal}" for goal, met in goals(result)]
    return "\n".join(lines) + "\n\n"


def goals(result: dict[str, Any]) -> list[tuple[str, bool]]:
    """What is to be reached with so many therapists, and whether it was."""
    contenders, size = result["contenders"], result["bytes_per_therapist"]
    checks = [(f"at most 100 bytes a therapist ({size})", size <= 100)]
    if result["therapists"] >= LOOP_BELOW:
        p99 = contenders["engine"]["p99_us"] / 1000
        return [*checks, (f"p99 at most 5 ms ({p99:.2f})", p99 <= 5)]
    loop = contenders["loop"]["ratio"][1]
    sql = min(found["ratio"][1] for name, found in contenders.items() if name.startswith("SQL"))
    p99 = contenders["engine"]["p99_us"] / 1000
    table = result["table"]
    return [
        *checks,
        (f"at least 200 times the loop ({loop})", loop >= 200),
        (f"at least 50 times the better SQL ({sql})", sql >= 50),
        (f"p99 at most 0.5 ms ({p99:.2f})", p99 <= 0.5),
        (f"rebuilt within 2 s from entries in memory ({result['rebuild_s']})", result["rebuild_s"] <= 2),
        (f"rebuilt within 2 s from the table ({table['rebuild_s']})", table["rebuild_s"] <= 2),
        (f"a seat that changes is taken up within 10 µs ({table['change_us']})", table["change_us"] <= 10),
        (
            f"and seen by the next search within 10 µs, less the search ({table['seen_us']})",
            table["seen_us"] <= 10,
        ),
    ]
