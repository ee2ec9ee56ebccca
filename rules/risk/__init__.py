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

**When an alert ends** (``until``). A rule may say when an alert that is open ends (``when: exposure > 100``,
``until: exposure < 80``); without it the alert ends when ``when`` is known not to hold. It always ends when the rule is
silenced by its exclusion or is not active that day, and never while the rule fires::

    verdict.ends(key)       # True: end the open alert of that rule. Same as key not in verdict.fired + verdict.kept
    verdict.kept            # rules that do not fire and keep an open alert open (undecided, or until not reached)
    outcome.ended           # the same for one rule (engine.explain, evaluate); outcome.ending is the trace of until

**Derived signals** are signals computed from others, and from then on signals like all others::

    signals:                                                  # in a pack, or one by one
      - {key: overdue_share, label: Share overdue, type: percent, value: 100 * amount_overdue / exposure}

    derived = load_derived(text)                              # one of them from YAML; dump_derived(derived) -> text
    problems = check_derived([derived, …], catalogue)         # cycles, units, unknown signals, with place and hint
    catalogue = catalogue.with_derived([derived, …])          # any order; CatalogueError for what check_derived refuses
    catalogue.sources({"overdue_share"})                      # {"amount_overdue", "exposure"}: what to fetch
    complete(facts, catalogue, today)                         # the facts and the values of all derived signals

``evaluate``, ``render``, ``RuleEngine`` and ``check`` complete facts by themselves. A derived value which is given with
the facts (a test, a replay) counts as given. ``RuleEngine(pack, catalogue).catalogue`` includes ``pack.signals``.

**Decision tables** (``table:`` instead of ``when:``) are rules whose rows are rules ``key__1``, ``key__2`` …: verdicts
name the rows, and alerts belong to the table::

    rule.table              # None for other rules; rule.when is true where any row fits, so evaluate(rule) works too
    expand(rule)            # the rows as rules with their own severity, message and actions; other rules alone
    engine.rule(row_key)    # the row (or rule) a verdict names; engine.explain(row_key, …) says why
    origin_of(row_key)      # the key of the table, of rules their own; the same as engine.rule(row_key).origin
    verdict.ends("key")     # with the table's key: True when no row of it fires or keeps the alert open

**Saving a rule**: ``check(rule, catalogue, others=active_rules)`` also refuses what adds nothing to one of the others
or contradicts it; ``RuleEngine`` does not mind, so a merged pack of rules checked one by one never stops a screening.

**Overrides** are a company's own values for single fields of a shipped rule (severity, priority, message, actions,
observe, when or table, unless, until, valid_from, valid_to); the rest follows the rule as it is shipped today::

    fields = overrides.load_override("severity: critical")    # DocumentError; overrides.dump_override(fields) -> text
    rule = overrides.apply(shipped_rule, fields)              # then check(rule, …): an override can be senseless
    overrides.differences(shipped_rule, rule)                 # the fields again

**Scorecards** (``scorecard.py`` shows one) give the internal score::

    card = scoring.load_scorecard(text)                       # DocumentError; scoring.dump_scorecard(card) -> text
    problems = scoring.check_scorecard(card, catalogue, excluded={"internal_score", …})
    card = scoring.card_for(industry, cards)                  # the industry's, else the general one, else None
    scored = scoring.score(facts, card, today, catalogue)     # scored.value: 0-100 (worst-best) or None
    scored.coverage, scored.part("behaviour"), scored.parts   # the breakdown: shares, points, contributions, missing

**Forms** are rules and signals as plain JSON, both ways without loss; **assist** helps those who type::

    form = to_form(rule)                                      # {"key": …, "when": {"kind": "all", …}, …}
    rule = from_form(form)                                    # DocumentError: problems with paths as check has them
    describe_catalogue(catalogue, scope)                      # [{"key", "label", "type", "choices", …}]
    rule = from_form(form, catalogue)                         # when values may lack their "type" (number, text, flag)
    tokens(text)                                              # [(start, end, kind)] for highlighting, of any text
    complete_at(text, offset, catalogue)                      # [Suggestion(start, end, text, kind, label, help)]
"""

from . import overrides, scoring
from .assist import Suggestion, complete_at
from .calculation import Arithmetic, Calculation, Case, Cases, Expression, Extreme
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
from .checker import check, check_derived, check_text
from .client import AnsweredBy, Difference, RuleEngine, Verdict
from .derived import Derived
from .document import load, load_derived
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
from .facts import complete
from .form import describe_catalogue, from_form, to_form
from .highlight import tokens
from .host import EngineHost, shared_host
from .messages import render
from .model import (
    PRECEDENCE,
    All,
    Any,
    Column,
    Comparison,
    Constant,
    ConstantList,
    Not,
    Operator,
    Row,
    Rule,
    RuleTest,
    Severity,
    SignalRef,
    State,
    Table,
    origin_of,
    signal_keys,
)
from .pack import Pack
from .problems import Place, Problem
from .signals import Scope, Signal, SignalCatalogue, SignalType
from .table import expand
from .trace import Answer, ComparisonTrace, Gap, GroupTrace, Trace, trace_lines
from .writer import dump, dump_derived

__all__ = [
    "Action",
    "All",
    "Answer",
    "AnsweredBy",
    "Any",
    "Arithmetic",
    "BUYER_SIGNALS",
    "COVER_STATUSES",
    "Calculation",
    "Case",
    "Cases",
    "CatalogueError",
    "Column",
    "Comparison",
    "ComparisonTrace",
    "Constant",
    "ConstantList",
    "DEFAULT_ACTIONS",
    "DEFAULT_CATALOGUE",
    "Derived",
    "Difference",
    "DocumentError",
    "EVENT_SIGNALS",
    "EngineBusy",
    "EngineDown",
    "EngineError",
    "EngineHost",
    "EngineRefused",
    "Expression",
    "Extreme",
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
    "Row",
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
    "Suggestion",
    "Table",
    "Trace",
    "Verdict",
    "check",
    "check_derived",
    "check_text",
    "complete",
    "complete_at",
    "describe_catalogue",
    "dump",
    "dump_derived",
    "evaluate",
    "expand",
    "from_form",
    "load",
    "load_derived",
    "origin_of",
    "overrides",
    "render",
    "scoring",
    "shared_host",
    "signal_keys",
    "to_form",
    "tokens",
    "trace_lines",
]
