"""Who is who between two frames: the cheapest one-to-one assignment."""

import numpy as np

from hyperlift.shapes import Float


def cheapest_pairs(cost: Float[np.ndarray, "rows columns"], unmatched_cost: float) -> list[tuple[int, int]]:
    """Pairs (row, column) that minimise the summed cost, where leaving a row alone costs ``unmatched_cost``.

    Exact. Rows enter one after the other, each by the shortest alternating path through those already placed
    (successive shortest paths for the assignment problem; Edmonds and Karp 1972). Meant for the few people in
    a frame.

    Args:
        cost: cost of every pair; infinite where a pair is impossible.
        unmatched_cost: pairs at or above it are never made.
    """
    rows, columns = cost.shape
    # A private way out for every row lets the plain assignment leave it alone.
    ways_out = np.full((rows, rows), np.inf)
    np.fill_diagonal(ways_out, unmatched_cost)
    full = np.concatenate([np.where(cost < unmatched_cost, cost, np.inf), ways_out], axis=1)
    choice = full.argmin(1) if rows else np.empty(0, int)
    if len(set(choice.tolist())) < rows:  # two rows want one column: only then is there something to weigh up
        choice = _augment_all(full)
    return [(row, int(column)) for row, column in enumerate(choice) if column < columns]


def _augment_all(cost: Float[np.ndarray, "rows columns"]) -> np.ndarray:
    rows, columns = cost.shape
    owner = np.full(columns, -1)
    for new_row in range(rows):
        # Bellman-Ford: distance to a column = cheapest chain of hand-overs that frees it for the new row.
        distance, previous = cost[new_row].copy(), np.full(columns, -1)
        taken = np.flatnonzero(owner >= 0)
        for _ in range(len(taken)):
            held = cost[owner[taken], taken]
            through = distance[taken, None] - held[:, None] + cost[owner[taken]]
            best = through.argmin(0)
            shorter = through[best, np.arange(columns)] < distance - 1e-12
            if not shorter.any():
                break
            distance[shorter] = through[best, np.arange(columns)][shorter]
            previous[shorter] = taken[best][shorter]
        column = int(np.where(owner < 0, distance, np.inf).argmin())
        while previous[column] >= 0:
            owner[column] = owner[previous[column]]
            column = int(previous[column])
        owner[column] = new_row
    choice = np.empty(rows, int)
    choice[owner[owner >= 0]] = np.flatnonzero(owner >= 0)
    return choice
