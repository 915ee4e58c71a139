"""The best that could have been done: all arrivals known beforehand, by min-cost flow."""

import numpy as np
from ortools.graph.python import min_cost_flow

from services.matching.domain.engine.columns import Array
from tests.benchmarks.assignment.online import Given
from tests.benchmarks.assignment.world import World


def optimum(world: World) -> Given:
    """The most points that could be had if all arrivals were known beforehand."""
    numbers = {number: place for place, number in enumerate(world.seats)}
    count, therapists = len(world.arrivals), len(numbers)
    edges = [
        (place, numbers[number], points)
        for place, request in enumerate(world.arrivals)
        for number, points in request.choices
    ]
    who, whom, points = np.array(edges, np.int64).T
    flow = min_cost_flow.SimpleMinCostFlow()
    source, sink = count + therapists, count + therapists + 1

    def add(tails: Array, heads: Array, capacities: Array, costs: Array) -> Array:
        arcs: Array = flow.add_arcs_with_capacity_and_unit_cost(
            tails.astype(np.int32),
            heads.astype(np.int32),
            capacities.astype(np.int64),
            costs.astype(np.int64),
        )
        return arcs

    everybody, one, nothing = np.arange(count), np.ones(count), np.zeros(count)
    pairs = add(who, count + whom, np.ones(points.size), -points)
    add(np.full(count, source), everybody, one, nothing)
    add(everybody, np.full(count, sink), one, nothing)
    seats = np.array(list(world.seats.values()))
    add(count + np.arange(therapists), np.full(therapists, sink), seats, np.zeros(therapists))
    flow.set_nodes_supplies(np.array([source, sink], np.int32), np.array([count, -count], np.int64))
    assert flow.solve() == flow.OPTIMAL
    given: Given = [None] * count
    names = list(numbers)
    for edge in np.flatnonzero(flow.flows(pairs)).tolist():
        place, therapist, score = edges[edge]
        given[place] = (names[therapist], score)
    return given
