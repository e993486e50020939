"""Exit 0 when the server of this container answers at /health/live/. Usage: healthcheck.py PORT"""

import os
import ssl
import sys
import urllib.request

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
scheme, context = "http", None
if certificates := os.environ.get("CERTIFICATES"):
    scheme, context = "https", ssl.create_default_context(cafile=f"{certificates}/ca.pem")
    context.load_cert_chain(f"{certificates}/cert.pem", f"{certificates}/key.pem")
# Django answers only to its own names.
host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
address = f"{scheme}://127.0.0.1:{port}/health/live/"
request = urllib.request.Request(address, headers={"Host": host})  # noqa: S310 (http or https, as above)
with urllib.request.urlopen(request, timeout=3, context=context) as answer:  # noqa: S310
    sys.exit(0 if answer.status == 200 else 1)
