"""The certificate that servers show to the load: made anew for each comparison."""

import shutil
import subprocess

from harness import unavailable


def make(folder):
    """Returns the paths of a self-signed certificate and its key, of the kind that most servers have today."""
    if shutil.which("openssl") is None:
        raise unavailable.Unavailable("The openssl program is missing: it makes the certificate for TLS.")
    certificate, key = folder / "certificate.pem", folder / "private_key.pem"
    if not certificate.exists():
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=example.test",
                   "-addext", "subjectAltName=DNS:example.test,IP:127.0.0.1"]
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if result.returncode != 0:
            raise unavailable.Unavailable("The certificate for TLS could not be made: " + result.stderr.strip()[-200:])
    return certificate, key
