"""A mail server for tests: smtp.py DIRECTORY SECURITY PORT

SECURITY is plain, starttls or tls; both need cert.pem and key.pem in DIRECTORY. Each mail becomes a
line of JSON in the file `mails`. The user "exit3" has the password "secret". Addresses that begin with
"nobody" are refused, those with "later" are refused for now, and for those with "vague" the
connection is cut when the mail has been received.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

directory, security, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return f"550 5.1.1 <{address}> does not exist"
        if address.startswith("later"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("ascii"),
            "encrypted": session.ssl is not None or security == "tls",
            "user": (session.auth_data.login.decode() if session.auth_data else None),
        }
        with open(directory / "mails", "a") as mails:
            print(json.dumps(mail), file=mails)
        if envelope.rcpt_tos[0].startswith("vague"):
            server.transport.abort()
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data.login == b"exit3" and data.password == b"secret"
    return AuthResult(success=known, handled=False, auth_data=data if known else None)


async def main():
    context = None
    if security != "plain":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(directory / "cert.pem", directory / "key.pem")

    def protocol():
        return SMTP(
            Handler(),
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=authenticate,
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        protocol, "127.0.0.1", port, ssl=context if security == "tls" else None
    )
    (directory / "port").write_text(str(server.sockets[0].getsockname()[1]))
    # The input is closed when the process of the test ends.
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
