"""What settings cost: two services on one database, loaded a second each in turns.

A process can be a tenth dearer than the next one of the same program, by where its memory and
its connections came to lie, and a machine is not equally fast from one minute to the next.
Turns take away the one, processes made anew in every round the other; what is left is told as
the standard error.
"""

import math
import statistics

from measure import wrk
from report import table


class Pair:
    """The loads of a service and of the one it is compared with, by round."""

    def __init__(self):
        self.plain, self.other = [], []

    def loads(self):
        """All of them."""
        return [load for rounds in (self.plain, self.other) for loads in rounds for load in loads]

    def ratio(self):
        """CPU of a request, other / plain: the mean over the rounds, and its standard error."""
        found = [cpu(other) / cpu(plain) for plain, other in zip(self.plain, self.other)]
        return statistics.mean(found), statistics.stdev(found) / math.sqrt(len(found))


def cpu(loads):
    """CPU milliseconds a request over several loads."""
    return sum(load.cpu * load.requests for load in loads) / sum(load.requests for load in loads)


def one_round(run, pair, plain, other):
    """Both services made anew, each loaded `--seconds` times for a second."""
    services = [plain.start(), other.start()]
    loads = {service: [] for service in services}
    for service in services:
        wrk(service, run.postgres(), run.options.connections, 1, "create.lua", warm=False)
    for _ in range(run.options.seconds):
        for service in services:
            loads[service].append(wrk(service, run.postgres(), run.options.connections, 1, "create.lua", warm=False))
        services.reverse()
    for service in services:
        service.stop()
    pair.plain.append(loads[plain])
    pair.other.append(loads[other])


def creates_in_turns(run, plain, others, rounds):
    """Creates of each of `others` against those of `plain`; prints them, returns the pairs by name."""
    pairs = {name: Pair() for name in others}
    for _ in range(rounds):
        for name, other in others.items():
            one_round(run, pairs[name], plain, other)
    rows = []
    for name, pair in pairs.items():
        mean, error = pair.ratio()
        loads = [load for loads in pair.other for load in loads]
        rows.append([name, f"{statistics.mean(load.rate for load in loads):,.0f}", f"{cpu(loads):.4f}", f"{mean:.3f} ± {error:.3f}"])
    title = f"Creates, PostgreSQL, {rounds} rounds of {run.options.seconds} seconds in turns with {plain.name}"
    table(title, ["", "requests/s", "CPU ms/request", "CPU, times as much"], rows)
    return pairs
