"""A log server on loopback: syslog over TLS as RFC 5425 has it, strict about its frames; certificates of its own authority."""

import datetime
import ipaddress
import re
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def authority(folder, name="authority"):
    """An authority: its key and certificate; the latter lies in `folder` as <name>.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(name, key, issuer=name, signing=key, is_authority=True)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key, name, made


def certificate(folder, by, *, host="127.0.0.1", name="server", days=1):
    """A certificate for a host, signed by an authority, with its key in one file."""
    signing, issuer, _made = by
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(name, key, issuer=issuer, signing=signing, host=host, days=days)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


def _certificate(name, key, *, issuer, signing, host=None, is_authority=False, days=1):
    now = datetime.datetime.now(datetime.UTC)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    built = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=3))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if is_authority:
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
             "decipher_only", "digital_signature"), False,
        )  # fmt: skip
        built = built.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    if host:
        try:
            alternative = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        built = built.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    return built.sign(signing, hashes.SHA256())


class LogServer:
    """What came. `messages` are whole frames; `wait(n)` waits for the n-th, and is False when it does not come."""

    def __init__(self, port):
        self.port, self.messages, self.callers, self.broken = port, [], 0, []
        self._news = threading.Condition()
        self._wires = []

    def wait(self, number, *, seconds=10):
        with self._news:
            return self._news.wait_for(lambda: len(self.messages) >= number, seconds)

    def serve(self, listener, context, opens):
        if opens:
            opens.wait()
        while True:
            try:
                plain, _address = listener.accept()
            except OSError:
                return
            try:
                wire = context.wrap_socket(plain, server_side=True)
            except OSError as error:
                self.broken.append(error)
                plain.close()
                continue
            self.callers += 1
            self._wires.append(wire)
            threading.Thread(target=self.read, args=(wire,), daemon=True).start()

    def read(self, wire):
        kept = b""
        while True:
            try:
                came = wire.recv(65536)
            except OSError:
                return
            if not came:
                return
            kept += came
            while found := re.match(rb"([1-9]\d*) ", kept):
                size, begin = int(found[1]), found.end()
                if len(kept) < begin + size:
                    break
                with self._news:
                    self.messages.append(kept[begin : begin + size])
                    self._news.notify_all()
                kept = kept[begin + size :]

    def hang_up(self):
        for wire in self._wires:
            # At once: closing alone would wait for the thread that reads.
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
        self._wires.clear()


@contextmanager
def running(file, *, port=0, wants=None, opens=None):
    """`file`: the server's certificate and key; `wants`: the authority of callers' certificates, where they must have one;
    `opens`: an event before which callers are left standing at the door.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if wants:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(wants)
    listener = socket.create_server(("127.0.0.1", port))
    server = LogServer(listener.getsockname()[1])
    threading.Thread(target=server.serve, args=(listener, context, opens), daemon=True).start()
    try:
        yield server
    finally:
        if opens:
            opens.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        server.hang_up()
