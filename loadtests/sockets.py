"""`make sockets`: 2,000 idle and 500 talking websockets on one uvicorn process, as ratios to a bare Channels echo consumer.

The real application with production settings, and beside it `loadtests/echo.py` under the same uvicorn flags (those of
docker-compose.yml) on the same channel layer, get the same sockets from a third process (`sockets_client.py`). Measured are:

- delivery: from the sender's send to the other one's receipt, while each conversation says something every few seconds. Ours
  is looked at by the contact guard, stored and told; the echo's is passed on. Rounds are interleaved, the table shows medians;
- memory: what the process holds more with the idle sockets than before;
- a stalled reader: two conversations are flooded, by a person within the allowed pace and by a firehose of published events,
  while their readers read and while they do not.

With PostgreSQL and Redis at hand these are used; else SQLite and the layer in memory, without the firehose from outside. The
database (`wibestore_sockets`) is kept. A goal that was missed makes the run fail.
"""

import argparse
import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from loadtests.bench import VAR, environments, free_port, manage, percentile, prepare, services, vacuum

DELIVERY, MEMORY, STALLED = 2.0, 1.5, 1.25
MOST_SECONDS = 900


def production() -> tuple[list[str], dict[str, str]]:
    """How production runs uvicorn, less where it listens and TLS, and its allocator: `ws` in docker-compose.yml."""
    ws = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["ws"]
    flags = [flag for flag in ws["command"] if flag.startswith("--")]
    flags = [flag for flag in flags if not flag.startswith(("--host", "--port", "--ssl"))]
    return flags, {name: value for name, value in ws["environment"].items() if name.startswith("MALLOC_")}


def serve(application: str, env: dict[str, str], port: int, log: Path) -> subprocess.Popen[bytes]:
    flags, allocator = production()
    env = env | allocator
    command = [sys.executable, "-m", "uvicorn", application, "--host=127.0.0.1", f"--port={port}", *flags]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    for _try in range(150):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live/", timeout=2).read()
        except urllib.error.HTTPError:
            return server  # it answers; the echo knows no pages
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.2)
        else:
            return server
    stop(server)
    raise SystemExit(f"{application} did not come up:\n{log.read_text()}")


def stop(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


def load(plan: dict[str, Any]) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, str(ROOT / "loadtests/sockets_client.py"), file.name],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=MOST_SECONDS + 60,
        )
    if done.returncode:
        raise SystemExit("the load generator failed; its own words stand above")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--talking", type=int, default=500)
    parser.add_argument(
        "--every", type=float, default=10.0, help="seconds from a conversation's message to its next"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0, help="of one round")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sockets, short rounds, no goals")
    options = parser.parse_args()
    if options.quick:
        options.idle, options.talking, options.rounds, options.seconds = 200, 50, 2, 8.0

    VAR.mkdir(exist_ok=True)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found = services("sockets")
    seeding, running = environments(found)
    stall_rounds = 1 if options.quick else 2
    with tempfile.TemporaryDirectory(dir=VAR) as logs:
        running |= {
            "LOG_LEVEL": "INFO",  # who left, and how many messages were dropped for them, stands in the log
            "LOG_DIR": logs,
            "LIVE_MAX": str(2 * (options.idle + options.talking)),
        }
        manage(seeding, "migrate", "--verbosity", "0")
        manage(running, "collectstatic", "--noinput", "--verbosity", "0")
        rooms = (options.idle + options.talking) // 2 + 2 * stall_rounds
        data = prepare(running, "prepare_sockets.py", str(rooms))
        if 60 / options.every / 2 > data["pace"]:
            parser.error(f"nobody may send more than {data['pace']:.0f} messages a minute")
        if "REDIS_URL" in found:
            vacuum(found["DATABASE_URL"])
        servers = {}
        try:
            targets = {}
            for name, application in (
                ("ours", "project.asgi:application"),
                ("echo", "loadtests.echo:application"),
            ):
                port = free_port()
                servers[name] = serve(application, running, port, Path(logs) / f"{name}.log")
                targets[name] = {"port": port, "pid": servers[name].pid}
            redis = found.get("REDIS_URL", "")
            measured = load(
                {
                    "targets": targets,
                    "rooms": data["rooms"],
                    "idle": options.idle,
                    "talking": options.talking,
                    "every": options.every,
                    "seconds": options.seconds,
                    "rounds": options.rounds,
                    "redis": redis and f"{redis.rpartition('/')[0]}/2",
                    "log": f"{logs}/wibestore.log",
                    "most_seconds": MOST_SECONDS,
                }
            )
        finally:
            for server in servers.values():
                stop(server)
            complaints = [
                line
                for line in (Path(logs) / "ours.log").read_text().splitlines()
                if "[ERROR]" in line or "[WARNING]" in line or line.startswith("Traceback")
            ]
            print("\n".join(complaints[:20]), file=sys.stderr)
    missed = report(measured, options, found)
    return 0 if options.quick else missed


def report(measured: dict[str, Any], options: argparse.Namespace, found: dict[str, str]) -> int:
    """Print the tables; 1 when a goal was missed or a message was lost or refused."""
    where = "PostgreSQL and Redis" if "REDIS_URL" in found else "SQLite, layer in memory"
    rate = options.talking / 2 / options.every
    print(
        f"\n{where}; one uvicorn process each, {options.idle} idle and {options.talking} talking sockets; "
        f"{rate:.0f} messages a second, one every {options.every:g} s in each of {options.talking // 2} conversations;\n"
        f"medians of {options.rounds} interleaved rounds of {options.seconds:g} s\n"
    )
    missed = report_delivery(measured["rounds"]) + report_memory(measured["memory"])
    missed += report_stalled(measured["stalled"])
    return 1 if missed else 0


def line_of(name: str, runs: list[dict[str, Any]]) -> str:
    rate = statistics.median(run["sent"] / run["seconds"] for run in runs)
    cpu = statistics.median(run["cpu"] for run in runs)
    lost = sum(run["lost"] for run in runs)
    wrong = {code: count for run in runs for code, count in run["errors"].items()}
    times = "".join(f"{quantile(runs, part):>9.1f}" for part in (0.5, 0.95, 0.99))
    return f"{name:<30}{rate:>9.0f}{cpu:>8.0%}{times}{lost:>7}{f'  wrong: {wrong}' if wrong else ''}"


def quantile(runs: list[dict[str, Any]], part: float) -> float:
    """The median of the rounds; a message that never came took for ever."""
    return statistics.median(percentile([*run["latencies"], *[math.inf] * run["lost"]], part) for run in runs)


def is_whole(runs: list[dict[str, Any]]) -> bool:
    return not any(run["lost"] or run["errors"] for run in runs)


def report_delivery(rounds: dict[str, list[dict[str, Any]]]) -> int:
    print(f"{'delivery':<30}{'msg/s':>9}{'cpu':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'lost':>7}")
    for name, runs in rounds.items():
        print(line_of(name, runs))
    ratio = quantile(rounds["ours"], 0.95) / quantile(rounds["echo"], 0.95)
    print(
        f"p95, ours / echo: {ratio:.2f} (goal: at most {DELIVERY:g}){' MISSED' if ratio > DELIVERY else ''}\n"
    )
    return (ratio > DELIVERY) + (not all(is_whole(runs) for runs in rounds.values()))


def report_memory(memory: dict[str, Any]) -> int:
    print(f"{'memory':<30}{'before MiB':>12}{'after MiB':>12}{'KiB / socket':>15}{'gone':>7}")
    each = {}
    for name, one in memory.items():
        each[name] = (one["after"] - one["before"]) / one["sockets"] / 1024
        sizes = f"{one['before'] / 2**20:>12.1f}{one['after'] / 2**20:>12.1f}{each[name]:>15.1f}"
        print(f"{name:<30}{sizes}{one['gone']:>7}")
    ratio = each["ours"] / each["echo"]
    print(
        f"memory, ours / echo: {ratio:.2f} (goal: at most {MEMORY:g}){' MISSED' if ratio > MEMORY else ''}\n"
    )
    return (ratio > MEMORY) + any(one["gone"] for one in memory.values())


def report_stalled(stalled: dict[str, Any]) -> int:
    print(
        f"{'ours, two flooded besides':<30}{'msg/s':>9}{'cpu':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'lost':>7}"
    )
    print(line_of("their readers read", stalled["reading"]))
    print(line_of("their readers are stalled", stalled["stalled"]))
    ratio = quantile(stalled["stalled"], 0.95) / quantile(stalled["reading"], 0.95)
    count = len(stalled["stalled"])
    print(
        f"p95, stalled / reading: {ratio:.2f} (goal: at most {STALLED:g}){' MISSED' if ratio > STALLED else ''}"
    )
    print(f"stalled readers that read again and were told to fetch anew: {stalled['told']} of {count}")
    print(f"stalled readers that never read again and were cut off: {len(stalled['cut'])} of {count}")
    for line in stalled["cut"]:
        print(f"  {line}")
    whole = is_whole(stalled["reading"]) and is_whole(stalled["stalled"])
    return (ratio > STALLED) + (stalled["told"] < count) + (len(stalled["cut"]) < count) + (not whole)


if __name__ == "__main__":
    sys.exit(main())
