"""A signature over a set: who made it, and that nothing in it changed since.

`SHA256SUMS` lists the files that hold a set's statements (its record, configuration, manifest, rejections and shards) with their hashes, in
the form that `sha256sum -c` reads; recordings in files of their own are covered by the `pcm_sha256` of their signed rows. `SHA256SUMS.sig`
is an Ed25519 signature (RFC 8032) over that list, in hexadecimal. A row's own seal needs no key, so anybody can make one.
The hash of the list is the set's digest: 64 digits by which a certificate, a paper or a message names exactly this set.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.dataset.storage import LOCK_NAME, SESSION_NAME, DatasetStorage
from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.core.files import open_binary, write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LIST_NAME, SIGNATURE_NAME = "SHA256SUMS", "SHA256SUMS.sig"
_TOP = re.compile(r"dataset\.json|README\.md|croissant\.json|metadata\.parquet|config(?:-\d+)?\.yaml")
_SIGNED_FOLDERS = ("manifest", "rejected", "shards")
_MAX_KEY_BYTES = 10_000
_MAX_LIST_BYTES = 64_000_000
_FIELD = 2**255 - 19
#: The y of the eight points of order 1, 2, 4 and 8 of edwards25519; of order 8 are two, each with both signs of x.
_SMALL_ORDER = {
    0,
    1,
    _FIELD - 1,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
}


def signed_list(storage: DatasetStorage) -> str:
    """Return the list of a set's files with their hashes, as they are now.

    Args:
        storage: where the set lies.

    Raises:
        RoomtoneError: there is no set.
    """
    names = [name for name in storage.names() if _TOP.fullmatch(name)]
    if "dataset.json" not in names:
        raise RoomtoneError(f"{storage}: no dataset.json in it; is it a set that `roomtone generate` wrote?")
    for folder in _SIGNED_FOLDERS:
        names += [f"{folder}/{name}" for name in storage.names(folder)]
    return "".join(f"{_sha256(storage, name)}  {name}\n" for name in sorted(names))


def _sha256(storage: DatasetStorage, name: str) -> str:
    if not name.isascii() or not name.isprintable() or "\\" in name:
        raise RoomtoneError(f"{storage}: {name!a} is no name that a set uses; remove that file")
    try:
        with open_binary(f"{storage.url.rstrip('/')}/{name}") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise RoomtoneError(f"{storage}: {name} cannot be read ({error.strerror or error})") from error
    return digest.hexdigest()


def set_digest(storage: DatasetStorage) -> str:
    """Return the digest that names exactly this set: the SHA-256 of its list of hashes."""
    return hashlib.sha256(signed_list(storage).encode()).hexdigest()


def sign_set(storage: DatasetStorage, key: str | os.PathLike[str]) -> str:
    """Write the list and its signature, and return the set's digest.

    Args:
        storage: where the set lies.
        key: file of the private key, PEM without a passphrase.

    Raises:
        RoomtoneError: no set, or no such key.
    """
    private = _private_key(Path(key))
    text = signed_list(storage)
    storage.write_text(LIST_NAME, text)
    storage.write_text(SIGNATURE_NAME, private.sign(text.encode()).hex() + "\n")
    return hashlib.sha256(text.encode()).hexdigest()


def signature_fault(storage: DatasetStorage, key: str | os.PathLike[str]) -> str | None:
    """Return what is wrong with a set's signature, or None where it holds.

    Args:
        storage: where the set lies.
        key: file of the public key, PEM.

    Raises:
        RoomtoneError: no set, or no such key.
    """
    from cryptography.exceptions import InvalidSignature

    public = _public_key(Path(key))
    listed, signature = (
        storage.read(LIST_NAME, most_bytes=_MAX_LIST_BYTES),
        storage.read(SIGNATURE_NAME, most_bytes=_MAX_KEY_BYTES),
    )
    if listed is None or signature is None:
        return f"it is not signed: {LIST_NAME} and {SIGNATURE_NAME} are not there"
    try:
        public.verify(bytes.fromhex(signature.decode("ascii").strip()), listed)
    except (InvalidSignature, ValueError):
        return f"its signature was not made with the key of {key}"
    now = signed_list(storage)
    if now.encode() == listed:
        return None
    old, new = (
        {line.partition("  ")[2]: line.partition("  ")[0] for line in text.split("\n") if line}
        for text in (listed.decode("utf-8", "replace"), now)
    )
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    named = ", ".join(name if name.isascii() and name.isprintable() else ascii(name) for name in changed[:3])
    return f"changed since it was signed: {named}{more}"


def unsigned_names(storage: DatasetStorage) -> list[str]:
    """Return what lies at the top of a set and is not signed; recordings are signed through their rows.

    Args:
        storage: where the set lies.
    """
    ours = {*_SIGNED_FOLDERS, "audio", LIST_NAME, SIGNATURE_NAME, LOCK_NAME, SESSION_NAME}
    return [name for name in storage.names() if name not in ours and not _TOP.fullmatch(name)]


def make_key(key: str | os.PathLike[str]) -> Path:
    """Write a new private key that its user alone may read, and its public key beside it as `….pub`; return the latter.

    Args:
        key: file of the private key; one that is there is never replaced.

    Raises:
        RoomtoneError: there is such a file.
    """
    serial, ed25519 = _library()
    path = Path(key).expanduser()
    public_path = path.with_name(f"{path.name}.pub")
    for there in (path, public_path):
        if there.exists():
            raise RoomtoneError(f"key: {there} is there already; a key is never replaced")
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    public = private.public_key().public_bytes(serial.Encoding.PEM, serial.PublicFormat.SubjectPublicKeyInfo)
    return write_whole(public_path, public)


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise RoomtoneError(f"signatures need the extra 'sign': {how_to_install('sign')}") from error
    return serialization, ed25519


def _private_key(path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm

    serial, ed25519 = _library()
    found: Any
    try:
        found = serial.load_pem_private_key(_key_bytes(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RoomtoneError(f"key: {path} holds no private key without a passphrase, in PEM") from error
    if not isinstance(found, ed25519.Ed25519PrivateKey):
        raise RoomtoneError(f"key: {path} is no Ed25519 key; `roomtone sign key=FILE new_key=true` makes one")
    key: Ed25519PrivateKey = found
    return key


def _public_key(path: Path) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm

    serial, ed25519 = _library()
    found: Any
    try:
        found = serial.load_pem_public_key(_key_bytes(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RoomtoneError(f"key: {path} holds no public key, in PEM; the signer gives it, as FILE.pub") from error
    if not isinstance(found, ed25519.Ed25519PublicKey):
        raise RoomtoneError(f"key: {path} is no Ed25519 key")
    y = int.from_bytes(found.public_bytes(serial.Encoding.Raw, serial.PublicFormat.Raw), "little") % 2**255
    if y % _FIELD in _SMALL_ORDER:
        raise RoomtoneError(f"key: {path} is a point of small order, whose signatures fit any set; nobody's key is one")
    key: Ed25519PublicKey = found
    return key


def _key_bytes(path: Path) -> bytes:
    found = path.expanduser()
    if not found.is_file():
        raise RoomtoneError(f"key: {path} is not there, or not a regular file")
    with open_regular(found) as file:
        return file.read(_MAX_KEY_BYTES)
