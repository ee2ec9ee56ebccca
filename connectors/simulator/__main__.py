"""``python -m connectors.simulator``: the simulator as a process of its own, until SIGTERM or Ctrl-C."""

import argparse
import logging
import signal
import sqlite3
import sys
import threading

from . import DEMO_API_KEY, Simulator
from .server import is_loopback
from .web import Refusal


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if not options.allow_remote and not is_loopback(options.host):
        print(f"{options.host} can be reached from other machines; --allow-remote if you mean it", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        simulator = _simulator(options)
    except Refusal as refusal:
        print(refusal.message, file=sys.stderr)
        return 2
    except OSError as exc:
        print(f"cannot listen on {options.host}:{options.port}: {exc.strerror}", file=sys.stderr)
        return 1
    except sqlite3.Error as exc:
        print(f"cannot use {options.database}: {exc}", file=sys.stderr)
        return 1
    with simulator:
        print(f"insurer simulator listening on {simulator.url}", flush=True)
        stop.wait()
    return 0


def _simulator(options: argparse.Namespace) -> Simulator:
    return Simulator(
        seed=options.seed,
        database=options.database,
        host=options.host,
        port=options.port,
        api_key=options.api_key,
        step_seconds=options.step_seconds,
        decide_seconds=options.decide_seconds,
        webhook=options.webhook,
        webhook_secret=options.webhook_secret,
        scenario=options.scenario,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m connectors.simulator", description="An insurer to play with.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8070, help="0 takes a free one")
    parser.add_argument(
        "--database", default=":memory:", metavar="FILE", help="keeps what happens; default: nothing is kept"
    )
    parser.add_argument("--seed", default="", metavar="NAME", help="fill an empty book, e.g. with 'demo'")
    parser.add_argument("--api-key", default=DEMO_API_KEY, help="the key to accept (default: %(default)s)")
    parser.add_argument("--step-seconds", type=float, metavar="S", help="claims move one step on after S seconds")
    parser.add_argument("--decide-seconds", type=float, metavar="S", help="requests are decided after S seconds")
    parser.add_argument("--webhook", default="", metavar="URL", help="wake this address up when something happens")
    parser.add_argument("--webhook-secret", default="", metavar="SECRET", help="sign these calls with it")
    parser.add_argument("--scenario", default="", metavar="NAME", help="play a scenario, e.g. 'down_for_an_hour'")
    parser.add_argument("--allow-remote", action="store_true", help="listen where other machines can reach it")
    parser.add_argument("--verbose", action="store_true", help="one line per request")
    return parser


if __name__ == "__main__":
    sys.exit(main())
