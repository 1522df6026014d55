"""Parts of a session with ftplib: PART HOST PORT [WORD…]. Whatever is not as it must be is an assertion that fails."""

import ftplib
import io
import os
import socket
import ssl
import sys

FILES = ["empty", "one", "block", "big"]
ODD = ["two words  twice", "Grüße, 世界 🎈", "it's \"quoted\""]

part, host, port, *words = sys.argv[1:]
user, password = os.environ["USER_NAME"], os.environ["PASSWORD"]


def context():
    trusted = ssl.create_default_context(cafile=os.environ["CERTIFICATE"])
    trusted.check_hostname = False  # it is reached by its address
    return trusted


def connect(host=host, port=port, tls="tls" in words):
    ftp = ftplib.FTP_TLS(timeout=60, context=context()) if tls else ftplib.FTP(timeout=60)
    ftp.encoding = "utf-8"
    welcome = ftp.connect(host, int(port))
    assert welcome.startswith("220"), welcome
    return ftp


def log_in(host=host, port=port):
    ftp = connect(host, port)
    answer = ftp.login(user, password)
    assert answer.startswith("230"), answer
    if isinstance(ftp, ftplib.FTP_TLS):
        answer = ftp.prot_p()
        assert answer.startswith("200"), answer
    ftp.set_pasv("active" not in words)
    return ftp


def refused(error, code, call, *args):
    try:
        answer = call(*args)
    except error as refusal:
        assert str(refusal).startswith(code), refusal
    else:
        raise AssertionError(f"{args} was not refused: {answer}")


def local(name):
    with open(os.path.join("here", name), "rb") as file:
        return file.read()


def fetch(ftp, path, rest=None):
    pieces = []
    answer = ftp.retrbinary("RETR " + path, pieces.append, rest=rest)
    assert answer.startswith("226"), answer
    return b"".join(pieces)


def told(ftp, command):
    lines = []
    answer = ftp.retrlines(command, lines.append)
    assert answer.startswith("226"), answer
    return lines


def logins(other, others_password):
    ftp = connect()
    refused(ftplib.error_perm, "530", ftp.login, user, "wrong")
    assert ftp.login(user, password).startswith("230")
    assert ftp.quit().startswith("221")

    ftp = connect()
    refused(ftplib.error_perm, "530", ftp.login, "nobody", "nothing")
    refused(ftplib.error_perm, "530", ftp.pwd)
    assert ftp.login().startswith("230")  # ftplib's default is anonymous
    assert ftp.nlst() == ["notice"]
    assert fetch(ftp, "notice") == b"for all\n"
    refused(ftplib.error_perm, "550", ftp.storbinary, "STOR x", io.BytesIO(b"x"))
    refused(ftplib.error_perm, "550", ftp.delete, "notice")
    ftp.close()

    with connect() as ftp:
        assert ftp.login(other, others_password).startswith("230")
        refused(ftplib.error_perm, "550", ftp.mkd, "made")

    with connect(tls=True) as ftp:
        assert ftp.auth().startswith("234")
        refused(ftplib.error_perm, "530", ftp.login, user, "wrong")
        assert ftp.login(user, password).startswith("230")
        ftp.prot_p()
        assert ftp.nlst() == ["there"]
        ftp.prot_c()
        assert ftp.nlst() == ["there"]


def calls():
    ftp = log_in()
    assert ftp.pwd() == "/"
    ftp.cwd("there")
    assert ftp.pwd() == "/there"
    ftp.cwd("..")
    refused(ftplib.error_perm, "550", ftp.cwd, "missing")
    listings(ftp)
    transfers(ftp)
    names(ftp)

    assert ftp.sendcmd("NOOP").startswith("200")
    assert ftp.sendcmd("SYST") == "215 UNIX Type: L8"
    assert "UTF8" in ftp.sendcmd("FEAT") and "MLST" in ftp.sendcmd("FEAT")
    assert ftp.voidcmd("TYPE I").startswith("200")
    refused(ftplib.error_reply, "350", ftp.voidcmd, "RNFR there/one")
    refused(ftplib.error_perm, "500", ftp.sendcmd, "NONSENSE")
    assert ftp.size("there/big") == len(local("big"))
    refused(ftplib.error_perm, "550", ftp.size, "there")
    assert len(ftp.sendcmd("MDTM there/big")) == len("213 20260101000000")

    assert ftp.mkd("new") == "/new"
    refused(ftplib.error_perm, "550", ftp.mkd, "new")
    assert ftp.mkd('q"q') == '/q"q'
    ftp.rmd('q"q')
    ftp.rename("there/one", "new/moved")
    assert ftp.nlst("new") == ["new/moved"]
    refused(ftplib.error_perm, "550", ftp.rename, "missing", "other")
    refused(ftplib.error_perm, "550", ftp.rmd, "new")
    ftp.delete("new/moved")
    refused(ftplib.error_perm, "550", ftp.delete, "new/moved")
    ftp.rmd("new")
    for path in ftp.nlst("there"):
        ftp.delete(path)
    ftp.rmd("there")
    assert ftp.quit().startswith("221")


def listings(ftp):
    assert sorted(ftp.nlst("there")) == sorted("there/" + name for name in FILES)
    assert sorted(ftp.nlst("there/b*")) == ["there/big", "there/block"]
    assert ftp.nlst("there/one") == ["there/one"]
    assert ftp.nlst("there/z*") == []
    refused(ftplib.error_perm, "550", ftp.nlst, "missing")
    ftp.cwd("there")
    assert sorted(ftp.nlst()) == sorted(FILES)
    ftp.cwd("/")

    lines = []
    ftp.dir("there", lines.append)
    sizes = {line.split(None, 8)[8]: int(line.split(None, 8)[4]) for line in lines}
    assert sizes == {name: len(local(name)) for name in FILES}, lines
    assert [line for line in told(ftp, "LIST") if line.startswith("d") and line.endswith(" there")]

    facts = {name: facts for name, facts in ftp.mlsd("there", ["type", "size", "perm"])}
    assert {name for name in facts if facts[name]["type"] == "file"} == set(FILES), facts
    assert facts["big"]["size"] == str(len(local("big")))
    assert dict(ftp.mlsd())["there"]["type"] == "dir"
    refused(ftplib.error_perm, "550", lambda: list(ftp.mlsd("missing")))


def transfers(ftp):
    os.mkdir("got")
    ftp.mkd("up")
    for name in FILES:
        with open(os.path.join("got", name), "wb") as file:
            assert ftp.retrbinary("RETR there/" + name, file.write).startswith("226")
        with open(os.path.join("here", name), "rb") as file:
            assert ftp.storbinary("STOR up/" + name, file).startswith("226")
    refused(ftplib.error_perm, "550", fetch, ftp, "missing")

    big, block = local("big"), local("block")
    assert fetch(ftp, "there/big", rest=1_000_001) == big[1_000_001:]
    assert fetch(ftp, "there/big", rest=len(big)) == b""
    ftp.storbinary("STOR resumed", io.BytesIO(big[:1_000_001]))
    ftp.storbinary("STOR resumed", io.BytesIO(big[1_000_001:]), rest=1_000_001)
    ftp.storbinary("STOR appended", io.BytesIO(block))
    ftp.storbinary("APPE appended", io.BytesIO(block))

    ftp.storlines("STOR lines", io.BytesIO(b"first\nsecond\r\n\nlast\n"))
    assert told(ftp, "RETR lines") == ["first", "second", "", "last"]

    ftp.voidcmd("TYPE I")
    with ftp.transfercmd("STOR by-hand") as data:
        data.sendall(block)
        end(data)
    assert ftp.voidresp().startswith("226")
    data, size = ftp.ntransfercmd("RETR by-hand")
    assert size == len(block), size
    with data, data.makefile("rb") as file:
        assert file.read() == block
        end(data)
    assert ftp.voidresp().startswith("226")


def end(data):
    if isinstance(data, ssl.SSLSocket):
        data.unwrap()


def names(ftp):
    for name in ODD:
        assert ftp.mkd(name) == "/" + name
        ftp.cwd(name)
        assert ftp.pwd() == "/" + name
        ftp.storbinary("STOR " + name, io.BytesIO(local("block")))
        assert ftp.nlst() == [name]
        assert [name for name, _ in ftp.mlsd()] == [name]
        [line] = told(ftp, "LIST")
        assert line.endswith(" " + name), line
        assert fetch(ftp, name) == local("block")
        ftp.rename(name, "plain")
        ftp.rename("plain", name)
        ftp.cwd("/")


def aborts():
    ftp = log_in()
    big = local("big")

    # A download, of which a little was read: enough lies behind it that the server waits for us.
    ftp.storbinary("STOR huge", io.BytesIO(big * 8))
    ftp.voidcmd("TYPE I")
    for telnet in [False, True, False]:
        data = ftp.transfercmd("RETR huge")
        data.recv(1000)
        answers(ftp, data, telnet)
        assert ftp.voidcmd("NOOP").startswith("200")

    # Whoever has seen enough may as well close the data connection: that is no fault of the disk's.
    data = ftp.transfercmd("RETR huge")
    data.recv(1000)
    data.close()
    refused(ftplib.error_temp, "426", ftp.voidresp)
    ftp.delete("huge")

    # An upload over a file that is there.
    for command in ["STOR there/big", "APPE there/big"]:
        for rest in [None, 1000]:
            data = ftp.transfercmd(command, rest)
            data.sendall(big[:1_000_000])
            answers(ftp, data)
            assert fetch(ftp, "there/big") == big

    # One that was never there.
    data = ftp.transfercmd("STOR new")
    data.sendall(b"x")
    answers(ftp, data)
    refused(ftplib.error_perm, "550", ftp.size, "new")

    # Gone without a word.
    data = ftp.transfercmd("STOR there/big")
    data.sendall(b"x")
    ftp.close()
    data.close()
    assert fetch(log_in(), "there/big") == big


def answers(ftp, data, telnet=False):
    """ABOR gets two answers: the transfer's and its own (RFC 959, 4.1.3). ftplib sends it as urgent data where it can; others
    send telnet's IP and Synch before it, the last byte of what is urgent being the one before DM."""
    if isinstance(ftp, ftplib.FTP_TLS):
        ftp.putcmd("ABOR")
        answer = ftp.getmultiline()
    elif telnet:
        ftp.sock.sendall(b"\xff\xf4\xff", socket.MSG_OOB)
        ftp.sock.sendall(b"\xf2ABOR\r\n")
        answer = ftp.getmultiline()
    else:
        answer = ftp.abort()
    assert answer.startswith("426"), answer
    answer = ftp.voidresp()
    assert answer.startswith("226"), answer
    data.close()


def strict(*_):
    """ftplib begins a new TLS session for each data connection."""
    ftp = log_in()
    refused(ftplib.error_perm, "522", fetch, ftp, "there/one")
    refused(ftplib.error_perm, "522", ftp.storbinary, "STOR there/one", io.BytesIO(b"other"))
    assert ftp.quit().startswith("221")


def v6(v6_port, *_):
    ftp = log_in("::1", v6_port)
    assert ftp.sock.family == socket.AF_INET6
    ftp.mkd("up")
    for name in FILES:
        ftp.storbinary("STOR up/" + name, io.BytesIO(local(name)))
        assert fetch(ftp, "up/" + name) == local(name)
    assert sorted(ftp.nlst("up")) == sorted("up/" + name for name in FILES)
    refused(ftplib.error_perm, "522", ftp.sendcmd, "EPSV 1")
    assert ftp.quit().startswith("221")


if part == "calls":
    calls()
elif part == "aborts":
    aborts()
else:
    {"logins": logins, "strict": strict, "v6": v6}[part](*words)
