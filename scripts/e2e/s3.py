"""s3.py BINARY DIRECTORY: backs up to a bucket, verifies, removes old backups, and restores; keeps
contracts of clients in a bucket, and moves them there and back. `moto` stands in for S3."""

import os
import re
import subprocess
import sys

import boto3
import requests
from moto.server import ThreadedMotoServer

binary, directory = sys.argv[1:]
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
host, port = server.get_host_and_port()
aws = {
    "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    "AWS_ALLOW_HTTP": "true",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
}
bucket = boto3.resource(
    "s3",
    endpoint_url=aws["AWS_ENDPOINT_URL"],
    aws_access_key_id="id",
    aws_secret_access_key="secret",
    region_name="us-east-1",
).create_bucket(Bucket="backups")


def exit3(*arguments, **settings):
    environment = {"PATH": os.environ["PATH"], "TMPDIR": directory, **aws, **settings}
    run = subprocess.run(
        [binary, *arguments], cwd=directory, env=environment, text=True, capture_output=True
    )
    return run.returncode, run.stdout, run.stderr


def must(*arguments, **settings):
    status, said, failure = exit3(*arguments, **settings)
    assert status == 0, (arguments, failure)
    return said


def keys():
    return {item.key for item in bucket.objects.all()}


must("seed-demo", "--leads", "1000", "--subscribers", "10")
# Large enough for an upload in several parts.
os.makedirs(f"{directory}/data/contracts")
with open(f"{directory}/data/contracts/big.pdf", "wb") as file:
    file.write(os.urandom(10 << 20))
# The seven newest archives stay, including the one created below.
stay = {f"exit3/prod/exit3-2020030{day}T000000.000Z.backup" for day in range(1, 7)}
stay.add("exit3/prod/of-somebody-else")
for key in stay | {"exit3/prod/exit3-20200101T000000.000Z.backup"}:
    bucket.put_object(Key=key, Body=b"old")
place = "s3://backups/exit3/prod"
said = must("backup", "--to", place, "--keep-days", "30")
name = said.splitlines()[0].split(": ")[0]
assert name.startswith(f"{place}/exit3-"), said
assert keys() == stay | {name.removeprefix("s3://backups/")}, keys()
must("verify-backup", BACKUP_TO=place)
must("restore", name, DATA_DIR="other")
with open(f"{directory}/data/contracts/big.pdf", "rb") as there:
    with open(f"{directory}/other/contracts/big.pdf", "rb") as here:
        assert there.read() == here.read()
left = [name for name in os.listdir(directory) if name.startswith(".")]
assert not left, left
# A missing bucket is reported as an error, also by verify-backup.
for arguments in (["backup", "--to", "s3://elsewhere"], ["verify-backup", "--from", "s3://elsewhere"]):
    status, _, failure = exit3(*arguments)
    assert status != 0 and len(failure.splitlines()) == 1, failure
    assert "secret" not in failure, failure

# Contracts of clients in the bucket: received in parts, sent, in backups, and moved.
CONTRACTS = "s3://backups/contracts/prod"
settings = {
    "PATH": os.environ["PATH"],
    "TMPDIR": directory,
    **aws,
    "DATA_DIR": "bucket",
    "CONTRACT_DIR": CONTRACTS,
    "PORT": "0",
    "METRICS_BIND": "off",
    "BASIC_API_KEY": "key",
    "SECRET_KEY": "secret-of-the-tests",
}


def serve():
    service = subprocess.Popen(
        [binary], cwd=directory, env=settings, text=True, stdout=subprocess.PIPE
    )
    for line in service.stdout:
        if found := re.search(r"Listening on (http://\S+)", line):
            return service, found[1].rstrip("/") + "/backend/api/v1/clients/"
    raise AssertionError("the service does not start")


service, clients = serve()
headers = {"Authorization": "Basic key"}
made = requests.post(clients, headers=headers, json={"team_id": "T", "category": "web_dev"})
assert made.status_code == 201, made.text
contract = f"{clients}{made.json()['id']}/contract/"
content = b"%PDF-1.7\n" + os.urandom(11 << 20)
put = requests.put(contract, headers=headers, files={"file": ("Ugovor čšž.pdf", content)})
assert put.status_code == 200, put.text
path = put.json()["contract_file"]
assert path.startswith("uploads/") and f"contracts/prod/{path}" in keys(), keys()
refused = requests.put(contract, headers=headers, files={"file": ("a.pdf", b"MZ")})
assert refused.status_code == 400, refused.text
got = requests.get(contract, headers=headers)
assert got.content == content, got.status_code
assert "Ugovor%20%C4%8D%C5%A1%C5%BE.pdf" in got.headers["Content-Disposition"], got.headers
service.terminate()
service.wait()
said = must("backup", "--to", place, DATA_DIR="bucket", CONTRACT_DIR=CONTRACTS)
name = said.splitlines()[0].split(": ")[0]
must("restore", name, DATA_DIR="moved")
with open(f"{directory}/moved/contracts/{path}", "rb") as here:
    assert here.read() == content
said = must("backup", "--to", place, DATA_DIR="moved")
name = said.splitlines()[0].split(": ")[0]
bucket.Object(f"contracts/prod/{path}").delete()
must("restore", name, DATA_DIR="back", CONTRACT_DIR=CONTRACTS)
assert bucket.Object(f"contracts/prod/{path}").get()["Body"].read() == content
assert not [key for key in keys() if ".partial" in key], keys()
status, _, failure = exit3("backup", "--to", place, DATA_DIR="bucket", CONTRACT_DIR="s3://elsewhere")
assert status != 0 and "CONTRACT_DIR" in failure, failure
server.stop()
print("1010 rows and 10 MiB of contract files were stored in a bucket and restored;\n"
      "a contract went to the bucket, to a directory and back")
