"""A transcription server or program that is hostile or broken: it gets no key that is not its own, and ends no evaluation."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.core.workers.programs import OutputTooLongError, run_program
from roomtone.fairness.recognisers import TranscriptionError, make_recogniser
from roomtone.fairness.recognisers.base import SampleAudio


@pytest.fixture
def clip(tmp_path):
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "s.wav", np.zeros(1600, dtype=np.int16), 16000, subtype="PCM_16")
    return SampleAudio("s", str(tmp_path), "audio/s.wav", "en")


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(dict(self.headers))
        self.server.act(self)

    def do_GET(self):
        self.server.asked.append(dict(self.headers))
        answer(self, 200, b'{"text": "from elsewhere"}')

    def log_message(self, *_):
        pass


def answer(handler, status, body, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def serve():
    """serve(act) -> server on loopback with `.url` and the headers it was `.asked` with."""
    begun = []

    def start(act, tls=None):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.act, server.asked = act, []
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/v1"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        begun.append(server)
        return server

    yield start
    for server in begun:
        server.shutdown()
        server.server_close()


@pytest.fixture
def ask(clip, monkeypatch):
    """ask(url, **settings) -> the recogniser's text or its reason."""
    monkeypatch.setenv("THE_KEY", "sk-secret")

    def run(url, **settings):
        keys = {"attempts": 2, "first_wait_s": 0.01, "timeout_s": 60.0, "api_key_env": "THE_KEY"} | settings
        recogniser = make_recogniser({"recogniser": "http", "url": url, "model": "m", **keys})
        try:
            return recogniser.transcribe(clip)
        except TranscriptionError as error:
            return f"reason: {error}"

    return run


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_the_key_nowhere(serve, ask, status):
    """The key followed a redirect to another origin, and that origin's answer was scored."""
    thief = serve(lambda handler: answer(handler, 200, b'{"text": "stolen"}'))
    server = serve(lambda handler: answer(handler, status, b"", Location=f"{thief.url}/audio/transcriptions"))
    said = ask(server.url)
    assert said.startswith(f"reason: HTTP {status}")
    assert "asr.url" in said
    assert thief.asked == []
    assert len(server.asked) == 1  # asked once: it is no passing fault
    assert server.asked[0]["Authorization"] == "Bearer sk-secret"


def _raw(data):
    def act(handler):
        handler.wfile.write(data)
        handler.close_connection = True

    return act


MALFORMED = {
    "bad status line": b"GARBAGE\r\n\r\n",
    "no status": b"\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "status of letters": b"HTTP/1.1 OK OK\r\n\r\n",
    "cut body": b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"text": "a',
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "chunk of no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "a thousand headers": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000 + b"\r\n",
    "length of no number": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "deep JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
    "deep object": b"HTTP/1.1 200 OK\r\n\r\n" + b'{"text":' * 50_000,
    "no JSON": b"HTTP/1.1 200 OK\r\n\r\n<html>",
    "half a surrogate pair": b'HTTP/1.1 200 OK\r\n\r\n{"text": "\\ud800x"}',
    "no UTF": b'HTTP/1.1 200 OK\r\n\r\n{"text": "\xff\xfe"}',
    "a text that is none": b'HTTP/1.1 200 OK\r\n\r\n{"text": {"a": 1}}',
    "a list": b"HTTP/1.1 200 OK\r\n\r\n[1]",
    "empty": b"",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_answer_is_a_passing_fault_and_then_a_reason(serve, ask, kind):
    """A bad status line ended the whole evaluation with a traceback; deep JSON with a RecursionError."""
    server = serve(_raw(MALFORMED[kind]))
    assert ask(server.url).startswith("reason: ")
    assert len(server.asked) == 2


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_is_bounded_before_it_is_parsed(serve, ask, declared):
    """20 MB of JSON took 1.6 GB."""
    sent = []

    def act(handler):
        length = b"Content-Length: 2000000000\r\n" if declared else b""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + length + b'\r\n{"text": "')
        try:
            for _ in range(2000):
                handler.wfile.write(b"a" * 1_000_000)
                sent.append(1)
        except OSError:
            pass
        handler.close_connection = True

    assert "which no transcript is" in ask(serve(act).url)
    assert len(sent) < 100  # of 4000


DRIPPING = {
    "status line": (b"HTTP/1.1 2", b"0"),
    "headers": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "body of an error": (b"HTTP/1.1 400 No\r\n\r\n", b" "),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


@pytest.mark.parametrize("what", DRIPPING)
def test_what_drips_in_ends_at_the_time_limit(serve, ask, what):
    """A byte a minute, of headers or of an error, kept a request for days: only the body of a success was bounded."""
    first, drop = DRIPPING[what]

    def act(handler):
        end = time.monotonic() + 60.0
        try:
            handler.wfile.write(first)
            while time.monotonic() < end:
                handler.wfile.write(drop)
                time.sleep(0.02)
        except OSError:
            handler.close_connection = True

    begun = time.monotonic()
    assert "within 0.5 s" in ask(serve(act).url, timeout_s=0.5, attempts=1)
    assert time.monotonic() - begun < 20.0


def test_a_handshake_that_drips_in_ends_too(ask):
    """TLS: the first byte of a record of the server's, and then one a while."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def act():
            connection, _ = server.accept()
            with connection:
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    for _ in range(3000):
                        connection.sendall(b"\x00")
                        time.sleep(0.02)
                except OSError:
                    pass

        threading.Thread(target=act, daemon=True).start()
        begun = time.monotonic()
        assert "within 0.5 s" in ask(f"https://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.5, attempts=1)
        assert time.monotonic() - begun < 20.0


@pytest.mark.parametrize("retry_after", ["inf", "nan", "-5", "1e999", "x" * 1000])
def test_no_retry_after_holds_an_evaluation_up_or_breaks_it(serve, ask, monkeypatch, retry_after):
    waits = []
    here = threading.get_ident()  # servers of other tests sleep too
    monkeypatch.setattr(
        "roomtone.fairness.recognisers.http.time.sleep",
        lambda s: waits.append(s) if threading.get_ident() == here else None,
    )
    server = serve(lambda handler: answer(handler, 429, b"", Retry_After=retry_after))
    assert "HTTP 429" in ask(server.url, attempts=3)
    assert len(waits) == 2
    assert all(0 <= wait <= 60 for wait in waits)


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, ask, tmp_path):
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    _self_signed(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = serve(lambda handler: answer(handler, 200, b'{"text": "heard"}'), tls=context)
    said = ask(server.url)
    assert "certificate is not trusted" in said
    assert server.asked == []


def _self_signed(key_path, certificate_path):
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day.replace(year=2099))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))


def test_ctrl_c_ends_a_wait_that_the_server_asked_for(serve, workshop, tmp_path):
    """75 s and counting under `Retry-After: 3600`: threads that sleep were waited for."""
    server = serve(lambda handler: answer(handler, 429, b"", Retry_After="3600"))
    process = _evaluate(workshop, "asr=http", f"asr.url={server.url}", "asr.model=m", "asr.attempts=50")
    try:
        _until(lambda: server.asked, process)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
        assert process.returncode == 130
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_a_read_that_never_comes(workshop):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"asr.url=http://127.0.0.1:{silent.getsockname()[1]}"
        process = _evaluate(workshop, "asr=http", url, "asr.model=m", "asr.timeout_s=5000")
        try:
            silent.settimeout(300)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE_S)
            assert process.returncode == 128 + signal.SIGTERM
        finally:
            process.kill()
            process.communicate()


#: Seconds that an end may take on a machine with twenty programs waiting for each core; idle, it is a fraction of one. What is ended waits for longer.
PATIENCE_S = 240.0


def _evaluate(workshop, *words):
    import shutil
    import tempfile

    copy = tempfile.mkdtemp(dir=workshop)
    shutil.copytree(workshop / "set", copy, dirs_exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "roomtone.cli.main", "evaluate", f"dataset={copy}", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )


def _until(true, process, patience_s=300.0):
    end = time.monotonic() + patience_s
    while not true():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.05)


def _runs(marker):
    """Return whether a process `sleep MARKER` runs on this machine."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cmdline").read_bytes().split(b"\0")[:2] == [
                b"sleep",
                marker.encode(),
            ]:
                return True
        except OSError:
            continue
    return False


def _gone(marker):
    """Return whether it ends within a minute: a kill is delivered when the machine gets to it."""
    end = time.monotonic() + 60.0
    while _runs(marker) and time.monotonic() < end:
        time.sleep(0.05)
    return not _runs(marker)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
def test_a_time_out_ends_the_whole_process_group(tmp_path):
    """A shell script's time-out ended the shell, and what it had started went on."""
    marker = f"31{os.getpid()}.25"
    script = tmp_path / "asr.sh"
    script.write_text(f"#!/bin/sh\nsleep {marker} &\nsleep {marker} &\nwait\n")
    script.chmod(0o755)
    with pytest.raises(TimeoutError):
        run_program([str(script)], timeout_s=3.0)
    assert _gone(marker)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
def test_what_a_program_leaves_behind_is_ended_with_it(tmp_path):
    marker = f"32{os.getpid()}.25"
    script = tmp_path / "asr.sh"
    script.write_text(f"#!/bin/sh\nsleep {marker} &\necho three words here\n")
    script.chmod(0o755)
    done = run_program([str(script)], timeout_s=120.0)
    assert (done.status, done.output) == (0, b"three words here\n")
    assert _gone(marker)


def test_a_programs_output_is_bounded(clip):
    """300 MB of a command's output became a hypothesis."""
    with pytest.raises(OutputTooLongError):
        run_program(["yes", "word"], timeout_s=300.0)
    recogniser = make_recogniser({"recogniser": "command", "command": "yes {audio}"})
    with pytest.raises(TranscriptionError, match="which no transcript is"):
        recogniser.transcribe(clip)


def test_endless_messages_do_not_fill_the_memory():
    script = "import sys\nfor _ in range(300): sys.stderr.write('e' * 100_000)\nprint('words')"
    done = run_program([sys.executable, "-c", script], timeout_s=300.0)
    assert done.output == b"words\n"
    assert len(done.errors) <= 64_000 + 65_536


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
def test_ctrl_c_ends_a_program_that_is_waited_for(workshop):
    marker = f"33{os.getpid()}.25"
    process = _evaluate(
        workshop, "asr=command", f"asr.command='sh -c \"sleep {marker}\" {{audio}}'", "asr.timeout_s=5000"
    )
    try:
        _until(lambda: _runs(marker), process)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
        assert process.returncode == 130
        assert _gone(marker)
    finally:
        process.kill()
        process.communicate()


def test_a_hostile_answer_stays_a_text(serve, ask):
    """Whatever a server says is one hypothesis: no path, no key, no program."""
    text = "../../etc/passwd $(touch owned) \x1b[2J {audio}"
    server = serve(lambda handler: answer(handler, 200, json.dumps({"text": text}).encode()))
    assert ask(server.url) == text
