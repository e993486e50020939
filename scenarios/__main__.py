"""`python -m scenarios http://127.0.0.1:8000 [--only payme] [--list]`: a table, then 'N passed, N failed'; 1 on failures."""

import argparse
import sys

from scenarios import runner


def main() -> int:
    known = runner.collected()
    parser = argparse.ArgumentParser(prog="python -m scenarios", description=runner.__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000", help="the running server")
    parser.add_argument("--only", action="append", choices=sorted({one.provider for one in known}))
    parser.add_argument("--list", action="store_true", help="name the scenarios, play none")
    asked = parser.parse_args()
    chosen = [one for one in known if not asked.only or one.provider in asked.only]
    if asked.list:
        for one in chosen:
            print(f"{one.provider:<13} | {one.title}")
        return 0
    site = runner.Site(asked.url.rstrip("/"))
    count = dict.fromkeys(("ok", "failed", "skipped"), 0)
    for one in chosen:
        report = runner.run(one, site)
        count[report.verdict] += 1
        print(f"{one.provider:<13} | {one.title:<88} | {report.verdict:<7} | {report.milliseconds:>6} ms")
        if report.verdict == "failed":
            print(f"{'':<13} |   {report.why}")
        sys.stdout.flush()
    skipped = f", {count['skipped']} skipped (beside the server only)" if count["skipped"] else ""
    print(f"{count['ok']} passed, {count['failed']} failed{skipped}")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
