"""A throwaway PostgreSQL with its default, durable settings, in a temporary directory."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

USER, PASSWORD = "bench", "bench-password"

# Parameters for pgbench: a lead of the size that create.lua sends.
PARAMETERS = {
    "full_name": "Bench Person 12345", "position": "Engineer", "company_name": "Company 345 d.o.o.",
    "phone_number": "+385910012345", "email": "person.123456.12345@example.com", "source": "website",
    "status": "new", "notes": "Asked about a web shop, number 12345.", "category": "web_dev",
    "search_document": "bench person 12345\ncompany 345 d.o.o.\nperson.123456.12345@example.com\n+385910012345",
}


def free_port():
    """A port that is currently free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binary(name):
    """The path of a PostgreSQL program: the one in PATH, else the newest installed version."""
    installed = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda p: int(p.split("/")[4]))
    found = shutil.which(name) or (installed[-1] if installed else None)
    if not found:
        raise SystemExit(f"{name} of PostgreSQL is not installed")
    return found


class Postgres:
    """A server that the constructor starts and `stop` stops. initdb refuses root, so root runs it as `postgres`."""

    def __init__(self, directory):
        self.port = free_port()
        self.directory = pathlib.Path(directory) / "postgres"
        self.directory.mkdir()
        self.drop = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.directory, account.pw_uid, account.pw_gid)
            self.drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        secret = pathlib.Path(directory) / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = self.directory / "data"
        subprocess.run(
            [binary("initdb"), "-D", data, "-U", USER, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale", "C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.directory, **self.drop,
        )
        self.log = open(pathlib.Path(directory) / "postgres.log", "wb")
        self.process = subprocess.Popen(
            [binary("postgres"), "-D", data, "-p", str(self.port), "-k", self.directory, "-c", "listen_addresses=127.0.0.1"],
            stdout=self.log, stderr=self.log, cwd=self.directory, start_new_session=True, **self.drop,
        )
        self.wait()

    def url(self, database="postgres"):
        """The URL for DATABASE_URL."""
        return f"postgres://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def wait(self):
        """Waits until the server answers."""
        for _ in range(300):
            ready = subprocess.run([binary("psql"), self.url(), "-c", "SELECT 1"], capture_output=True)
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit("the throwaway PostgreSQL does not start, see its log")

    def sql(self, statement, database="postgres"):
        """Runs one statement and returns its output."""
        command = [binary("psql"), self.url(database), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def create(self, database):
        """Creates an empty database and returns its URL."""
        self.sql(f"CREATE DATABASE {database}")
        return self.url(database)

    def settle(self, database):
        """Finishes the deferred work of seeding, so that it does not disturb the measurement."""
        self.sql("VACUUM ANALYZE", database)
        self.sql("CHECKPOINT", database)

    def pgbench(self, database, script, clients, seconds):
        """Transactions per second of a script."""
        command = [binary("pgbench"), "-n", "-c", str(clients), "-j", "2", "-M", "prepared", "-T", str(seconds), "-f", script]
        for name, value in PARAMETERS.items():
            command += ["-D", f"{name}={value}"]
        command.append(self.url(database))
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for line in output.splitlines():
            if line.startswith("tps ="):
                return float(line.split()[2])
        raise SystemExit("pgbench printed no tps")

    def stop(self):
        """A fast shutdown."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
        self.log.close()
