"""A certificate authority of a proof's own: signs certificates, and is believed by a browser whose home is given."""

import subprocess


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, f"{' '.join(map(str, command))}: {result.stderr}"


class Authority:
    """Keeps its files in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = folder / "authority.pem"
        self.key = folder / "authority.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Authority of a proof",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign", "-keyout", self.key, "-out", self.certificate)

    def sign(self, name):
        """Gives the files of a certificate for that host name and of its key."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-CA", self.certificate, "-CAkey", self.key, "-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName=DNS:{name}",
            "-addext", "extendedKeyUsage=serverAuth", "-keyout", key, "-out", certificate)
        return certificate, key

    def is_believed_in(self, home):
        """Makes Chromium believe this authority, by the database of certificates in its home."""
        database = home / ".pki" / "nssdb"
        database.mkdir(parents=True)
        run("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
        run("certutil", "-A", "-d", f"sql:{database}", "-n", "authority", "-t", "C,,", "-i", self.certificate)
