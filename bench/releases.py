"""Idle memory, lists and creates of two releases in turns, at one, 32 and 256 connections, beside pgbench's INSERT of the lead alone."""

import statistics

from measure import idle_mib, wrk
from report import table
from services import HERE, Exit3

ROUNDS = 3
CONNECTIONS = (1, 32, 256)
# PostgreSQL accepts 100 connections by default.
MOST_CLIENTS = 64


def pairs(run, on_postgres):
    """A service of each release, each with a database of its own."""
    options = run.options
    found = {}
    for release, binary in (("before", options.before), ("now", run.binary)):
        name = f"release_{release}"
        url = run.postgres().create(name) if on_postgres else None
        place = run.directory / f"{name}_{'postgres' if on_postgres else 'sqlite'}"
        service = Exit3(place, binary, url, run.postgres() if on_postgres else None, name if on_postgres else None)
        run.stack.callback(service.stop)
        service.seed(options.leads)
        found[release] = service
    return found


def inserts(run, script, connections):
    """Rows per second that pgbench stores one by one."""
    return run.postgres().pgbench("release_now", script, min(connections, MOST_CLIENTS), run.options.seconds)


def lists(run, services, postgres):
    """The loads of lists of each release, before creates make the tables grow: {release: loads}."""
    loads = {}
    for turn in range(ROUNDS):
        for release, service in in_turn(services, turn):
            service.start()
            loads.setdefault(release, []).append(wrk(service, postgres, run.options.connections, run.options.seconds))
            service.stop()
    return loads


def in_turn(services, turn):
    """The services, the other one first in each second turn. One runs at a time: an inactive one still has jobs."""
    return list(services.items())[:: -1 if turn % 2 else 1]


def memory(run, label, services):
    """Prints the idle memory of each release, and holds one against the other."""
    found = {}
    for turn in range(ROUNDS):
        for release, service in in_turn(services, turn):
            found.setdefault(release, []).append(idle_mib(service))
    middle = {release: statistics.median(all_of) for release, all_of in found.items()}
    rows = [[release, f"{mib:.1f}"] for release, mib in middle.items()]
    table(f"Idle memory on {label}", ["", "MiB"], rows)
    run.goals.at_most(f"{label}: idle memory (MiB), now - before", middle["now"] - middle["before"], 2)


def one_database(run, label, on_postgres):
    """All loads on one kind of database: lists by release, creates by (release, connections), rates of pgbench."""
    services, loads, reference = pairs(run, on_postgres), {}, {}
    memory(run, label, services)
    postgres = run.postgres() if on_postgres else None
    read = lists(run, services, postgres)
    script = run.directory / "create.sql"
    script.write_text((HERE / "sql/create.sql").read_text().replace("TABLE_NAME", run.options.table))
    for turn in range(ROUNDS):
        for connections in CONNECTIONS:
            for release, service in in_turn(services, turn):
                service.start()
                loads.setdefault((release, connections), []).append(wrk(service, postgres, connections, run.options.seconds, "create.lua"))
                service.stop()
            if on_postgres:
                reference.setdefault(connections, []).append(inserts(run, script, connections))
    return read, loads, reference


def mean(loads, value):
    """The mean of one figure of several loads."""
    return statistics.mean(getattr(load, value) for load in loads)


def row(name, found, beside):
    """A row of the table for the loads of one release."""
    figures = [f"{mean(found, 'rate'):,.0f}", beside, f"{mean(found, 'median'):.2f}", f"{mean(found, 'p99'):.1f}"]
    return [name, *figures, f"{mean(found, 'cpu'):.3f}", f"{mean(found, 'database_cpu'):.3f}"]


def measure_releases(run):
    """Prints a table for each database, and holds the release against the one before."""
    for label, on_postgres in (("PostgreSQL", True), ("SQLite", False)):
        read, loads, reference = one_database(run, label, on_postgres)
        rows = [row(f"lists, {run.options.connections} connections, {release}", found, "-") for release, found in read.items()]
        for (release, connections), found in sorted(loads.items(), key=lambda entry: (entry[0][1], entry[0][0])):
            beside = f"{mean(found, 'rate') / statistics.mean(reference[connections]):.2f}" if reference else "-"
            rows.append(row(f"creates, {connections} connections, {release}", found, beside))
        head = ["", "requests/s", "of pgbench", "median ms", "p99 ms", "CPU ms/request", "PostgreSQL CPU ms"]
        table(f"Two releases on {label}, {ROUNDS} rounds of {run.options.seconds} seconds in turns", head, rows)
        ratio = mean(read["now"], "rate") / mean(read["before"], "rate")
        run.goals.at_least(f"{label}: lists, now / before", ratio, 0.95)
        goals(run, label, loads, reference)
        run.goals.nothing_failed([load for found in read.values() for load in found])


def goals(run, label, loads, reference):
    """Adds the goals of one database."""
    before, now = loads["before", 32], loads["now", 32]
    if reference:
        run.goals.at_least("creates, 32 connections / pgbench", mean(now, "rate") / statistics.mean(reference[32]), 1.6)
        alone = mean(loads["now", 1], "median") / mean(loads["before", 1], "median")
        run.goals.at_most(f"{label}: median of a create, 1 connection, now / before", alone, 1.15)
        run.goals.at_least(f"{label}: creates, 256 connections / 32", mean(loads["now", 256], "rate") / mean(now, "rate"), 1)
    else:
        run.goals.at_least(f"{label}: creates, 32 connections, now / before", mean(now, "rate") / mean(before, "rate"), 0.85)
    run.goals.nothing_failed([load for found in loads.values() for load in found])
