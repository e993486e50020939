"""`make kill`: pull the plug while money moves, again and again, and look whether any of it was lost or counted twice.

A real server (production settings, gunicorn, PostgreSQL and Redis; `--sqlite`: one worker on SQLite) takes 500 payments by
Payme's calls, purchases from the wallet and payouts, and a tenth as many refunds of staff and purchases of plans, each asked
for over HTTP until it is answered, with the same key, as browsers, clients and Payme do; beside it a process renews as many
plans by the clock. Meanwhile both process groups are killed with SIGKILL at random moments and started again. Then the
sweepers run once, and every operation is looked up: it must have happened exactly once, and every proof of the books must
hold. The report is printed, and written to docs/killed-while-paying.md with `--write`.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from loadtests.bench import free_port, manage, services

VAR = ROOT / "var"
REPORT = ROOT / "docs" / "killed-while-paying.md"
PATIENCE = 900.0  # seconds in which every operation must have got its answer
THREADS = 12


class Server:
    """The thing that is killed and started again."""

    def __init__(self, env: dict[str, str], workers: int) -> None:
        self.env, self.workers, self.port = env, workers, free_port()
        self.kills = 0
        self.lock = threading.Lock()
        self.start()

    def start(self) -> None:
        command = [
            str(Path(sys.executable).with_name("gunicorn")), "project.wsgi:application", "--bind", f"127.0.0.1:{self.port}",
            "--worker-class", "gthread", "--workers", str(self.workers), "--threads", "4", "--log-level", "critical",
            "--env", "PYTHONWARNINGS=ignore",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, start_new_session=True)
        # What a worker does by the clock. It is killed at its own moments.
        clock = [sys.executable, "loadtests/kill_inside.py", "renew"]
        self.clock = subprocess.Popen(
            clock, cwd=ROOT, env=self.env, start_new_session=True, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        with self.lock:
            self._end(signal.SIGKILL)
            self.kills += 1
            self.start()

    def _end(self, how: signal.Signals) -> None:
        for process in (self.process, self.clock):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
        for process in (self.process, self.clock):
            process.wait(20)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/live/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        self._end(signal.SIGTERM)


class Caller:
    """Asks until there is an answer; a broken connection and a 5xx are none."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tries: Counter[str] = Counter()
        self.until = time.monotonic() + PATIENCE

    def ask(self, what: str, request: dict) -> tuple[int, str]:
        while time.monotonic() < self.until:
            self.tries[what] += 1
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=15)
                connection.request("POST", request["path"], body=request["body"], headers=request["headers"])
                answer = connection.getresponse()
                body = answer.read().decode(errors="replace")
                connection.close()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            body = answer.headers.get("Location", "") or body
            if answer.status < 500 and '"code": -32400' not in body:
                return answer.status, body
            time.sleep(0.05)
        return 0, "no answer"


def pay(caller: Caller, plan: dict) -> str:
    """Payme's calls in order, each until it is answered."""
    for name in ("create", "perform"):
        status, body = caller.ask("payment", plan[name])
        if status != 200 or '"result"' not in body:
            return f"{name}: {status} {body[:200]}"
    return "ok"


def buy(caller: Caller, plan: dict) -> str:
    status, body = caller.ask("purchase", plan)
    return "ok" if status == 302 and "/trades/" in body else f"{status} {body[:200]}"


def withdraw(caller: Caller, plan: dict) -> str:
    status, body = caller.ask("payout", plan)
    return "ok" if status == 201 else f"{status} {body[:200]}"


def refund(caller: Caller, plan: dict) -> str:
    status, body = caller.ask("refund", plan)
    return "ok" if status == 302 and "/desk/payments/" in body else f"{status} {body[:200]}"


def subscribe(caller: Caller, plan: dict) -> str:
    status, body = caller.ask("plan", plan)
    return "ok" if status == 201 else f"{status} {body[:200]}"


DEEDS = {"payment": pay, "purchase": buy, "payout": withdraw, "refund": refund, "plan": subscribe}


def inside(env: dict[str, str], step: str, given: object = None) -> dict:
    """Run a part of this file inside Django, on the server's database."""
    done = subprocess.run(
        [sys.executable, "loadtests/kill_inside.py", step],
        cwd=ROOT,
        env=env,
        check=True,
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)


def killer(server: Server, stop: threading.Event, rng: random.Random) -> None:
    """Let it live for a moment that nobody can foresee, counted from its first answer: then pull the plug."""
    while not stop.is_set():
        if server.answers() and not stop.wait(rng.uniform(0.2, 3.0)):
            server.kill()
        stop.wait(0.05)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=500)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--write", action="store_true", help="keep the report in docs/")
    options = parser.parse_args()
    rng = random.Random(options.seed)

    env, where = environment(sqlite=options.sqlite)
    manage(env, "migrate", "--verbosity", "0")
    plans = inside(env, "prepare", options.operations)
    server = Server(env, 1 if options.sqlite else 2)
    caller, stop = Caller(server), threading.Event()
    pulling = threading.Thread(target=killer, args=(server, stop, rng))
    deeds = [(kind, plan) for kind, some in plans["plans"].items() for plan in some]
    rng.shuffle(deeds)
    begun = time.monotonic()
    pulling.start()
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            outcomes = list(pool.map(lambda deed: (deed[0], DEEDS[deed[0]](caller, deed[1])), deeds))
    finally:
        stop.set()
        pulling.join()
        server.stop()
    seconds = time.monotonic() - begun
    found = inside(env, "judge", plans["facts"])
    text = told(options, where, server, caller, outcomes, found, seconds)
    print(text)
    if options.write:
        REPORT.write_text(text)
    return 0 if found["is_right"] and all(outcome == "ok" for _kind, outcome in outcomes) else 1


def environment(*, sqlite: bool) -> tuple[dict[str, str], str]:
    from cryptography.fernet import Fernet

    VAR.mkdir(exist_ok=True)
    found = {} if sqlite else services()
    if "REDIS_URL" in found:
        import psycopg

        base = found["DATABASE_URL"].rpartition("/")[0]
        with psycopg.connect(f"{base}/postgres", autocommit=True) as db:
            db.execute("DROP DATABASE IF EXISTS wibestore_killed WITH (FORCE)")
            db.execute("CREATE DATABASE wibestore_killed")
        found["DATABASE_URL"] = f"{base}/wibestore_killed"
        found["REDIS_URL"] = found["REDIS_URL"].rpartition("/")[0] + "/0"
        where = "PostgreSQL and Redis, 2 gunicorn workers of 4 threads"
    else:
        for name in ("killed.sqlite3", "killed.sqlite3-wal", "killed.sqlite3-shm"):
            (VAR / name).unlink(missing_ok=True)
        found, where = (
            {"DATABASE_URL": f"sqlite:///{VAR / 'killed.sqlite3'}"},
            "SQLite, 1 gunicorn worker of 4 threads",
        )
    return {
        **os.environ,
        **found,
        "DJANGO_SETTINGS_MODULE": "project.settings.production",
        "STAFF_SECOND_FACTOR": "false",  # the clerk of this play has a session and no phone
        "SECRET_KEY": secrets.token_urlsafe(60),
        "FERNET_KEY": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "false",
        "EMAIL_HOST": "127.0.0.1",
        "LOG_LEVEL": "CRITICAL",
        "LOG_DIR": str(VAR),
        "PAYME_MERCHANT_ID": "kill-merchant",
        "PAYME_SECRET_KEY": secrets.token_urlsafe(30),
        # Gives money back when asked; nothing here asks the real one.
        "CLICK_SERVICE_ID": "90001",
        "CLICK_MERCHANT_ID": "90002",
        "CLICK_MERCHANT_USER_ID": "90003",
        "CLICK_SECRET_KEY": secrets.token_urlsafe(30),
    }, where


def told(
    options: argparse.Namespace,
    where: str,
    server: Server,
    caller: Caller,
    outcomes: list[tuple[str, str]],
    found: dict,
    seconds: float,
) -> str:
    asked = Counter(kind for kind, _outcome in outcomes)
    bad = [f"- {kind}: {outcome}" for kind, outcome in outcomes if outcome != "ok"][:20]
    rows = "\n".join(
        f"| {kind} | {asked[kind]} | {caller.tries[kind]} "
        f"| {found['once'][kind]} | {found['twice'][kind]} | {found['lost'][kind]} |"
        for kind in DEEDS
    )
    renewals = [found[how]["renewal"] for how in ("once", "twice", "lost")]
    rows += f"\n| renewal | {sum(renewals)} | | {' | '.join(map(str, renewals))} |"
    proofs = "\n".join(f"- {'holds' if holds else 'BROKEN'}: {rule}" for rule, holds in found["proofs"])
    return f"""# Killed while paying

`make kill` on {where}; {len(outcomes)} operations by {THREADS} callers in {seconds:.0f} s, seed {options.seed}. The whole
process group was killed with SIGKILL **{server.kills} times** at random moments and started again at once.

| operation | asked for | requests sent | happened once | twice | lost |
| --- | --- | --- | --- | --- | --- |
{rows}

A payment is asked for by two calls of Payme's, a refund by staff on the payment's page; renewals are made by the clock, in a
process that is killed like the server. "Requests sent" counts every repeat after a broken connection. After the sweep each
refund was asked for at its provider once.

Left behind by the kills before the sweep: {found["stored_webhooks"]} stored calls that were never finished,
{found["waiting_jobs"]} jobs in the outbox; after it: {found["stored_webhooks_after"]} calls unfinished.
{found["renewed_before"]} plans were renewed between the kills.

Proofs of the books after the sweep:

{proofs}

Verdict: **{"nothing lost, nothing twice, every proof holds" if found["is_right"] and not bad else "NOT RIGHT"}**.
""" + (
        ("\nWhat went wrong:\n\n" + "\n".join([*bad, *found["wrong"]]) + "\n")
        if bad or found["wrong"]
        else ""
    )


if __name__ == "__main__":
    sys.exit(main())
