"""Digest authentication as a phone does it (RFC 7616, RFC 8760): reads a challenge, answers it."""

import hashlib
import re
import secrets

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
PARAMETER = re.compile(r'([A-Za-z0-9_*-]+)\s*=\s*("((?:[^"\\]|\\.)*)"|[^\s,]+)')


def parse_challenge(value):
    """The parameters of a challenge or of credentials; names in lower case, values without their quotes."""
    scheme, _, rest = value.strip().partition(" ")
    found = {"scheme": scheme}
    for name, whole, inner in PARAMETER.findall(rest):
        found[name.lower()] = re.sub(r"\\(.)", r"\1", inner) if whole.startswith('"') else whole
    return found


def hash_hex(algorithm, text):
    return hashlib.new(HASHES[algorithm.upper()], text.encode()).hexdigest()


def answer(challenge, method, uri, user, password, nc=1, cnonce=None, qop="auth", **overrides):
    """The credentials for a challenge (a dict of parse_challenge). `overrides` replace parameters of the result; None leaves one out."""
    algorithm = challenge.get("algorithm", "MD5")
    cnonce = cnonce or secrets.token_hex(6)
    count = f"{nc:08x}"
    ha1 = hash_hex(algorithm, f"{user}:{challenge['realm']}:{password}")
    ha2 = hash_hex(algorithm, f"{method}:{uri}")
    if qop:
        response = hash_hex(algorithm, f"{ha1}:{challenge['nonce']}:{count}:{cnonce}:{qop}:{ha2}")
    else:
        response = hash_hex(algorithm, f"{ha1}:{challenge['nonce']}:{ha2}")
    fields = {"username": f'"{user}"', "realm": f'"{challenge["realm"]}"', "nonce": f'"{challenge["nonce"]}"', "uri": f'"{uri}"',
              "response": f'"{response}"', "algorithm": challenge.get("algorithm")}
    if qop:
        fields.update({"qop": qop, "nc": count, "cnonce": f'"{cnonce}"'})
    fields.update(overrides)
    return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
