"""What belongs to orders being decided, read by the statement that reads the limits of their buyers.

limits of the buyers ─┬─ holds, passes, payments of the orders ──> Odoo's cache, as if it had read them
                      └─ nobody configured the buyer, no hold, no pass ──> its decision and its pass are written
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.lru import LRU

from odoo.addons.credit_insurance.rules.policy import Outcome, decide

from .credit_insurance_gate_requests import Figures
from .sql_functions import int_array

# What each of the fields NAMES holds, as (order, id), in the order in which Odoo reads it.
NAMES = ("credit_hold_ids", "credit_pass_ids", "transaction_ids")
HOLDS = SQL(
    "SELECT ARRAY[order_id, id] FROM credit_insurance_hold"
    " WHERE order_id = ANY(o.ids) ORDER BY state, create_date DESC, id DESC"
)
PASSES = SQL("SELECT ARRAY[order_id, id] FROM credit_insurance_pass WHERE order_id = ANY(o.ids) ORDER BY id DESC")
PAYMENTS = SQL(
    "SELECT ARRAY[sale_order_id, transaction_id] FROM sale_order_transaction_rel"
    " WHERE sale_order_id = ANY(o.ids) ORDER BY transaction_id DESC"
)
# Buyers that this process found configured: for their orders nothing is prepared in vain. It is a hint only, which
# decides how many statements are sent and not what they say.
CONFIGURED = LRU(10_000)
NO_FIGURES = Figures({}, frozenset(), {}, {}, {})


class AttachedOrders:
    """Reads the ids of what the fields NAMES of orders hold, which are flushed."""

    def __init__(self, orders):
        self.orders = orders

    def render(self, limits):
        """``limits``, a query of one row, with further columns and steps."""
        return SQL(
            "WITH limits AS MATERIALIZED (%s), attached AS MATERIALIZED (%s)%s SELECT limits.*, attached.*%s"
            "  FROM limits, attached",
            limits,
            SQL(
                "SELECT ARRAY(%s) AS holds, ARRAY(%s) AS passes, ARRAY(%s) AS payments FROM (SELECT %s AS ids) o",
                HOLDS,
                PASSES,
                PAYMENTS,
                int_array(self.orders.ids),
            ),
            *self._more(),
        )

    def _more(self):
        """Further steps, and further columns."""
        return SQL(), SQL()

    def take(self, values):
        """What the further columns returned."""
        self._take_ids(values)

    def _take_ids(self, values):
        """To the cache; what Odoo read itself stays there."""
        for name, pairs in zip(NAMES, values, strict=True):
            found = defaultdict(list)
            for order_id, id_ in pairs:
                found[order_id].append(id_)
            self.orders._fields[name]._insert_cache(self.orders, [tuple(found[id_]) for id_ in self.orders._ids])


class UncheckedOrder(AttachedOrders):
    """Writes the decision and the pass of one order, when nobody configured its buyer and nothing is attached to it.

    ``recorded`` says afterwards whether that was so.
    """

    def __init__(self, gate, order, decision, granted):
        super().__init__(order)
        self._gate = gate
        self._decision = decision
        self._granted = granted
        self.recorded = False

    def _more(self):
        free = SQL(
            "(SELECT limits.buyer IS NULL AND attached.holds = '{}' AND attached.passes = '{}' FROM limits, attached)"
        )
        steps = self._gate._insert_sql([self._decision], [self._granted], free)
        ids = SQL(", ARRAY(SELECT ARRAY[p.decision_id, p.id] FROM passed p) AS written")
        return SQL(", %s", steps), ids

    def take(self, values):
        *attached, written = values
        self._take_ids(attached)
        if written:
            self._gate._take_inserted(written, [self._decision], [self._granted])
            self.recorded = True


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _attach(self, subjects):
        """What is read beside the limits of these documents' buyers; None where they are no orders."""
        return AttachedOrders(subjects) if subjects._name == "sale.order" and all(subjects._ids) else None

    @api.model
    def _prepare_unchecked(self, orders, evaluated):
        """What to write for one order in case nobody configured its buyer; None where more has to be known.

        :param evaluated: what :meth:`_screen_orders` returned
        """
        if len(orders) != 1 or not orders.id:
            return None
        order = orders.sudo()
        company, partners = order._credit_company(), order._credit_related_partners()
        if (self.env.cr.dbname, order._credit_buyer_partner().id, company.id) in CONFIGURED:
            return None
        limits = self.env["credit.insurance.limit"]._get_unconfigured(partners, company)
        case = self._prepare_case(order, partners, limits, {company.id: {}}, "confirmation", {})
        if case.looked_up:
            return None
        decision = decide(self._make_request(case, NO_FIGURES, None))
        if decision.outcome is not Outcome.PASS:
            return None
        [log] = self._prepare_decisions([(case, decision)], "confirmation", evaluated)
        return UncheckedOrder(self, order, log, self._prepare_pass_vals(case, log))

    @api.model
    def _note_configured(self, cases):
        for case in cases:
            if case.buyer.buyer_id:
                CONFIGURED[self.env.cr.dbname, *case.key] = True
