"""An authority of the tests, and certificates that it has signed; another one, whom nobody trusts."""
import pathlib
import subprocess


OF_SERVER = "subjectAltName=IP:127.0.0.1,DNS:localhost"


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Certificates:
    """Files in `folder`: `ca.pem`, `stranger.pem`, and of each name `NAME.pem`, `NAME.key`, and both in `NAME.both`.

    server  of 127.0.0.1 and localhost
    other   of another host
    client  of who connects
    mine    the same, signed by the other authority
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name in ("ca", "stranger"):
            self.key(name)
            openssl("req", "-x509", "-new", "-key", self.path(f"{name}.key"), "-days", 2, "-subj", f"/CN=authority {name}", "-out",
                    self.path(f"{name}.pem"))
        self.sign("server", OF_SERVER)
        self.sign("other", "subjectAltName=DNS:elsewhere.example")
        self.sign("client", "extendedKeyUsage=clientAuth")
        self.sign("mine", "extendedKeyUsage=clientAuth", "stranger")
        openssl("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-passout", "pass:right-word", "-in", self.path("client.key"), "-out",
                self.path("locked.key"))

    def path(self, name):
        return self.folder / name

    def key(self, name):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.path(f"{name}.key"))
        self.path(f"{name}.key").chmod(0o644)  # servers that do not run as root read it

    def sign(self, name, extension, by="ca"):
        self.key(name)
        request, more = self.path(f"{name}.csr"), self.path(f"{name}.ext")
        more.write_text(extension + "\n")
        openssl("req", "-new", "-key", self.path(f"{name}.key"), "-subj", f"/CN={name}", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.path(f"{by}.pem"), "-CAkey", self.path(f"{by}.key"), "-CAcreateserial", "-days", 2,
                "-extfile", more, "-out", self.path(f"{name}.pem"))
        self.path(f"{name}.both").write_text(self.path(f"{name}.key").read_text() + self.path(f"{name}.pem").read_text())
