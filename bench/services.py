"""The two services to measure: how to start, seed and stop them."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

from postgres import free_port

HERE = pathlib.Path(__file__).resolve().parent
LEADS = "/backend/api/v1/leads/"
LIVE = "/backend/health/live/"
KEY = "bench-key-0f9d8c7b6a5e4d3c2b1a"
SECRET = "bench-secret-4c1f0a9be27d4e5f8a6b3c2d1e0f9a8b7c6d5e4f"


def peer_python(chosen):
    """A Python with the packages of django/requirements.txt."""
    for candidate in (chosen, HERE / "django/.venv/bin/python", shutil.which("python3")):
        if candidate and os.path.exists(candidate):
            if subprocess.run([candidate, "-c", "import django, gunicorn, rest_framework"], capture_output=True).returncode == 0:
                return str(candidate)
    raise SystemExit("the packages of the Django service are missing: see bench/README.md, or pass a Python with --python")


class Service:
    """A process that serves the API on a free port."""

    name, key = "", KEY
    alive = b"HTTP/1.1 "  # the beginning of the first response

    def __init__(self, directory, environment):
        self.port = free_port()
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {**inherited, **environment}
        self.process = None

    def command(self):
        """The command that starts the service."""
        raise NotImplementedError

    def spawn(self):
        """Starts the process without waiting for it."""
        log = open(self.directory / "service.log", "ab")
        self.process = subprocess.Popen(
            self.command(), env=self.environment, cwd=self.directory, stdout=log, stderr=log, start_new_session=True
        )
        log.close()

    def wait(self, path):
        """Waits until the response to `path` begins with `alive` (a connection alone does not count)."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                    if connection.recv(100).startswith(self.alive):
                        return
            except OSError:
                pass
            time.sleep(0.001)
        log = (self.directory / "service.log").read_text(errors="replace")
        raise SystemExit(f"{self.name} does not start:\n{log[-2000:]}")

    def start(self):
        """Starts the service and waits until it is live."""
        self.spawn()
        self.wait(LIVE)
        return self

    def stop(self):
        """Stops the service and its children."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def headers(self):
        """The headers of every request."""
        return {"Authorization": f"Basic {self.key}"}

    def get(self, path, connection=None):
        """Sends one GET; returns status and JSON."""
        return self.request("GET", path, None, connection)

    def request(self, method, path, body=None, connection=None):
        """Sends one request on the given connection, or on a new one; returns status and JSON."""
        own = connection or self.connect()
        headers = self.headers()
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        own.request(method, path, body, headers)
        response = own.getresponse()
        content = response.read()
        if connection is None:
            own.close()
        return response.status, json.loads(content) if content else None

    def connect(self):
        """Opens a connection that is kept open."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def check(self, leads):
        """Stops the run if the response is wrong: fast errors would make the service look fast."""
        status, page = self.get(LEADS)
        if status != 200 or page["count"] != leads or len(page["results"]) != 50:
            raise SystemExit(f"{self.name}: the list is not {leads} leads, 50 a page: {status} {str(page)[:300]}")


class Django(Service):
    """The Django service under gunicorn with two sync workers."""

    def __init__(self, directory, postgres, database, python, keep):
        self.name = f"Django, CONN_MAX_AGE={keep}"
        self.python, self.postgres, self.database = python, postgres, database
        environment = {
            "DATABASE_URL": postgres.url(database), "CONN_MAX_AGE": str(keep), "BASIC_API_KEY": KEY, "SECRET_KEY": SECRET,
            "PYTHONPATH": str(HERE / "django"), "DJANGO_SETTINGS_MODULE": "peer.settings", "PYTHONDONTWRITEBYTECODE": "1",
        }
        super().__init__(directory, environment)

    def command(self):
        return [self.python, "-m", "gunicorn", "peer.wsgi", "--workers", "2", "--bind", f"127.0.0.1:{self.port}", "--log-level", "warning"]

    def seed(self, leads):
        """Migrates, then fills the table."""
        manage = [self.python, str(HERE / "django/manage.py"), "migrate", "-v", "0"]
        subprocess.run(manage, env=self.environment, cwd=self.directory, check=True)
        self.postgres.sql((HERE / "sql/seed-django.sql").read_text().replace(":leads", str(leads)), self.database)
        self.postgres.settle(self.database)


class Exit3(Service):
    """The `dist` binary of this project; without a database URL it uses embedded SQLite."""

    alive = b"HTTP/1.1 200 "

    def __init__(self, directory, binary, url=None, postgres=None, database=None):
        self.name = f"exit3, {'PostgreSQL' if url else 'SQLite'}"
        self.binary, self.postgres, self.database = str(binary), postgres, database
        super().__init__(directory, {"HOST": "127.0.0.1", "BASIC_API_KEY": KEY, "SECRET_KEY": SECRET})
        self.environment |= {"PORT": str(self.port), "DATA_DIR": str(self.directory / "data")}
        limits = ("RATE_LIMIT_ANON", "RATE_LIMIT_USER", "RATE_LIMIT_LEAD_CREATE", "RATE_LIMIT_NEWSLETTER_CREATE")
        self.environment |= {name: "off" for name in limits}
        self.environment["METRICS_BIND"] = "off"
        if url:
            self.environment["DATABASE_URL"] = url

    def command(self):
        return [self.binary, "serve"]

    def seed(self, leads):
        """Migrates by a first start, then fills the tables with `exit3 seed-demo`."""
        self.start().stop()
        seed = [self.binary, "seed-demo", "--leads", str(leads)]
        result = subprocess.run(seed, env=self.environment, cwd=self.directory, capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"exit3 seed-demo failed: {result.stderr[-2000:]}")
        if self.postgres:
            self.postgres.settle(self.database)


def dist_binary(chosen):
    """The `dist` binary, or None if it has not been built."""
    path = pathlib.Path(chosen or HERE.parent / "target/dist/exit3")
    if not path.exists():
        print(f"{path.name} has not been built (cargo build --profile dist): exit3 is not measured", file=sys.stderr)
        return None
    return path.resolve()
