"""Encrypted connections: what is looked at of the server's certificate, and of the user's."""
import subprocess

import world
from world import case, connector, finish, must, rows, sql

QUERY = 'query: "select id from safe_in"'


def options(ca="ca", more=""):
    return f'tls: verify, ca: "{world.files.path(ca + ".pem")}"' + more


def shown(name, key=None):
    return f', cert: "{world.files.path(name + ".pem")}", cert_key: "{world.files.path((key or name) + ".key")}"'


def ran(folder, how, code=0, **who):
    """A row into a table, and one out of another."""
    sql("DROP TABLE IF EXISTS safe; DROP TABLE IF EXISTS safe_in; CREATE TABLE safe (id int); CREATE TABLE safe_in (id int); INSERT INTO safe_in VALUES (7);"
        "GRANT ALL ON safe, safe_in TO PUBLIC")
    (folder / "r.jsonl").write_text('{"id":1}\n')
    said = finish(folder, f"""source r: {{ id: int }} = file("r.jsonl")\nemit r to {connector('table: "safe", ' + how, **who)}""", code)
    must(sql("SELECT count(*) FROM safe") == ("0" if code else "1"), said)
    (folder / "out.jsonl").unlink(missing_ok=True)
    read = finish(folder, f"""source r: {{ id: int }} = {connector(QUERY + ", " + how, **who)}\nemit r to file("out.jsonl")""", code)
    must(code or rows(folder / "out.jsonl") == [{"id": 7}], read)
    return [said, read]


def refused(folder, how, *words, **who):
    for said in ran(folder, how, 3, **who):
        for word in words:
            must(word in said, f"`{word}` is missing: {said}")


def servers(folder):
    """Who the server is."""
    port = world.server.port
    ran(folder, "tls: require")
    ran(folder, options())
    ran(folder, options(), host=f"localhost:{port}")
    refused(folder, options("stranger"), f"127.0.0.1:{port}", "signed by nobody in", "stranger.pem")
    refused(folder, "tls: verify", "signed by nobody in", "/etc/ssl/certs")
    refused(folder, options("none"), "none.pem: No such file")
    (folder / "wrong").write_text("CANARY-other")
    refused(folder, options(), "password authentication failed", password=f'secret_file("{folder}/wrong")')


def another_host(folder):
    """A certificate of another host, until the server has its own again."""
    own = {name: world.files.path(name).read_bytes() for name in ("server.pem", "server.key")}
    try:
        for name in own:
            world.files.path(name).write_bytes(world.files.path(name.replace("server", "other")).read_bytes())
        sql("SELECT pg_reload_conf()")
        world.until(lambda: "elsewhere" in served(), "the certificate is not taken")
        refused(folder, options(), "of another host")
        ran(folder, "tls: require")
    finally:
        for name, content in own.items():
            world.files.path(name).write_bytes(content)
        sql("SELECT pg_reload_conf()")
        world.until(lambda: "elsewhere" not in served(), "the certificate is not taken")


def served():
    """The certificate that the server shows, as text."""
    got = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect", world.server.address], capture_output=True, stdin=subprocess.DEVNULL)
    return subprocess.run(["openssl", "x509", "-noout", "-text"], input=got.stdout, capture_output=True).stdout.decode()


def users(folder):
    """Who the user is: one who has to show a certificate beside the password."""
    sql("CREATE USER shown PASSWORD 'CANARY-pw'")
    access = world.server.data / "pg_hba.conf"
    access.write_text("hostssl all shown 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\nhost all shown all reject\n" + access.read_text())
    sql("SELECT pg_reload_conf()")
    world.until(lambda: sql("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'reject'") == "1", "the rule is not taken")
    ran(folder, options(more=shown("client")), user="shown")
    refused(folder, options(), "`cert` and `cert_key`", user="shown")
    refused(folder, options(more=shown("mine")), "does not take the certificate", user="shown")
    refused(folder, options(more=shown("client", "locked")), "has a password", user="shown")
    refused(folder, "tls: off", "`tls: verify`", user="shown")


def judge():
    case("encrypted servers", servers)
    case("encrypted another host", another_host)
    case("encrypted users", users)
