"""Risk rules as data: a language, a checker, a reference evaluator and an engine in a child process.

    YAML text ──document──> Pack of Rules ──checker──> problems with line, column and a suggestion
                                 │
            ┌────────────────────┴─────────────────────┐
      evaluator (reference)                   compiler ──> client ═══ pipe ═══> worker (child process)
      says why, stands in                     whitelisted JSON, integers only    durable_rules lives here
            └───────────── must agree ─────────────────┘                         and nowhere else

Semantics in one sentence: a comparison with a missing value is neither true nor false but missing, ``not`` of missing
is missing, a rule fires only when its condition is known to be true, and an exclusion silences it only when the
exclusion is known to be true.

Typical use::

    pack = load(text)                                   # DocumentError: not a rule document
    problems = check(pack, DEFAULT_CATALOGUE)           # empty: nothing in it can fail at run time
    engine = RuleEngine(pack, DEFAULT_CATALOGUE)        # RulesRefused when there are problems
    verdict = engine.evaluate(facts, today)             # facts: {"amount_overdue": Decimal(12300), "country": None}
    for key in verdict.fired:
        print(engine.explain(key, facts, today).explain())    # "amount_overdue 12,300 > 10,000: yes"
"""

from .catalogue import (
    BUYER_SIGNALS,
    COVER_STATUSES,
    DEFAULT_ACTIONS,
    DEFAULT_CATALOGUE,
    EVENT_SIGNALS,
    INVOICE_SIGNALS,
    ORDER_SIGNALS,
    Action,
)
from .checker import check, check_text
from .client import AnsweredBy, Difference, RuleEngine, Verdict
from .document import load
from .errors import (
    CatalogueError,
    DocumentError,
    EngineBusy,
    EngineDown,
    EngineError,
    EngineRefused,
    RiskError,
    RulesRefused,
)
from .evaluator import Outcome, evaluate
from .host import EngineHost, shared_host
from .messages import render
from .model import (
    PRECEDENCE,
    All,
    Any,
    Comparison,
    Constant,
    ConstantList,
    Not,
    Operator,
    Pack,
    Rule,
    RuleTest,
    Severity,
    SignalRef,
    State,
    signal_keys,
)
from .problems import Place, Problem
from .signals import Scope, Signal, SignalCatalogue, SignalType
from .trace import Answer, ComparisonTrace, Gap, GroupTrace, Trace, trace_lines
from .writer import dump

__all__ = [
    "Action",
    "All",
    "Answer",
    "AnsweredBy",
    "Any",
    "BUYER_SIGNALS",
    "COVER_STATUSES",
    "CatalogueError",
    "Comparison",
    "ComparisonTrace",
    "Constant",
    "ConstantList",
    "DEFAULT_ACTIONS",
    "DEFAULT_CATALOGUE",
    "Difference",
    "DocumentError",
    "EVENT_SIGNALS",
    "EngineBusy",
    "EngineDown",
    "EngineError",
    "EngineHost",
    "EngineRefused",
    "Gap",
    "GroupTrace",
    "INVOICE_SIGNALS",
    "Not",
    "ORDER_SIGNALS",
    "Operator",
    "Outcome",
    "PRECEDENCE",
    "Pack",
    "Place",
    "Problem",
    "RiskError",
    "Rule",
    "RuleEngine",
    "RuleTest",
    "RulesRefused",
    "Scope",
    "Severity",
    "Signal",
    "SignalCatalogue",
    "SignalRef",
    "SignalType",
    "State",
    "Trace",
    "Verdict",
    "check",
    "check_text",
    "dump",
    "evaluate",
    "load",
    "render",
    "shared_host",
    "signal_keys",
    "trace_lines",
]
