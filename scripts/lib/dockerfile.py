"""Executes deploy/Dockerfile without a container engine.

`build DIRECTORY PROFILE` builds its stages, `run DIRECTORY` runs and checks its image. It only
supports the instructions that this Dockerfile uses."""

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

DOCKERFILE = Path("deploy/Dockerfile")
MOST_BYTES = 60_000_000
# Directories of this machine that stand in for the base image.
BASE = ["usr", "bin", "sbin", "lib", "lib64", "etc", "dev", "proc"]


def instructions():
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.M)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, rest = line.split(None, 1)
            yield word, rest.strip()


def flags(rest):
    found = {}
    while match := re.match(r"--(\S+?)=(\S+)\s+", rest):
        found.setdefault(match[1], []).append(match[2])
        rest = rest[match.end():]
    return found, rest


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


class Stage:
    def __init__(self, root, base):
        self.root, self.base = root, base
        self.env, self.workdir = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, "/"
        self.image = {}
        root.mkdir(parents=True)
        if base == "scratch":
            return
        for name in BASE:
            if (Path("/") / name).exists():
                (root / name).mkdir()
                mount("--rbind", f"/{name}", root / name)
                if name not in ("dev", "proc"):
                    mount("-o", "remount,bind,ro", root / name)
        (root / "tmp").mkdir()
        # The base image has Rust in other places.
        homes = {
            "CARGO_HOME": os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")),
        }
        for name, home in homes.items():
            self.env[name] = f"/rust/{name}"
            (root / f"rust/{name}").mkdir(parents=True)
            mount("--bind", home, root / f"rust/{name}")
        self.env["PATH"] += ":/rust/CARGO_HOME/bin"

    def inside(self, path):
        return self.root / os.path.join(self.workdir, path).lstrip("/")

    def copy(self, rest, stages):
        found, rest = flags(rest)
        *sources, target = shlex.split(rest)
        into = self.inside(target)
        for source in sources:
            if "from" in found:
                source = stages[found["from"][0]].root / source.lstrip("/")
            else:
                allowed = Path(f"{DOCKERFILE}.dockerignore").read_text().split()
                assert f"!{source}" in allowed, f"{source} is excluded by the .dockerignore file"
                source = Path(source)
            if source.is_dir():
                shutil.copytree(source, into, dirs_exist_ok=True, symlinks=True)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, into)
        user, group = map(int, found.get("chown", ["0:0"])[0].split(":"))
        for path in [into, *into.rglob("*")]:
            os.chown(path, user, group, follow_symlinks=False)

    def run(self, rest):
        found, command = flags(rest)
        for option in found.get("mount", []):
            target = re.fullmatch(r"type=cache,target=(\S+)", option)[1]
            if target.endswith("/target"):
                self.inside(target).mkdir(exist_ok=True)
                mount("--bind", os.path.realpath("target"), self.inside(target))
        command = ["chroot", self.root, "env", "-C", self.workdir, "sh", "-c", command]
        subprocess.run(command, env=self.env, check=True, stdin=subprocess.DEVNULL)


def build(work, profile):
    mount("--make-rprivate", "/")
    stages, stage, arguments = {}, None, {"PROFILE": profile}
    for word, rest in instructions():
        print("--", word, rest, flush=True)
        if word == "FROM":
            base, name = (re.split(r"\s+AS\s+", rest) + ["image"])[:2]
            stage = stages[name] = Stage(work / name, base)
        elif word == "ARG":
            name, default = rest.split("=")
            stage.env[name] = arguments.get(name, default)
        elif word == "ENV":
            stage.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "WORKDIR":
            stage.workdir = rest
            stage.inside(".").mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            stage.copy(rest, stages)
        elif word == "RUN":
            stage.run(rest)
        elif word in ("USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"):
            stage.image[word] = rest
        else:
            sys.exit(f"the instruction {word} is not supported")
    stage.image |= {"ENV": stage.env, "WORKDIR": stage.workdir}
    (work / "image.json").write_text(json.dumps(stage.image))


def check(holds, sentence):
    if not holds:
        sys.exit(f"image: {sentence}")
    print("ok:", sentence)


def run(work):
    root, image = work / "image", json.loads((work / "image.json").read_text())
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    check(size <= MOST_BYTES, f"{size / 1e6:.1f} MB in {len(files)} files, at most 60 MB")
    names = {path.name for path in files}
    check(not names & {"sh", "bash", "curl", "apt-get", "busybox"}, "the image contains no shell")
    user, group = map(int, image["USER"].split(":"))
    check(user > 0 and group > 0, f"the user is {user}, not root")
    owned = [path for path in root.rglob("*") if path.lstat().st_uid == user]
    check(owned == [root / image["VOLUME"].lstrip("/")], "the user owns only /data")

    # Like --read-only in an engine: only the volume is writable.
    volume = work / "volume"
    shutil.copytree(root / image["VOLUME"].lstrip("/"), volume)
    os.chown(volume, user, group)
    (root / "proc").mkdir()
    mount("--bind", root, root)
    mount("-t", "proc", "proc", root / "proc")
    mount("--bind", volume, root / image["VOLUME"].lstrip("/"))
    mount("-o", "remount,bind,ro", root)
    with socket.socket() as any_socket:
        loopback = struct.pack("16sH14x", b"lo", 1)
        fcntl.ioctl(any_socket, 0x8914, loopback)  # SIOCSIFFLAGS, IFF_UP

    def enter():
        os.chroot(root)
        os.chdir(image["WORKDIR"])
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)

    entrypoint, health = json.loads(image["ENTRYPOINT"]), image["HEALTHCHECK"]
    health = json.loads(health[health.index("["):])
    env = {"PATH": "/usr/bin", **image["ENV"]}
    log = open(work / "log", "w+")
    start = dict(env=env, preexec_fn=enter, stdout=log, stderr=log)
    service = subprocess.Popen(entrypoint + json.loads(image["CMD"]), **start)
    for _ in range(100):
        healthy = subprocess.run(health, **start).returncode == 0
        if healthy or service.poll() is not None:
            break
        time.sleep(0.2)
    log.seek(0)
    check(healthy, f"the health check passes{'' if healthy else ': ' + log.read()}")
    status = Path(f"/proc/{service.pid}/status").read_text()
    check(f"Uid:\t{user}\t{user}\t{user}" in status, "the service runs as that user")
    database = volume / "exit3.sqlite3"
    check(database.exists(), "the database is in the volume")
    key = (volume / "api_key").read_text().strip()
    ask = subprocess.run([*entrypoint, "probe", "http://127.0.0.1:8000", "--key", key], **start)
    check(ask.returncode == 0, "exit3 probe passes")
    for words in (["backup", "--to", "/data/backups"], ["verify-backup", "--from", "/data/backups"]):
        done = subprocess.run([*entrypoint, *words], **start)
        check(done.returncode == 0, f"exit3 {words[0]} needs no other writable directory")
    try:
        (root / "written").touch()
        written = True
    except OSError:
        written = False
    check(not written, "its root file system is read-only")
    service.send_signal(getattr(signal, image["STOPSIGNAL"]))
    check(service.wait(timeout=40) == 0, "it stops cleanly on the stop signal")
    check(subprocess.run(health, **start).returncode != 0, "the health check fails then")


if __name__ == "__main__":
    directory = Path(sys.argv[2])
    build(directory, sys.argv[3]) if sys.argv[1] == "build" else run(directory)
