"""An OpenAI-compatible transcription endpoint: a bounded number of requests at once, repeated after temporary faults."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import storable_text
from roomtone.fairness.recognisers.base import NOT_SENT, Recogniser, SampleAudio, TranscriptionError
from roomtone.fairness.recognisers.http_deadline import ended_after, opener

_TEMPORARY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_WAIT_S = 60.0
#: Bytes of an answer; an hour of speech is a tenth of it.
MAX_ANSWER_BYTES = 1_000_000


class _TemporaryError(Exception):
    """A temporary fault; `wait_s` is what the server asked for."""

    def __init__(self, text: str, wait_s: float | None = None) -> None:
        super().__init__(text)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Http(Recogniser):
    """`url`: base of the interface, to which `/audio/transcriptions` is added; the key is read from the environment, never stored."""

    runs_in: ClassVar[Literal["processes", "threads", "one"]] = "threads"
    no_effect_on_text: ClassVar[frozenset[str]] = frozenset(
        {"api_key_env", "concurrency", "attempts", "timeout_s", "first_wait_s"}
    )
    url: str
    model: str
    language: str | None = None
    prompt: str | None = None
    temperature: float = 0.0
    api_key_env: str | None = "OPENAI_API_KEY"
    concurrency: int = 4
    attempts: int = 5
    timeout_s: float = 60.0
    first_wait_s: float = 1.0

    @property
    def at_once(self) -> int | None:
        """Return `concurrency`."""
        return self.concurrency

    def check(self) -> None:
        """Refuse an address that is none, and counts below one."""
        if not str(self.url or "").startswith(("http://", "https://")):
            raise RoomtoneError(f"asr.url: an address that begins with http:// or https://, got {self.url!r}")
        if not self.model:
            raise RoomtoneError("asr.model: the endpoint needs the name of a model")
        for name in ("concurrency", "attempts"):
            if getattr(self, name) < 1:
                raise RoomtoneError(f"asr.{name}: at least 1, got {getattr(self, name)!r}")

    def transcribe(self, clip: SampleAudio) -> str:
        """Return the endpoint's text; waits double from `first_wait_s`, or are as long as the server asks."""
        wait_s, received = self.first_wait_s, False
        for attempt in range(1, self.attempts + 1):
            try:
                return self._ask(clip)
            except _TemporaryError as fault:
                received |= not str(fault).startswith(NOT_SENT)
                if attempt == self.attempts:
                    text = str(fault).replace(NOT_SENT, "no connection") if received else str(fault)
                    raise TranscriptionError(f"{text} (asked {attempt} times)") from fault
                time.sleep(min(_LONGEST_WAIT_S, wait_s if fault.wait_s is None else fault.wait_s))
                wait_s *= 2
        raise AssertionError("unreachable: attempts is at least 1")

    def _ask(self, clip: SampleAudio) -> str:
        body, kind = self._form(clip)
        headers = {"Content-Type": kind, "Accept": "application/json"}
        key = os.environ.get(self.api_key_env, "") if self.api_key_env else ""
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(f"{self.url.rstrip('/')}/audio/transcriptions", body, headers, method="POST")
        with ended_after(self.timeout_s) as deadline:
            try:
                return self._open(request)
            except (_TemporaryError, TranscriptionError) as error:
                if deadline.passed:  # whatever its end looked like
                    raise _TemporaryError(f"no whole answer within {self.timeout_s:g} s") from error
                raise

    def _open(self, request: urllib.request.Request) -> str:
        try:
            with opener().open(request, timeout=self.timeout_s) as response:
                return _text(_read(response))
        except urllib.error.HTTPError as error:
            raise self._status(error) from error
        except TimeoutError as error:
            raise _TemporaryError(f"no answer within {self.timeout_s:g} s") from error
        except http.client.HTTPException as error:
            raise _TemporaryError(f"not an HTTP answer ({type(error).__name__}: {str(error)[:80]!r})") from error
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):  # asking again will not mend it
                raise TranscriptionError(f"its certificate is not trusted: {reason.verify_message}") from error
            never = isinstance(reason, ConnectionRefusedError | socket.gaierror)
            raise _TemporaryError(f"{NOT_SENT if never else 'no connection'}: {reason}") from error

    def _status(self, error: urllib.error.HTTPError) -> _TemporaryError | TranscriptionError:
        """Return what a status that is no success means."""
        if error.code in _REDIRECTS:
            error.close()
            place = str(error.headers.get("Location"))[:200]
            return TranscriptionError(
                f"HTTP {error.code}: sends recordings and key on to {place!r}, which is not followed; "
                "asr.url=… names the endpoint itself"
            )
        try:
            with error:
                said = error.read(300).decode("utf-8", "replace").strip().replace("\n", " ")
        except (OSError, http.client.HTTPException):
            said = ""
        text = f"HTTP {error.code}{': ' + said if said else ''}"
        if error.code in _TEMPORARY:
            return _TemporaryError(text, _seconds(error.headers.get("Retry-After")))
        return TranscriptionError(text)

    def _form(self, clip: SampleAudio) -> tuple[bytes, str]:
        """Return a multipart form with the recording, and its content type (RFC 7578)."""
        fields = {"model": self.model, "response_format": "json", "temperature": f"{self.temperature:g}"}
        fields |= {"language": self.language} if self.language else {}
        fields |= {"prompt": self.prompt} if self.prompt else {}
        line = uuid.uuid4().hex
        parts = [
            f'--{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        name = f"audio{clip.suffix}"  # the true name holds a label or an id that the endpoint need not know
        head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        parts += [head.encode(), clip.read(), f"\r\n--{line}--\r\n".encode()]
        return b"".join(parts), f"multipart/form-data; boundary={line}"


def _read(response: Any) -> bytes:
    """Return an answer's body.

    Raises:
        _TemporaryError: it is longer than any transcript, or cut short.
    """
    body = bytearray()
    while chunk := response.read1(65536):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise _TemporaryError(f"an answer of more than {MAX_ANSWER_BYTES:,} bytes, which no transcript is")
    if response.length:
        raise _TemporaryError(f"an answer cut short: {response.length} bytes are missing")
    return bytes(body)


def _text(body: bytes) -> str:
    try:
        text = json.loads(body)["text"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _TemporaryError(f"an answer without a text: {body[:80]!r}") from error
    if not isinstance(text, str):
        raise _TemporaryError(f"an answer whose text is {str(text)[:80]!r}")
    if text != storable_text(text):
        raise _TemporaryError(f"an answer whose text holds half of a surrogate pair: {text[:80]!r}")
    return text


def _seconds(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header; a date in it is left to our own waits."""
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
