"""Compares lists with few and with many leads. Both services run at the same time and are measured in turns."""

from urllib.parse import urlsplit

from measure import Steps
from report import table
from services import LEADS

ROUNDS = 10


def same(path, times):
    """Yields the same path `times` times."""
    for _ in range(times):
        yield path


def cursor(times, state):
    """Follows `next`, continuing where the previous call stopped. At the end of the list it starts again."""
    path = state.get("next") or LEADS + "?cursor="
    for _ in range(times):
        page = yield path
        link = urlsplit(page["next"] or LEADS + "?cursor=")
        path = f"{link.path}?{link.query}"
    state["next"] = path


def own_write(service):
    """Creates a lead right before each timed request."""
    body = {"full_name": "Just Written", "position": "Engineer", "email": "just@example.com"}

    def write(connection):
        status, answer = service.request("POST", LEADS, body, connection)
        if status != 201:
            raise SystemExit(f"{service.name}: a create returned {status}: {answer}")

    return write


def measure_scale(run, pair, label, postgres, with_cursor):
    """Measures the pair (few leads, many leads) and adds the goals."""
    options = run.options
    for service, leads in zip(pair, (options.leads, options.many)):
        service.check(leads)
    lists = {
        "default list": "",
        "status list": "?status=contacted",
        # The newest leads all have the status "new", so a slow plan would scan all of them.
        "two statuses": "?status=contacted&status=interested",
        "status and source by name": "?status=contacted&source=referral&ordering=full_name",
    }
    kinds = list(lists) + (["cursor step"] if with_cursor else []) + ["list after own write"]
    found = {(kind, side): Steps() for kind in kinds for side in (0, 1)}
    states = [{}, {}]
    times = max(1, options.steps // ROUNDS)
    for number in range(-1, ROUNDS):
        for kind in kinds:
            for side, service in enumerate(pair):
                steps = found[kind, side] if number >= 0 else Steps()
                before = own_write(service) if kind == "list after own write" else None
                if kind == "cursor step":
                    paths = cursor(times, states[side])
                else:
                    paths = same(LEADS + lists.get(kind, ""), times)
                steps.run(service, postgres, paths, before)
    rows = []
    for kind in kinds:
        few, many = found[kind, 0], found[kind, 1]
        ratio = many.median() / few.median()
        cost = f"{few.cost():.2f} / {many.cost():.2f}" if few.cpu else "-"
        rows.append([kind, f"{few.median():.2f}", f"{many.median():.2f}", f"{ratio:.2f}", cost])
        if label != "Django":
            run.goals.at_most(f"{kind}, {options.many:,} / {options.leads:,}, {label}", ratio, 2)
    head = [f"{label}, one request at a time", f"{options.leads:,}: ms", f"{options.many:,}: ms", "ratio", "CPU ms, service and database"]
    table("Few leads and many", head, rows)
