"""What this user wrote on this machine, told from what a stranger put in its place.

A code (HMAC-SHA256, RFC 2104) over the content, made with a key of mode 600 that lies in the user's state folder, and bound to the machine and
the user. A set that travels brings codes which nobody else's key makes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import read_bytes, read_text
from roomtone.core.files import user_id, write_whole


@dataclass(frozen=True)
class UserSeal:
    """Makes and checks codes with one key."""

    key: bytes
    machine: str

    def code(self, content: Any) -> str:
        """Return the code over plain JSON values; what kind of content it is must show in it, so that no kind passes for another."""
        text = json.dumps([content, self.machine, user_id()], sort_keys=True)
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def made(self, content: Any, code: Any) -> bool:
        """Return whether this user's key made a code over this content, here."""
        return isinstance(code, str) and hmac.compare_digest(self.code(content).encode(), code.encode(errors="replace"))


def user_seal(*, make: bool) -> UserSeal | None:
    """Return the seal of this user on this machine; None where there is no key and none can be kept.

    Args:
        make: make the key where there is none yet.
    """
    key = _key(make=make)
    return None if key is None else UserSeal(key, _machine())


def state_folder() -> Path:
    """Return the folder of what the program keeps for this user.

    Raises:
        RuntimeError: the user has no home.
    """
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "roomtone"


def _machine() -> str:
    for name in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            if text := read_text(name).strip():
                return text
        except (OSError, UnicodeDecodeError):
            continue
    return str(uuid.getnode())


def _key(*, make: bool) -> bytes | None:
    try:
        home = state_folder()
        path = home / "local.key"
        if not path.exists():
            if not make:
                return None
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = write_whole(home / f"local.key.{uuid.uuid4().hex}", secrets.token_bytes(32))
            fresh.chmod(0o600)
            try:
                os.link(fresh, path)  # the first of several at once wins
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        state = path.stat()
        if state.st_uid != user_id() or state.st_mode & 0o022:
            return None  # another may have written it
        return read_bytes(path)
    except (OSError, RuntimeError):  # no home, or one that cannot be written to
        return None
