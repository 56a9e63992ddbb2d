"""Who sealed a set: rows reseal themselves, a signature does not."""

import json
import shutil
import stat

import pytest

from roomtone.core.dataset.manifest import read_manifest


@pytest.fixture
def key(roomtone, tmp_path):
    status, out, err = roomtone("sign", f"key={tmp_path / 'my.pem'}", "new_key=true")
    assert status == 0, err
    assert "keep it to yourself" in out
    return tmp_path / "my.pem"


@pytest.fixture
def signed(theirs, key, roomtone):
    status, out, err = roomtone("sign", f"dataset={theirs}", f"key={key}")
    assert status == 0, err
    assert "digest of the set: " in out
    return theirs


def test_a_private_key_is_its_users_alone_and_never_replaced(key, refused):
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    refused("never replaced", "sign", f"key={key}", "new_key=true")
    assert key.read_bytes() == before


def test_a_forger_who_seals_rows_again_passes_the_seals_and_not_the_signature(signed, key, roomtone, edit_rows):
    """All that a row says of the speech can be changed with its seal: nothing else holds it."""
    words = ["verify", f"dataset={signed}", "share=0", "executor=serial"]
    status, out, _ = roomtone(*words, f"key={key}.pub")
    assert status == 0
    assert "signed with the key" in out
    edit_rows(signed, lambda rows: [row.update(accent="forged", text="forged", words=1) for row in rows])
    assert set(read_manifest(signed)["accent"]) >= {"forged"}
    status, out, _ = roomtone(*words)
    assert status == 0
    assert "not held against a forger" in out
    status, out, _ = roomtone(*words, f"key={key}.pub")
    assert status == 2
    assert "changed since it was signed" in out
    assert "manifest/part-00000.parquet" in out


@pytest.mark.parametrize("name", ["dataset.json", "config.yaml", "README.md", "manifest/part-00001.parquet"])
def test_any_file_that_speaks_is_signed(signed, key, roomtone, name):
    (signed / name).write_bytes((signed / name).read_bytes() + b" ")
    status, out, _ = roomtone("verify", f"dataset={signed}", "share=0", "executor=serial", f"key={key}.pub")
    assert status == 2
    assert name in out


def test_files_taken_or_added_are_found(signed, key, roomtone):
    shutil.copy(signed / "manifest" / "part-00000.parquet", signed / "manifest" / "part-00002.parquet")
    (signed / "manifest" / "part-00001.parquet").unlink()
    status, out, _ = roomtone("verify", f"dataset={signed}", "share=0", "executor=serial", f"key={key}.pub")
    assert status == 2
    assert "manifest/part-00001.parquet, manifest/part-00002.parquet" in out


@pytest.mark.parametrize("content", ["", "00", "zz", "0" * 128, "\x00\xff"])
def test_a_forged_signature_does_not_hold(signed, key, roomtone, content):
    (signed / "SHA256SUMS.sig").write_text(content)
    status, out, _ = roomtone("verify", f"dataset={signed}", "share=0", "executor=serial", f"key={key}.pub")
    assert status == 2
    assert "was not made with the key" in out


def test_another_signers_key_does_not_hold(signed, roomtone, tmp_path):
    assert roomtone("sign", f"key={tmp_path / 'other.pem'}", "new_key=true")[0] == 0
    status, _, _ = roomtone(
        "verify", f"dataset={signed}", "share=0", "executor=serial", f"key={tmp_path / 'other.pem'}.pub"
    )
    assert status == 2


def test_an_unsigned_set_is_not_taken_for_a_signed_one(theirs, key, roomtone):
    status, out, _ = roomtone("verify", f"dataset={theirs}", "share=0", "executor=serial", f"key={key}.pub")
    assert status == 2
    assert "not signed" in out


def test_local_yaml_is_not_signed_and_other_tools_read_the_list(mine, key, roomtone):
    import subprocess

    assert roomtone("sign", f"dataset={mine}", f"key={key}")[0] == 0
    assert "local.yaml" not in (mine / "SHA256SUMS").read_text()
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=mine, check=True)


@pytest.mark.parametrize("name", ["a\rb", "part-\udcff.parquet", "a\nb", "a\\b"])
def test_a_name_that_no_set_uses_is_one_line(signed, key, roomtone, refused, name):
    (signed / "manifest" / name).write_bytes(b"x")
    refused("is no name that a set uses", "sign", f"dataset={signed}", f"key={key}")
    status, out, err = roomtone("verify", f"dataset={signed}", "share=0", "executor=serial", f"key={key}.pub")
    assert status in (1, 2)
    assert "Traceback" not in out + err
    (out + err).encode()  # what is printed can be


def test_what_is_not_signed_is_listed(signed, key, roomtone):
    (signed / "notes.txt").write_text("x")
    words = ["verify", f"dataset={signed}", "share=0", "executor=serial", f"key={key}.pub"]
    status, out, _ = roomtone(*words)
    assert status == 0
    assert "not signed: " in out
    assert "'notes.txt'" in out
    home = next((signed / "audio").iterdir())
    shutil.copy(next(home.iterdir()), home / f"{'f' * 32}.flac")
    (signed / "evil.py").write_text("x")
    status, out, _ = roomtone(*words)
    assert status == 2
    assert f"{'f' * 32}.flac': is no file of this set" in out
    assert "'evil.py': is a program" in out


def test_a_list_of_any_form_that_is_signed_is_one_line(signed, key, roomtone):
    from cryptography.hazmat.primitives import serialization

    private = serialization.load_pem_private_key(key.read_bytes(), None)
    for text in (b"x\n", b"\xff\xfe", b"", b"a  b  c\r\n\n"):
        (signed / "SHA256SUMS").write_bytes(text)
        (signed / "SHA256SUMS.sig").write_text(private.sign(text).hex())
        status, out, err = roomtone("verify", f"dataset={signed}", "share=0", "executor=serial", f"key={key}.pub")
        assert status == 2
        assert "changed since it was signed" in out
        assert "Traceback" not in out + err


_P = 2**255 - 19
_SMALL = [0, 1, _P - 1, _P, _P + 1]
_OF_ORDER_EIGHT = [
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
]


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [*_SMALL, *(int.from_bytes(bytes.fromhex(text), "little") for text in _OF_ORDER_EIGHT)])
def test_a_key_of_small_order_is_refused(signed, refused, tmp_path, y, sign):
    """With y = 1 the signature R = 1, S = 0 fits every list."""
    from base64 import b64encode

    raw = (y | sign << 255).to_bytes(32, "little")
    der = bytes.fromhex("302a300506032b6570032100") + raw
    (tmp_path / "one.pub").write_text(
        f"-----BEGIN PUBLIC KEY-----\n{b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
    )
    (signed / "SHA256SUMS.sig").write_text("01" + "0" * 126)
    refused("key: ", "verify", f"dataset={signed}", "share=0", "executor=serial", f"key={tmp_path / 'one.pub'}")


def _unusual_keys():
    """Return keys of algorithms and curves that Ed25519 is not, private and public ones, as PEM."""
    from base64 import b64encode

    from cryptography.hazmat.primitives import serialization as serial
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519

    found = []
    for private in (
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
    ):
        public = private.public_key().public_bytes(serial.Encoding.PEM, serial.PublicFormat.SubjectPublicKeyInfo)
        found.append(
            (private.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.NoEncryption()), public)
        )
    for oid in (
        "06032a0304",
        "06092b24030302080101010101"[:22],
    ):  # an unknown algorithm, and a curve by name that is not built in
        algorithm = bytes.fromhex(oid)
        inner = bytes([0x30, len(algorithm)]) + algorithm
        spki = inner + b"\x03\x03\x00ab"
        pkcs8 = b"\x02\x01\x00" + inner + b"\x04\x02ab"
        pems = []
        for label, body in (("PRIVATE KEY", pkcs8), ("PUBLIC KEY", spki)):
            text = b64encode(bytes([0x30, len(body)]) + body).decode()
            pems.append(f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n".encode())
        found.append(tuple(pems))
    return found


def test_keys_of_other_algorithms_are_one_line(signed, refused, tmp_path):
    for private, public in _unusual_keys():
        (tmp_path / "k").write_bytes(private)
        (tmp_path / "k.pub").write_bytes(public)
        refused("key: ", "sign", f"dataset={signed}", f"key={tmp_path / 'k'}")
        refused("key: ", "verify", f"dataset={signed}", "share=0", "executor=serial", f"key={tmp_path / 'k.pub'}")


def test_the_signature_is_rfc_8032s(key, signed):
    """Checked by a second implementation: the equations of RFC 8032, section 5.1, in whole numbers."""
    from cryptography.hazmat.primitives import serialization

    public = serialization.load_pem_public_key(key.with_name("my.pem.pub").read_bytes())
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    message = (signed / "SHA256SUMS").read_bytes()
    signature = bytes.fromhex((signed / "SHA256SUMS.sig").read_text().strip())
    assert _rfc8032_holds(raw, message, signature)
    assert not _rfc8032_holds(raw, message + b" ", signature)


def _rfc8032_holds(public, message, signature):
    from hashlib import sha512

    p, q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p

    def point(data):
        y = int.from_bytes(data, "little")
        sign, y = y >> 255, y & (2**255 - 1)
        x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(x2, (p + 3) // 8, p)
        if (x * x - x2) % p:
            x = x * pow(2, (p - 1) // 4, p) % p
        return (p - x if (x & 1) != sign else x), y

    def add(a, b):
        common = d * a[0] * b[0] * a[1] * b[1]
        x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + common, -1, p)
        return x % p, (a[1] * b[1] + a[0] * b[0]) * pow(1 - common, -1, p) % p

    def times(n, a):
        found = (0, 1)
        while n:
            if n & 1:
                found = add(found, a)
            a, n = add(a, a), n >> 1
        return found

    base = point(bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666"))
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(sha512(r + public + message).digest(), "little") % q
    return times(s, base) == add(point(r), times(k, point(public)))


def test_a_digest_names_exactly_one_set(signed, mine, edit_rows):
    from roomtone.core.dataset.signature import set_digest
    from roomtone.core.dataset.storage import open_storage

    first, same = set_digest(open_storage(signed)), set_digest(open_storage(mine))
    assert first == same  # the same set in other hands: neither signature nor local.yaml is part of it
    record = json.loads((mine / "dataset.json").read_text())
    (mine / "dataset.json").write_text(json.dumps(record | {"name": "another"}))
    assert set_digest(open_storage(mine)) != first
