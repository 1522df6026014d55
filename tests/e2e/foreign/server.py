"""pyftpdlib for the tests of the client: server.py DIRECTORY USER PASSWORD [OPTION]...

Says its port when it listens. Options: tls; digest (XMD5), wrong (an XMD5 that is never right); other (another key on data
connections); abrupt (data connections under TLS end without its farewell); sizeless (neither SIZE nor a size among facts).
"""

import hashlib
import os
import sys

from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.log import config_logging
from pyftpdlib.servers import FTPServer

directory, user, password, *options = sys.argv[1:]
home = os.path.join(directory, "home")


class Accounts(DummyAuthorizer):
    """What is called secret may not be read."""

    def has_perm(self, username, perm, path=None):
        if path and os.path.basename(path).startswith("secret") and perm == "r":
            return False
        return DummyAuthorizer.has_perm(self, username, perm, path)


class Data(TLS_DTPHandler):
    """Data connections under TLS."""

    def secure_connection(self, context):
        if "other" in options:
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            context.use_certificate_file(os.path.join(directory, "other-certificate"))
            context.use_privatekey_file(os.path.join(directory, "other-key"))
        super().secure_connection(context)

    def close(self):
        if "abrupt" in options:
            self._ssl_established = False
        super().close()


Base = TLS_FTPHandler if "tls" in options else FTPHandler


class Handler(Base):
    """With XMD5 and without SIZE, where that is asked for."""

    proto_cmds = dict(Base.proto_cmds)

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        if "XMD5" in self.proto_cmds:
            self._extra_feats.append("XMD5")
        if "sizeless" in options:
            for facts in (self._available_facts, self._current_facts):
                facts.remove("size")

    def ftp_XMD5(self, path):
        with open(path, "rb") as file:
            digest = hashlib.md5(b"x" if "wrong" in options else file.read()).hexdigest()
        self.respond("250 " + digest)


if "digest" in options or "wrong" in options:
    Handler.proto_cmds["XMD5"] = dict(perm="r", auth=True, arg=True, help="XMD5 name")
if "sizeless" in options:
    del Handler.proto_cmds["SIZE"]
accounts = Accounts()
accounts.add_user(user, password, home, perm="elradfmwMT")
accounts.add_anonymous(home)
Handler.authorizer = accounts
if "tls" in options:
    pem = os.path.join(directory, "both")
    with open(pem, "w") as both:
        for part in ("certificate", "key"):
            with open(os.path.join(directory, part)) as file:
                both.write(file.read())
    Handler.certfile = pem
    Handler.tls_control_required = True
    Handler.tls_data_required = True
    Handler.dtp_handler = Data
config_logging(level=40)
server = FTPServer(("127.0.0.1", 0), Handler)
print(server.address[1], flush=True)
server.serve_forever()
