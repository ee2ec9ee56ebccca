"""The command line of `python3 scripts/dev`. `make` only passes on to it."""

import argparse
import sys
from collections.abc import Sequence

from . import bench, clean, demo, lint, setup, shell, story, testing
from .messages import DevError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a DevError becomes one line and exit code 1."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and not options.takes_more:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return options.run(options, rest) or 0
    except DevError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 scripts/dev", allow_abbrev=False)
    parser.set_defaults(takes_more=False)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_everyday(commands)
    _add_tests(commands)
    return parser


def _add_everyday(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    plain = {
        "setup": ("download and install what is missing", _setup),
        "demo": ("Odoo with demo data and the insurer simulator, until Ctrl-C", demo.run),
        "story": ("the product's story, told step by step", story.run),
        "lint": ("every check of the code", lint.run),
        "bench": ("every benchmark", bench.run),
        "clean": ("remove .dev", clean.run),
        "distclean": ("remove .dev and the shared cache", lambda: clean.run(cache=True)),
    }
    for name, (text, function) in plain.items():
        commands.add_parser(name, help=text).set_defaults(run=lambda options, rest, function=function: function())
    command = commands.add_parser("shell", help="Odoo shell on a database, made with demo data when it does not exist")
    command.add_argument("name", help="the database")
    command.set_defaults(run=lambda options, rest: shell.run(options.name))


def _add_tests(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("test", help="every test; with pytest arguments those they select")
    command.set_defaults(run=lambda options, rest: testing.all_tests(rest), takes_more=True)

    command = commands.add_parser("odoo-test", help="Odoo tests alone: [--db NAME] [--keep] [pytest arguments]")
    command.add_argument(
        "--db", default="test_quick", help="database to use; runs at the same time need different ones"
    )
    command.add_argument(
        "--keep", action="store_true", help="update the addon in the database instead of making it anew"
    )
    command.set_defaults(
        run=lambda options, rest: testing.odoo_tests(options.db, rest, keep=options.keep), takes_more=True
    )

    command = commands.add_parser("unit", help="pure tests alone: [pytest arguments]")
    command.set_defaults(run=lambda options, rest: testing.unit_tests(rest), takes_more=True)


def _setup() -> None:
    with setup.ready():
        pass
