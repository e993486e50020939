"""Exit 0 when the server of this container answers at /health/live/. Usage: healthcheck.py PORT"""

import os
import sys
import urllib.request

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
# Django answers only to its own names.
host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
request = urllib.request.Request(f"http://127.0.0.1:{port}/health/live/", headers={"Host": host})
with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310
    sys.exit(0 if answer.status == 200 else 1)
