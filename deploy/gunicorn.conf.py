"""Pages behind nginx. Only nginx may reach this port: the visitor's address is taken from its header."""

import os
import ssl
from typing import Any

bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# Longer than nginx keeps its side open, so that it never sends into a connection that is being closed.
keepalive = 75
timeout = 60
graceful_timeout = 30
# Workers renew themselves, not all at once.
max_requests = 20_000
max_requests_jitter = 2_000
# Heartbeats on a disk can stall a worker.
worker_tmp_dir = "/dev/shm"  # noqa: S108
forwarded_allow_ips = "*"
# A folder of deploy/certificates.sh: TLS only, and only for holders of a certificate of the same authority.
if certificates := os.environ.get("CERTIFICATES"):
    certfile, keyfile = f"{certificates}/cert.pem", f"{certificates}/key.pem"
    ca_certs, cert_reqs = f"{certificates}/ca.pem", ssl.CERT_REQUIRED


def pre_request(_worker: Any, request: Any) -> None:
    """Put the visitor's address, as nginx saw it, where Django looks: locks against guessing and visit counts need it."""
    address = next((value for name, value in request.headers if name == "X-REAL-IP"), "")
    if address:
        request.proxy_protocol_info = {
            "proxy_protocol": "",
            "client_addr": address,
            "client_port": 0,
            "proxy_addr": "",
            "proxy_port": 0,
        }
