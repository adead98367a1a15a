"""Pages of the back office with a million leads, beside Django's admin with the same rows."""

import gzip
import http.client
import re
import sqlite3
import statistics
import subprocess
import time
from urllib.parse import urlencode

from measure import cpu_of, idle_mib
from postgres import binary
from report import table
from services import HERE, Django, Exit3, peer_python

BASE = "/backend/admin/"
LEADS = BASE + "leads/"
PERSON, PASSWORD = "bench", "correct horse battery"
# The demo data have the skew of a real table: the newest tenth is unread and from the website. They lack
# owners and next steps.
WORK = (
    "UPDATE leads SET owner_id = 1 WHERE id % 50 = 0",
    "UPDATE leads SET next_step = 'Call again', next_step_at = {tomorrow} WHERE id % 200 = 0",
    "UPDATE leads SET next_step_at = {yesterday} WHERE id % 400 = 0",
)
# Each kind of page: its name, its paths, and the milliseconds that 95 of 100 requests may take.
TODAY = {"today": [""]}
LISTS = {
    "newest first": [""],
    "a status": [f"?status={word}" for word in ("new", "contacted", "interested", "not_interested", "converted", "closed")],
    "a source, a category": ["?source=website", "?source=referral", "?category=web_dev", "?category=sales_auto"],
    "status, source and category": ["?status=closed&source=linkedin", "?status=new&category=web_dev&source=website&sort=full_name"],
    "an owner": ["?owner=1", "?owner=1&status=closed", "?owner=1&sort=full_name"],
    "unassigned": ["?owner=none", "?owner=none&status=closed"],
    "due": ["?due=1", "?due=1&sort=next_step_at", "?due=1&owner=1"],
    "created in a range": ["?since={month}", "?since={half}&until={month}", "?since={half}&until={month}&status=closed"],
    "sorted": [f"?sort={sign}{name}" for name in ("created_at", "full_name", "company_name", "status", "next_step_at") for sign in ("", "-")],
    "sorted and filtered": ["?status=contacted&sort=full_name", "?source=website&sort=company_name", "?since={month}&sort=full_name"],
    "from the middle": ["?after={middle}", "?before={middle}&status=closed", "?after={middle}&sort=full_name"],
}
DETAILS = {"a lead of a list": ["{middle}/", "{middle}/?status=closed", "{middle}/?sort=full_name", "{middle}/?q=horvat"]}
SEARCHES = {
    "common words": ["?q=ana", "?q=horvat", "?q=adria"],
    "two words": ["?q=ana+horvat", "?q=horvat+adria", "?q=petra+novak"],
    "rare words": ["?q=%2B3859112345", "?q=nobody%40nowhere.example", "?q=zzz"],
    "short words": ["?q=an", "?q=z"],
    "words with filters": ["?q=ana&status=closed", "?q=horvat&status=closed&source=linkedin", "?q=horvat+adria&category=web_dev&sort=full_name", "?q=zzz&status=new"],
}
ADMIN_LISTS = {"newest first": ["?"], "a status": ["?status__exact=closed"], "sorted": ["?o=1", "?o=2"], "from the middle": ["?p=10000"]}
ADMIN_SEARCHES = {"common words": ["?q=ana", "?q=horvat"], "two words": ["?q=ana+horvat"], "rare words": ["?q=zzz"], "words with filters": ["?q=ana&status__exact=closed"]}
LEAST = 100


class Visitor:
    """Somebody who is signed in, on one connection."""

    def __init__(self, service, cookies):
        self.service, self.connection = service, service.connect()
        self.headers = {"Cookie": cookies, "Accept-Encoding": "gzip", "Accept": "text/html"}

    def get(self, path):
        """The milliseconds until the whole page has arrived, and the page as it was sent."""
        begin = time.perf_counter()
        try:
            self.connection.request("GET", path, headers=self.headers)
            answer = self.connection.getresponse()
            page = answer.read()
        except (http.client.RemoteDisconnected, ConnectionError):
            self.connection = self.service.connect()
            return self.get(path)
        taken = (time.perf_counter() - begin) * 1e3
        if answer.status != 200:
            raise SystemExit(f"{self.service.name}: {path} answers {answer.status}: {page[:300]}")
        return taken, page if answer.getheader("Content-Encoding") == "gzip" else gzip.compress(page)


def post(service, path, fields, cookies=""):
    """Sends a form; returns the status and all cookies."""
    connection = service.connect()
    origin = f"http://127.0.0.1:{service.port}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies, "Sec-Fetch-Site": "same-origin", "Origin": origin, "Referer": origin + path}
    connection.request("POST", path, urlencode(fields), headers)
    answer = connection.getresponse()
    answer.read()
    given = [value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    return answer.status, "; ".join([cookies, *given]).strip("; ")


def enter(service):
    """Makes an account and signs in."""
    command = [service.binary, "staff", "create", "--username", PERSON, "--role", "owner"]
    made = subprocess.run(command, env=service.environment, cwd=service.directory, input=PASSWORD + "\n", capture_output=True, text=True)
    if made.returncode != 0:
        raise SystemExit(f"exit3 staff create failed: {made.stderr[-1000:]}")
    status, cookies = post(service, BASE, {"_username": PERSON, "_password": PASSWORD})
    if status != 303:
        raise SystemExit(f"the sign-in answers {status}")
    return Visitor(service, cookies)


def enter_django(service):
    """Makes a superuser and signs in."""
    manage = [service.python, str(HERE / "django/manage.py"), "createsuperuser", "--noinput", "--username", PERSON, "--email", "bench@example.com"]
    subprocess.run(manage, env=service.environment | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}, cwd=service.directory, check=True, capture_output=True)
    connection = service.connect()
    connection.request("GET", BASE + "login/")
    answer = connection.getresponse()
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', answer.read().decode())[1]
    cookies = answer.getheader("Set-Cookie").split(";")[0]
    status, cookies = post(service, BASE + "login/", {"csrfmiddlewaretoken": token, "username": PERSON, "password": PASSWORD, "next": BASE}, cookies)
    if status != 302:
        raise SystemExit(f"the sign-in of Django answers {status}")
    return Visitor(service, cookies)


def give_work(service):
    """Gives some leads owners and next steps."""
    at = "now() + {} * interval '1 second'" if service.postgres else "(unixepoch() + {}) * 1000000"
    times = {"tomorrow": at.format(86400), "yesterday": at.format(-86400)}
    statements = [statement.format(**times) for statement in WORK]
    if service.postgres:
        for statement in statements:
            service.postgres.sql(statement, service.database)
        service.postgres.settle(service.database)
        return
    with sqlite3.connect(next((service.directory / "data").glob("*.sqlite3"))) as database:
        for statement in statements:
            database.execute(statement)


def fill(paths, leads, base):
    """The addresses of a kind of page."""
    day = lambda ago: time.strftime("%Y-%m-%d", time.gmtime(time.time() - ago * 86400))  # noqa: E731
    return [base + path.format(month=day(30), half=day(180), middle=leads // 2) for path in paths]


def measure(run, visitor, kinds, base, most, label, postgres):
    """Requests all pages of each kind in turns; returns rows of the table."""
    rows = []
    for kind, paths in kinds.items():
        addresses = fill(paths, run.options.many, base)
        for path in addresses:
            visitor.get(path)
        taken, size = {path: [] for path in addresses}, 0
        times = max(run.options.steps // len(addresses), LEAST // len(addresses))
        before = sum(cpu_of(visitor.service, postgres))
        for _ in range(times if most else 3):
            for path in addresses:
                one, page = visitor.get(path)
                taken[path].append(one)
                size = max(size, len(page))
        every = [one for found in taken.values() for one in found]
        cost = (sum(cpu_of(visitor.service, postgres)) - before) / len(every) * 1e3
        p95 = {path: statistics.quantiles(found, n=20)[-1] if len(found) > 1 else found[0] for path, found in taken.items()}
        slowest = max(p95, key=p95.get)
        rows.append([f"{label}: {kind}", f"{statistics.median(every):.1f}", f"{p95[slowest]:.1f}", f"{cost:.1f}", f"{size / 1000:.1f}", slowest.removeprefix(base)])
        if most:
            run.goals.at_most(f"{label}: {kind}, p95 of the slowest (ms)", p95[slowest], most)
            run.goals.at_most(f"{label}: {kind}, page (kB, gzip)", size / 1000, 40)
    return rows


HEAD = ["one request at a time", "median ms", "p95 of the slowest", "CPU ms, with database", "kB gzip", "the slowest"]


def ours(run, on_postgres):
    """The pages of exit3."""
    service = run.exit3(f"office_{'pg' if on_postgres else 'sqlite'}", on_postgres, run.options.many)
    postgres = run.postgres() if on_postgres else None
    give_work(service)
    service.start()
    visitor = enter(service)
    wait_for_index(service)
    wait_for_weeks(service)
    rows = []
    for kinds, base, most in ((TODAY, BASE, 25), (LISTS, LEADS, 25), (DETAILS, LEADS, 25), (SEARCHES, LEADS, 50)):
        rows += measure(run, visitor, kinds, base, most, service.name, postgres)
    table(f"{service.name}, {run.options.many:,} leads", HEAD, rows)
    service.stop()
    memory = idle_mib(service)
    run.goals.at_most(f"idle memory (MiB), {service.name}", memory, 32)
    return service


def wait_for_index(service):
    """Waits until the search index of SQLite has all leads."""
    if service.postgres:
        return
    path = next((service.directory / "data").glob("*.sqlite3"))
    while True:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            behind = database.execute(
                "SELECT (SELECT count(*) FROM lead_search_queue) + (SELECT count(*) FROM leads WHERE id > (SELECT indexed_to FROM lead_search_state))"
            ).fetchone()[0]
        if behind == 0:
            return
        time.sleep(1)


def wait_for_weeks(service):
    """Waits until the leads of all weeks of the first page are counted."""
    count = "SELECT count(*) FROM lead_weeks"
    path = None if service.postgres else next((service.directory / "data").glob("*.sqlite3"))
    while True:
        if path is None:
            counted = int(service.postgres.sql(count, service.database))
        else:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                counted = database.execute(count).fetchone()[0]
        if counted >= 12:
            return
        time.sleep(1)


def theirs(run, peer):
    """The pages of Django's admin on the rows of `peer`."""
    python = peer_python(run.options.python)
    run.postgres().create("office_django")
    service = Django(run.directory / "office_django", run.postgres(), "office_django", python, 600)
    service.environment["DJANGO_SETTINGS_MODULE"] = "peer.admin_settings"
    run.stack.callback(service.stop)
    service.seed(1)
    run.postgres().sql("DELETE FROM common_lead", "office_django")
    columns = "id, full_name, position, company_name, phone_number, email, source, status, notes, created_at, updated_at, category"
    psql = [binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c"]
    rows = subprocess.Popen([*psql, f"COPY (SELECT {columns} FROM leads) TO STDOUT", run.postgres().url(peer.database)], stdout=subprocess.PIPE)
    subprocess.run([*psql, f"COPY common_lead ({columns}) FROM STDIN", run.postgres().url("office_django")], stdin=rows.stdout, check=True)
    run.postgres().settle("office_django")
    service.start()
    visitor = enter_django(service)
    found = []
    for kinds in (ADMIN_LISTS, ADMIN_SEARCHES):
        found += measure(run, visitor, kinds, BASE + "common/lead/", None, "Django's admin", run.postgres())
    table(f"Django's admin on PostgreSQL, the same {run.options.many:,} leads", HEAD, found)
    service.stop()


def measure_backoffice(run):
    """Prints a table for each database and for Django's admin, and the goals."""
    if run.binary:
        ours(run, False)
        peer = ours(run, True)
        if run.options.only != "exit3":
            theirs(run, peer)
