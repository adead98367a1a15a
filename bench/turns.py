"""What settings cost: two services on one database, loaded a second each in turns.

A process can be a tenth dearer than the next one of the same program, by where its memory and
its connections came to lie, and a machine is not equally fast from one minute to the next.
Turns take away the one, processes made anew in every round the other; what is left is told as
the standard error.
"""

import math
import statistics
from dataclasses import dataclass

from measure import cpu_seconds, wrk
from report import table


@dataclass
class Side:
    """What one of the two did in a round. CPU in seconds, also of what it did in the other's turns."""

    loads: list
    cpu: float

    def cost(self):
        """CPU milliseconds a request."""
        return self.cpu / sum(load.requests for load in self.loads) * 1e3


class Pair:
    """The rounds of a service and of the one it is compared with."""

    def __init__(self):
        self.plain, self.other = [], []

    def loads(self):
        """All of them."""
        return [load for side in self.plain + self.other for load in side.loads]

    def ratio(self):
        """CPU of a request, other / plain: the mean over the rounds, and its standard error."""
        found = [other.cost() / plain.cost() for plain, other in zip(self.plain, self.other)]
        return statistics.mean(found), statistics.stdev(found) / math.sqrt(len(found))


def one_round(run, pair, plain, other):
    """Both services made anew, each loaded `--seconds` times for a second."""
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
    """Creates of each of `others` against those of `plain`; prints them, returns the pairs by name."""
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
    table(title, ["", "requests/s", "CPU ms/request", "CPU, times as much"], rows)
    return pairs
