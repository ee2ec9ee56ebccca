"""What can go wrong with risk rules, as one tree: the type says what to do next.

    RiskError
     ├── CatalogueError      the signals themselves are inconsistent: a programming error
     ├── RulesRefused        the rules are not acceptable; ``problems`` says where and why
     │    └── DocumentError  ... because the text is not a rule document at all
     └── EngineError         the child process; nobody outside ``client`` sees one of these
          ├── EngineBusy     another thread has it, or it is still starting: ask the reference evaluator
          ├── EngineDown     it died, hung or cannot be started: kill it and try once more
          └── EngineRefused  it read the rules and would answer wrongly: never use it for them

Facts that cannot be read and rules that cannot be decided are results, not errors: see ``evaluator``.
"""

from collections.abc import Iterable

from .problems import Problem


class RiskError(Exception):
    """Root of everything this package raises on purpose."""


class CatalogueError(RiskError):
    """A catalogue of signals contradicts itself (two signals with one key, a choice without values)."""


class RulesRefused(RiskError):
    """Rules that must not be used; ``problems`` is never empty and is in document order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DocumentError(RulesRefused):
    """A text which is not a rule document: bad YAML, unknown or missing fields, a condition nobody can parse."""


class EngineError(RiskError):
    """The child process did not answer."""


class EngineBusy(EngineError):
    """The engine is healthy but cannot answer within the time allowed."""


class EngineDown(EngineError):
    """The child process is gone, does not answer or does not speak our protocol."""


class EngineRefused(EngineError):
    """The child process refused the rules, or its answers to the samples were not the reference answers."""
