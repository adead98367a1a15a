"""Measures the cost of settings: two services on one database, loaded for a second each in turns.

Two processes of the same program can differ by a tenth, depending on where their memory and
connections are, and the speed of a machine changes from minute to minute. New processes in every
round even out the first effect, turns the second. The standard error shows what remains.
"""

import math
import statistics
from dataclasses import dataclass

from measure import cpu_seconds, wrk
from report import table


@dataclass
class Side:
    """The loads of one service in a round. CPU in seconds, including what it used in the other's turns."""

    loads: list
    cpu: float

    def cost(self):
        """CPU milliseconds per request."""
        return self.cpu / sum(load.requests for load in self.loads) * 1e3


class Pair:
    """All rounds of two services that are compared."""

    def __init__(self):
        self.plain, self.other = [], []

    def loads(self):
        """All loads of both services."""
        return [load for side in self.plain + self.other for load in side.loads]

    def ratio(self):
        """CPU per request, other / plain: the mean over the rounds, and its standard error."""
        found = [other.cost() / plain.cost() for plain, other in zip(self.plain, self.other)]
        return statistics.mean(found), statistics.stdev(found) / math.sqrt(len(found))


def one_round(run, pair, plain, other):
    """Starts both services, and loads each `--seconds` times for a second."""
    services = [plain.start(), other.start()]
    connections, postgres = run.options.connections, run.postgres()
    for service in services:
        wrk(service, postgres, connections, 1, "create.lua", warm=False)
    sides = {service: Side([], -cpu_seconds(service.process.pid)) for service in services}
    for _ in range(run.options.seconds):
        for service in services:
            sides[service].loads.append(wrk(service, postgres, connections, 1, "create.lua", warm=False))
        services.reverse()
    for service in services:
        sides[service].cpu += cpu_seconds(service.process.pid)
    for service in services:
        service.stop()
    pair.plain.append(sides[plain])
    pair.other.append(sides[other])


def creates_in_turns(run, plain, others, rounds):
    """Compares creates of each of `others` with those of `plain`; prints a table, returns the pairs by name."""
    pairs = {name: Pair() for name in others}
    for _ in range(rounds):
        for name, other in others.items():
            one_round(run, pairs[name], plain, other)
    rows = []
    for name, pair in pairs.items():
        mean, error = pair.ratio()
        rate = statistics.mean(load.rate for side in pair.other for load in side.loads)
        cost = statistics.mean(side.cost() for side in pair.other)
        rows.append([name, f"{rate:,.0f}", f"{cost:.4f}", f"{mean:.3f} ± {error:.3f}"])
    title = f"Creates, PostgreSQL, {rounds} rounds of {run.options.seconds} seconds in turns with {plain.name}"
    table(title, ["", "requests/s", "CPU ms/request", "CPU ratio"], rows)
    return pairs
