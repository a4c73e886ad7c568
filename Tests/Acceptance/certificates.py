"""Certificates for the tests, good and bad, made with openssl(1)."""

import ssl
import subprocess
from pathlib import Path

DAYS = 2
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
HERE = "IP:127.0.0.1,DNS:localhost"


class Authority:
    """A certificate authority of its own, with its files below `directory`."""

    def __init__(self, directory, name="test authority"):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.file, self._key = self.directory / "ca.pem", self.directory / "ca.key"
        openssl("req", "-x509", *NEW_KEY, "-days", DAYS, "-subj", f"/CN={name}",
                "-keyout", self._key, "-out", self.file)

    def issue(self, name, alternatives=HERE, days=DAYS):
        """(certificate file, key file); negative `days` make one that has expired."""
        stem = self.directory / name
        certificate, key, request, extensions = (
            stem.with_suffix(suffix) for suffix in (".pem", ".key", ".csr", ".ext"))
        extensions.write_text(f"subjectAltName={alternatives}\n")
        openssl("req", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key,
                "-CAcreateserial", "-days", days, "-out", certificate, "-extfile", extensions)
        return certificate, key

    def server(self, name="broker", clients=None, **options):
        """A context for a server; with `clients`, one that wants certificates of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, **options))
        if clients:
            context.load_verify_locations(clients.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def keystore(self, name, **options):
        """(PKCS 12 file, its password, the certificate) as a broker in Java takes it."""
        certificate, key = self.issue(name, **options)
        file, password = certificate.with_suffix(".p12"), "changeit"
        openssl("pkcs12", "-export", "-in", certificate, "-inkey", key, "-certfile", self.file,
                "-passout", f"pass:{password}", "-out", file)
        return file, password, certificate


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Certificates:
    """What the brokers of the tests show, and what the daemon believes."""

    def __init__(self, directory):
        ours, foreign = Authority(directory / "ours"), Authority(directory / "foreign", "foreign")
        self.ours, self.foreign = ours.file, foreign.file
        self.good = ours.server("good")
        self.expired = ours.server("expired", days=-1)
        self.elsewhere = ours.server("elsewhere", alternatives="DNS:elsewhere.example")
        self.strict = ours.server("strict", clients=ours)
        self.client, self.client_key = ours.issue("client")
        self.stranger, self.stranger_key = foreign.issue("stranger")
