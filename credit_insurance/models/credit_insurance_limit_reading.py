"""What the limits of buyers are made of, read by a function of the database in small steps: see ``sql_functions``.

Nothing is read of a buyer that nobody configured, and of policies and their accounts only where there is insurance.
"""

from collections import defaultdict
from datetime import date

from odoo import api, models
from odoo.tools import SQL

from .credit_insurance_limit import BuyerRow
from .signals_facts_sql import ADVERSE
from .sql_functions import KEPT_PLAN, InFunction, Step, ensure_function, int_array

LIMIT_ROWS = "credit_insurance_limit_rows"
FUNCTIONS = (LIMIT_ROWS,)

BUYERS = SQL(
    """
    SELECT id, partner_id, company_id, status, currency_id, group_id, profile_id, adverse_since
      FROM credit_insurance_buyer
     WHERE merged_into_id IS NULL
    """
)
OWN = SQL(
    """
    SELECT buyer_id, id, kind, amount::text, currency_id, date_from AS "from", date_to AS "to", cancelled
      FROM credit_insurance_own_limit
    """
)
GUARANTEES = SQL(
    """
    SELECT buyer_id, id, order_id, amount::text, currency_id, date_from AS "from", date_to AS "to", cancelled
      FROM credit_insurance_guarantee
    """
)
# What voids them is read with them: other buyers are not asked for it.
DISCRETIONARY = SQL(
    """
    SELECT buyer_id, id, policy_id, amount::text, currency_id, insured_percentage::text AS percentage,
           date_from AS "from", date_to AS "to", evidenced, cancelled,
           (SELECT MIN(e.known_on) FROM credit_insurance_event e
             WHERE e.buyer_id = d.buyer_id AND e.active AND e.kind IN %s) AS adverse_since
      FROM credit_insurance_discretionary_limit d
    """,
    ADVERSE,
)
COVERS = SQL(
    """
    SELECT buyer_id, id, policy_id, layer, status, amount::text, currency_id,
           insured_percentage::text AS percentage, effective_from AS "from", effective_to AS "to", ends_cover,
           external_id AS reference, decided_on AS decided, fetched_at AS fetched,
           fetched_at::date AS recorded, announced_status, announced_amount::text, announced_from, grade
      FROM credit_insurance_cover
     WHERE active
    """
)
POLICIES = SQL(
    """
    SELECT p.id, p.date_start AS policy_from, p.date_end AS policy_to, p.active AS policy_active,
           p.max_payment_term_days AS max_term, p.account_id, p.currency_id AS policy_currency,
           p.disputed_share::text, p.tolerance::text,
           (SELECT covers_pulled_at FROM credit_insurance_account WHERE id = p.account_id) AS pulled,
           (SELECT json_build_array(number, unit, base, last_day_counts) FROM credit_insurance_policy_period
             WHERE policy_id = p.id AND kind = 'end_of_mep') AS mep,
           (SELECT json_agg(n.name)
              FROM credit_insurance_policy_res_currency_rel r
              JOIN res_currency n ON n.id = r.res_currency_id
             WHERE r.credit_insurance_policy_id = p.id) AS currencies
      FROM credit_insurance_policy p
    """
)
COUNTRIES = SQL(
    """
    SELECT r.credit_insurance_policy_id AS policy, n.code
      FROM credit_insurance_policy_res_country_rel r
      JOIN res_country n ON n.id = r.res_country_id
    """
)
PARTNERS = SQL("SELECT q.id, n.code FROM res_partner q JOIN res_country n ON n.id = q.country_id")
LINKS = SQL("SELECT buyer_id, account_id, missing_since, last_seen_at FROM credit_insurance_buyer_link")
ALERTS = SQL(
    """
    SELECT a.buyer_id, r.name, CASE WHEN a.holds = 'order' AND r.holds_orders IS NOT TRUE THEN a.res_id END AS order_id
      FROM credit_insurance_alert a
      JOIN credit_insurance_rule r ON r.id = a.rule_id
     WHERE a.ended_on IS NULL AND a.state IN ('open', 'acknowledged') AND a.observe_only IS NOT TRUE
       AND (r.holds_orders OR a.holds IS NOT NULL)
    """
)
# What stops cover for new deliveries beside what is overdue: begun, and not ended.
STOPS = SQL(
    """
    SELECT *
      FROM (SELECT buyer_id, 'insolvency' AS cause FROM credit_insurance_event
             WHERE kind = 'insolvency' AND active
             UNION ALL
            SELECT buyer_id, CASE WHEN insolvency_date IS NOT NULL AND cause = 'insolvency' THEN 'insolvency'
                                  ELSE 'claim' END
              FROM credit_insurance_claim
             WHERE live AND (submitted_on IS NOT NULL AND state <> 'paid'
                             OR insolvency_date IS NOT NULL AND cause = 'insolvency')
             UNION ALL
            SELECT buyer_id, 'collection' FROM credit_insurance_collection_case
             WHERE live AND acknowledged_on IS NOT NULL AND state NOT IN ('paid', 'closed')) s
    """
)

# The gravest first: it is the one that is told.
STOP_CAUSES = ("insolvency", "claim", "collection")

# The function's columns: a JSON list of objects each.
PARTS = (
    "buyer", "own", "guarantee", "discretionary", "cover", "policy", "country", "partner", "link", "alert", "stop",
)  # fmt: skip
OF_POLICY = (
    *("policy_from", "policy_to", "policy_active", "policy_currency", "max_term", "mep", "disputed_share", "tolerance"),
    *("countries", "currencies"),
)
EMPTY = dict.fromkeys(PARTS, ())


def limit_rows_in_steps():
    """The function's body: one row with the columns PARTS. Its arguments are partners and root companies."""
    place = InFunction()
    found = place.any("buyer", "id")
    of_buyers = SQL("buyer_id = ANY(%s)", place.values("buyer", "id"))
    policies = SQL("array_cat(%s, %s)", place.values("cover", "policy_id"), place.values("discretionary", "policy_id"))
    insured = SQL("%s OR %s", place.any("cover", "policy_id"), place.any("discretionary", "policy_id"))

    def step(name, query, condition, needed, kept=()):
        """What it reads as JSON; ``kept`` are the columns that later steps ask for."""
        columns = "".join(f"{column} int, " for column in kept) + "data json"
        names = SQL("").join(SQL("x.%s, ", SQL.identifier(column)) for column in kept)
        return Step(name, columns, SQL("SELECT %s row_to_json(x) FROM (%s %s) x", names, query, condition), needed)

    steps = [
        step("buyer", BUYERS, SQL("AND partner_id = ANY($1) AND company_id = ANY($2)"), None, ("id", "partner_id")),
        step("own", OWN, SQL("WHERE %s", of_buyers), found),
        step("guarantee", GUARANTEES, SQL("WHERE %s", of_buyers), found),
        step("discretionary", DISCRETIONARY, SQL("WHERE %s", of_buyers), found, ("policy_id",)),
        step("cover", COVERS, SQL("AND %s", of_buyers), found, ("policy_id",)),
        step("alert", ALERTS, SQL("AND a.%s", of_buyers), found),
        step("policy", POLICIES, SQL("WHERE p.id = ANY(%s)", policies), insured),
        step("country", COUNTRIES, SQL("WHERE r.credit_insurance_policy_id = ANY(%s)", policies), insured),
        step("link", LINKS, SQL("WHERE %s", of_buyers), place.any("cover", "policy_id")),
        step("stop", STOPS, SQL("WHERE %s", of_buyers), insured),
        step("partner", PARTNERS, SQL("WHERE q.id = ANY(%s)", place.values("buyer", "partner_id")),
             SQL("%s IS NOT NULL", place.values("country", "data"))),
    ]  # fmt: skip
    # One document each: a list of documents would be read one by one.
    lists = SQL(", ").join(SQL("array_to_json(%s)", place.values(part, "data")) for part in PARTS)
    return place.render(steps, SQL("SELECT %s", lists))


class CreditInsuranceLimit(models.AbstractModel):
    _inherit = "credit.insurance.limit"

    def init(self):
        result = super().init()
        # Only index lookups are considered: planned quickly, and right for one buyer and for all of them.
        settings = SQL("SET enable_seqscan = off SET enable_bitmapscan = off SET max_parallel_workers_per_gather = 0")
        columns = SQL(", ").join(SQL("%s json", SQL.identifier(part)) for part in PARTS)
        ensure_function(
            self.env.cr, LIMIT_ROWS, SQL("int[], int[]"), columns, limit_rows_in_steps(), (KEPT_PLAN, settings)
        )
        return result

    @api.model
    def _read_rows(self, pairs, attached=None):
        """Own limits, guarantees, discretionary limits and covers of every buyer: a ``BuyerRow`` each.

        A guarantee for one order is no part of the limit. ``attached`` reads more in the same statement.
        """
        return self._make_buyer_rows(*self._read_parts(pairs, attached))

    @api.model
    def _make_buyer_rows(self, parts, names):
        """:param names: of the currencies by their ids"""
        self._complete_insured(parts)
        by_buyer = {part: defaultdict(list) for part in PARTS}
        for part in ("own", "guarantee", "discretionary", "cover", "alert", "stop"):
            for item in parts[part]:
                if "currency_id" in item:
                    item["currency"] = names[item["currency_id"]]
                by_buyer[part][item["buyer_id"]].append(item)
        countries = {item["id"]: item["code"] for item in parts["partner"]}
        return [
            self._make_row(buyer, names[buyer["currency_id"]], countries.get(buyer["partner_id"]), by_buyer)
            for buyer in parts["buyer"]
        ]

    @api.model
    def _make_row(self, buyer, currency, country, by_buyer):
        parts = {part: items[buyer["id"]] for part, items in by_buyer.items() if buyer["id"] in items}
        guarantees = parts.get("guarantee", ())
        covers = [row for cover in _sorted(parts.get("cover")) for row in _with_announced(cover, parts["cover"])]
        adverse = [item["adverse_since"] for item in (buyer, *parts.get("discretionary", ()))]
        return BuyerRow(
            buyer["id"], buyer["partner_id"], buyer["company_id"], buyer["status"], buyer["currency_id"], currency,
            country, buyer["group_id"], buyer["profile_id"], _date(min(filter(None, adverse), default=None)),
            sorted({item["name"] for item in parts.get("alert", ()) if not item["order_id"]}),
            sorted((item["order_id"], item["name"]) for item in parts.get("alert", ()) if item["order_id"]),
            any(item["order_id"] and not item["cancelled"] for item in guarantees),
            min((item["cause"] for item in parts.get("stop", ())), key=STOP_CAUSES.index, default=""),
            _sorted(parts.get("own")),
            _sorted(item for item in guarantees if not item["order_id"]),
            _sorted(parts.get("discretionary")),
            covers,
        )  # fmt: skip

    @api.model
    def _read_parts(self, pairs, attached):
        """``{part: [JSON object]}`` of the buyers of these pairs, and the names of its currencies by their ids."""
        if not pairs:
            return EMPTY, {}
        self.env.flush_all()
        partners, companies = ({pair[place] for pair in pairs} for place in (0, 1))
        query = SQL("SELECT * FROM %s(%s, %s)", SQL.identifier(LIMIT_ROWS), int_array(partners), int_array(companies))
        [row] = self.env.execute_query(attached.render(query) if attached else query)
        if attached:
            attached.take(row[len(PARTS) :])
        parts = {part: items or () for part, items in zip(PARTS, row[: len(PARTS)], strict=True)}
        asked = set(pairs)
        parts["buyer"] = [buyer for buyer in parts["buyer"] if (buyer["partner_id"], buyer["company_id"]) in asked]
        return parts, self._get_currency_names(parts)

    @api.model
    def _get_currency_names(self, parts):
        items = [item for part in ("buyer", "own", "guarantee", "discretionary", "cover") for item in parts[part]]
        return self.env["credit.insurance.exposure"]._get_currency_names({item["currency_id"] for item in items})

    @api.model
    def _complete_insured(self, parts):
        """Put to each cover and discretionary limit what its policy says, and how fresh the insurer's answer is.

        A cover is as fresh as the connection's last complete pull, or the last one that contained the buyer.
        """
        policies = {item["id"]: {**item, "countries": None} for item in parts["policy"]}
        for item in parts["country"]:
            policy = policies[item["policy"]]
            policy["countries"] = [*(policy["countries"] or ()), item["code"]]
        links = {(item["buyer_id"], item["account_id"]): item for item in parts["link"]}
        for item in (*parts["discretionary"], *parts["cover"]):
            policy = policies[item["policy_id"]]
            item |= {name: policy[name] for name in OF_POLICY} | {"policy": item["policy_id"]}
        for item in parts["cover"]:
            if item["reference"] is not None:
                policy = policies[item["policy_id"]]
                link = links.get((item["buyer_id"], policy["account_id"]), {})
                seen = link["last_seen_at"] if link.get("missing_since") else policy["pulled"]
                item["fetched"] = max(filter(None, (item["fetched"], seen)), default=None)
            item["fetched"] = item["fetched"] and item["fetched"][:10]


def _with_announced(cover, history):
    """The cover as it stands, and an announced change of it as a row of its own from its day on.

    A change that the insurer took back before that day, by answering anew, has no row.
    """
    yield cover
    day = cover["announced_from"]
    if not cover["announced_status"] or not day:
        return
    answers = [
        other["recorded"] for other in history
        if other["id"] > cover["id"] and (other["policy_id"], other["layer"]) == (cover["policy_id"], cover["layer"])
    ]  # fmt: skip
    if not any(recorded and recorded < day for recorded in answers):
        yield cover | {
            "status": cover["announced_status"], "amount": cover["announced_amount"], "from": day, "to": None,
            "ends_cover": False,
        }  # fmt: skip


def _sorted(items):
    """In the order of their records."""
    return sorted(items or (), key=lambda item: item["id"])


def _date(text):
    return date.fromisoformat(text) if text else None
