"""`make bench`: the production settings on this machine, loaded from a second process, each page as a ratio to a bare view.

A bare view is /health/live/: no database, but every middleware. Rounds are interleaved, so that a machine whose speed
drifts slows all of them alike; the table shows medians. With PostgreSQL and Redis at hand two gunicorn workers of four
threads serve; else one worker on SQLite and local memory. The benchmark's database is kept between runs.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
GOALS = {
    "anonymous catalogue": 0.5,
    "listing page": 0.5,
    "signed-in catalogue": 0.15,
    "search, never asked before": 0.06,
    "purchase": 0.05,
    "Payme's calls": 0.08,
    "Stripe completed": 0.08,
}
BARE = "bare view"
# Purchases come last, beside a bare view of their own: a sale makes kept pages stale, and how quickly they are made again
# is not what the pages' own rows are about.
GROUPS = (
    (BARE, "anonymous catalogue", "listing page", "search, never asked before", "signed-in catalogue"),
    (BARE, "Payme's calls", "Stripe completed"),
    (BARE, "purchase"),
)
CROWD = 1000
MOST_QUERIES = 8


def services(name: str = "bench") -> dict[str, str]:
    """DATABASE_URL and REDIS_URL of what this machine has; SQLite and nothing where it has neither.

    The database is `wibestore_<name>`, or `var/<name>.sqlite3`; it is made if it is not there.
    """
    subprocess.run(["sh", "scripts/services.sh"], cwd=ROOT, check=False)
    found = dict(
        line.removeprefix("export ").replace("'", "").split("=", 1)
        for line in (VAR / "services.env").read_text().splitlines()
    )
    if "TEST_DATABASE_URL" in found and "TEST_REDIS_URL" in found:
        base, _slash, _name = found["TEST_DATABASE_URL"].rpartition("/")
        import psycopg
        from psycopg.sql import SQL, Identifier

        with psycopg.connect(found["TEST_DATABASE_URL"], autocommit=True) as db:
            if not db.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [f"wibestore_{name}"]
            ).fetchone():
                db.execute(SQL("CREATE DATABASE {}").format(Identifier(f"wibestore_{name}")))
        return {"DATABASE_URL": f"{base}/wibestore_{name}", "REDIS_URL": found["TEST_REDIS_URL"] + "/0"}
    print("PostgreSQL and Redis are not both here: measuring one process on SQLite", file=sys.stderr)
    return {"DATABASE_URL": f"sqlite:///{VAR / f'{name}.sqlite3'}"}


def environments(found: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """For filling the database (development settings), and for serving from it (production's, with secrets of this run)."""
    from cryptography.fernet import Fernet

    common = {
        **os.environ,
        **found,
        "LOG_LEVEL": "ERROR",
        "LOG_DIR": str(VAR),
        "MEDIA_ROOT": str(VAR / "bench-media"),
    }
    keys = {
        "SECRET_KEY": secrets.token_urlsafe(60),
        "FERNET_KEY": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "false",
        "EMAIL_HOST": "127.0.0.1",
        "PAYME_MERCHANT_ID": "bench-merchant",
        "PAYME_SECRET_KEY": secrets.token_urlsafe(30),
        "STRIPE_SECRET_KEY": f"sk_bench_{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
    }
    seeding = {**common, "DJANGO_SETTINGS_MODULE": "project.settings.development", "DEBUG": "false"}
    return seeding, {**common, **keys, "DJANGO_SETTINGS_MODULE": "project.settings.production"}


def vacuum(url: str) -> None:
    """Leave the tables as a server in use keeps them: what earlier runs bought is swept up, statistics are fresh.

    Autovacuum does that; where it is switched off, every search would wade through the dead rows of all runs before.
    """
    import psycopg

    with psycopg.connect(url, autocommit=True) as db:
        db.execute("VACUUM ANALYZE")


def manage(env: dict[str, str], *args: str) -> None:
    subprocess.run([sys.executable, "manage.py", *args], cwd=ROOT, env=env, check=True, stdout=sys.stderr)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(env: dict[str, str], port: int, workers: int) -> subprocess.Popen:
    command = [
        str(Path(sys.executable).with_name("gunicorn")), "project.wsgi:application", "--bind", f"127.0.0.1:{port}",
        "--worker-class", "gthread", "--workers", str(workers), "--threads", "4", "--keep-alive", "30",
        # Without it one worker may take all kept-alive connections.
        "--reuse-port", "--log-level", "warning",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    for _try in range(150):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=2).read()
            return server
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server did not come up")


def load(plan: dict) -> dict:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, str(ROOT / "loadtests/client.py"), file.name],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit("the load generator failed; its own words stand above")
    return json.loads(done.stdout)


def percentile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()

    VAR.mkdir(exist_ok=True)
    found = services()
    seeding, running = environments(found)
    manage(seeding, "migrate", "--verbosity", "0")
    manage(seeding, "seed", "--scale", str(options.listings))
    if "REDIS_URL" in found:
        vacuum(found["DATABASE_URL"])
    manage(running, "collectstatic", "--noinput", "--verbosity", "0")
    data = prepare(running, "prepare.py")
    data["plans"] |= prepare(running, "prepare_payments.py", "providers")

    port = free_port()
    server = serve(running, port, 2 if "REDIS_URL" in found else 1)
    groups: list[dict[str, list[dict]]] = []
    try:
        for names in GROUPS:
            measured: dict[str, list[dict]] = {name: [] for name in names}
            groups.append(measured)
            for number in range(-1, options.rounds):
                for name in names:
                    answer = load(part_of(data["plans"][name], port, number, options))
                    if number >= 0:  # the first round warms up and is not counted
                        measured[name].append(answer)
        crowd = deposits_of_a_crowd(running, port)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(10)
    missed = report(groups, data, found)
    return missed | report_crowd(crowd, running)


def prepare(env: dict[str, str], script: str, *args: str) -> dict:
    made = subprocess.run(
        [sys.executable, f"loadtests/{script}", *args],
        cwd=ROOT,
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(made.stdout)


def deposits_of_a_crowd(env: dict[str, str], port: int) -> list[dict]:
    """A thousand people at once open a deposit each, and then Payme calls for all of them at once."""
    runs = []
    for step in ("crowd", "calls"):
        plan = {
            **prepare(env, "prepare_payments.py", step),
            "port": port,
            "connections": CROWD,
            "seconds": 600,
        }
        runs.append(load({"expect": 200, **plan}))
    return runs


def report_crowd(runs: list[dict], env: dict[str, str]) -> int:
    """Say how the crowd fared and whether the books balance; 1 when they do not, or an answer was wrong."""
    opened, calls = runs
    for name, run, wanted in (("deposits opened", opened, CROWD), ("Payme's calls", calls, 4 * CROWD)):
        print(
            f"{CROWD} people at once, {name}: {run['count']} of {wanted} in {run['seconds']:.1f} s,"
            f" p95 {percentile(run['latencies'], 0.95):.0f} ms{f', wrong: {run["wrong"]}' if run['wrong'] else ''}"
        )
    books = subprocess.run([sys.executable, "manage.py", "reconcile"], cwd=ROOT, env=env, check=False)
    whole = opened["count"] == CROWD and calls["count"] == 4 * CROWD
    return 0 if whole and books.returncode == 0 else 1


def part_of(plan: dict, port: int, number: int, options: argparse.Namespace) -> dict:
    """What one round sends: all requests in turn, or of those that are sent once, this round's share."""
    requests = plan["requests"]
    if plan.get("once"):
        size = len(requests) // (options.rounds + 1)
        requests = requests[(number + 1) * size : (number + 2) * size]
    return {
        "port": port,
        "connections": options.connections,
        "seconds": options.seconds,
        "expect": plan.get("expect", 200),
        "once": plan.get("once", False),
        "requests": requests,
    }


def report(groups: list[dict[str, list[dict]]], data: dict, found: dict[str, str]) -> int:
    """Print the table; 1 when a goal was missed or an answer was wrong."""
    where = (
        "PostgreSQL and Redis, 2 gunicorn workers x 4 threads"
        if "REDIS_URL" in found
        else "SQLite, 1 worker x 4 threads"
    )
    rounds = len(groups[0][BARE])
    print(f"\n{where}; {data['on_sale']} listings on sale; medians of {rounds} interleaved rounds\n")
    print(f"{'page':<28}{'req/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'/ bare':>9}{'goal':>8}{'queries':>9}")
    missed = 0
    for results in groups:
        bare = rate_of(results[BARE])
        for name, runs in results.items():
            latencies = [one for run in runs for one in run["latencies"]]
            ratio, goal, count = rate_of(runs) / bare, GOALS.get(name), data["queries"].get(name)
            wrong = {status: times for run in runs for status, times in run["wrong"].items()}
            bad = (goal is not None and ratio < goal) or (count or 0) > MOST_QUERIES or bool(wrong)
            missed += bad
            print(
                f"{name:<28}{rate_of(runs):>9.0f}{percentile(latencies, 0.5):>9.2f}{percentile(latencies, 0.95):>9.2f}"
                f"{ratio:>9.3f}{goal or '':>8}{'' if count is None else count:>9}  {'MISSED' if bad else ''}"
                f"{f' wrong answers: {wrong}' if wrong else ''}"
            )
    spread = ", ".join(f"{run['count'] / run['seconds']:.0f}" for results in groups for run in results[BARE])
    print(f"\nbare view by round: {spread} req/s")
    return 1 if missed else 0


def rate_of(runs: list[dict]) -> float:
    """Requests per second, the median of the rounds."""
    return statistics.median(run["count"] / run["seconds"] for run in runs)


if __name__ == "__main__":
    sys.exit(main())
