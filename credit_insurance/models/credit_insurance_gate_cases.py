"""Documents with everything their decision needs."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from odoo import api, models

from odoo.addons.credit_insurance.rules.policy import BuyerStatus, Mode, ReasonCode

from .amounts import to_decimal
from .credit_insurance_exposure import ExposureRow
from .credit_insurance_group import SharedGroup
from .credit_insurance_limit import BuyerLimit
from .credit_insurance_profile import ProfileFacts

ORDER_CHECKPOINTS = ("confirmation", "growth")


@dataclass(frozen=True)
class Case:
    """A document with everything its decision needs. Amounts are in the limit's currency.

    ``booked`` are exposure rows of the part of ``prepaid`` that stands in the exposure already and must not count
    twice; ``reserve`` is what the document takes from the headroom that others see, ``open_amount`` what is decided in
    its own currency. ``group`` shares a limit with the buyer; ``blocked`` and ``different`` name who orders or receives
    the goods beside the buyer. ``must_be_paid``: the goods leave now, and may only when they are paid.
    ``goods_leave``: they leave, or are to leave, be they invoiced already or not. ``look_around``: reasons beside limit
    and payment count. ``cover_stopped`` says why the insurer's cover does not stand any more. ``live_passes`` are
    those behind a delivery, ``released_reasons`` what its release accepted (None: everything).
    """

    subject: object
    company: object
    checkpoint: str
    buyer: BuyerLimit
    mode: Mode
    today: date
    profile: ProfileFacts
    document: Decimal
    open_amount: float
    prepaid: Decimal = Decimal(0)
    booked: tuple[ExposureRow, ...] = ()
    released: Decimal | None = None
    secured: Decimal | None = None
    reserve: Decimal = Decimal(0)
    group: SharedGroup | None = None
    alerts: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    check_limit: bool = True
    must_be_paid: bool = False
    goods_leave: bool = False
    look_around: bool = True
    grace_days: int = 0
    cover_stopped: str = ""
    live_passes: object = None
    released_reasons: frozenset[ReasonCode] | None = None

    @property
    def key(self):
        return self.buyer.partner_id, self.buyer.company_id

    @property
    def checked(self):
        """Whether anything is to be looked up: a buyer that nobody configured costs no further query."""
        asked = self.buyer.checked or self.group or self.alerts or self.blocked or self.must_be_paid
        return bool(asked or self.profile.delivery_waits_for_money)

    @property
    def looked_up(self):
        return self.checked and self.mode is not Mode.OFF

    @property
    def takes_headroom(self):
        return self.looked_up and self.check_limit


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _prepare_cases(self, subjects, checkpoint, open_amounts=None, attached=None, mode=None):
        """The cases of documents in order of their creation, whoever asks; one statement reads all limits.

        :param attached: what is read beside them, when that is more than what belongs to the orders
        :param mode: the mode of the gate they are looked at in; without it the one of their company
        """
        # A client may name one twice.
        subjects = subjects.sudo().union().sorted(lambda doc: (doc.create_date or datetime.max, doc._origin.id or 0))
        if subjects._name == "sale.order":
            # For all at once: one after the other they would be read one after the other.
            subjects._credit_related_partners()
        partners = {subject: subject._credit_related_partners() for subject in subjects}
        limits, groups = {}, {}
        for company, own in subjects.grouped(lambda subject: subject._credit_company()).items():
            pairs = [(partner.id, company.id) for subject in own for partner in partners[subject]]
            found = self.env["credit.insurance.limit"]._get_limits(
                pairs, company._credit_today(), attached=attached or self._attach(own)
            )
            shared = {limit.group_id for limit in found.values()}
            groups[company.id] = self.env["credit.insurance.group"]._get_shared(shared, company)
            limits |= found
        return [
            self._prepare_case(subject, partners[subject], limits, groups, checkpoint, (open_amounts or {}), mode)
            for subject in subjects
        ]

    @api.model
    def _prepare_case(self, subject, partners, limits, groups, checkpoint, open_amounts, mode=None):
        company, partner = subject._credit_company(), subject._credit_buyer_partner()
        buyer, today = limits[partner.id, company.id], company._credit_today()
        others = [limits[other.id, company.id] for other in partners - partner]
        blocked_ids = {other.partner_id for other in others if other.status is BuyerStatus.BLOCKED}
        if checkpoint == "growth":
            total = open_amounts.get(subject.id, 0.0)
        else:
            total = open_amounts[subject.id] if subject.id in open_amounts else subject._credit_amount()
        case = Case(
            subject,
            company,
            checkpoint,
            buyer,
            self._get_mode(subject, checkpoint, mode or Mode(company.credit_gate_mode)),
            today,
            self.env["credit.insurance.profile"]._get_facts_of(buyer, company),
            document=self._in_limit_currency(subject, buyer, total, today),
            open_amount=total,
            group=groups[company.id].get(buyer.group_id),
            alerts=self._get_alerts(subject, buyer),
            blocked=tuple(partners.filtered(lambda other: other.id in blocked_ids).mapped("display_name")),
            # The insurer knows the buyer only; who is not insured anyway needs no telling.
            different=tuple((partners - partner).mapped("display_name")) if buyer.policies else (),
            **self._prepare_checkpoint_vals(subject, checkpoint),
        )
        return self._with_amounts(case) if case.looked_up else case

    @api.model
    def _get_mode(self, subject, checkpoint, mode):
        """Where orders are not checked they are decided and recorded, and nothing of them is held."""
        if mode is Mode.ON and checkpoint in ORDER_CHECKPOINTS and not subject._credit_company().credit_check_order:
            return Mode.OBSERVE
        return mode

    @api.model
    def _get_alerts(self, subject, buyer):
        """Names of the rules whose alerts hold this document: those about the buyer, and about its orders."""
        if not buyer.order_alerts:
            return buyer.alerts
        orders = set(subject._credit_order()._origin.ids)
        return tuple(sorted({*buyer.alerts, *(name for order_id, name in buyer.order_alerts if order_id in orders)}))

    @api.model
    def _prepare_checkpoint_vals(self, subject, checkpoint):
        """What a checkpoint asks differently: ``check_limit``, ``must_be_paid`` and ``grace_days`` of the case."""
        return {}

    @api.model
    def _with_amounts(self, case):
        """The case with what is paid, released, secured and reserved, and without what is invoiced already."""
        subject, buyer, today = case.subject, case.buyer, case.today
        if subject._name == "sale.order" and case.checkpoint == "confirmation":
            left = subject._credit_left_to_invoice()
            case = replace(case, document=self._in_limit_currency(subject, buyer, left, today), open_amount=left)
        release = subject.credit_hold_ids._get_release(subject)
        prepaid, booked = subject._credit_prepaid()
        secured = self._get_secured(case)

        def convert(amount):
            return self._in_limit_currency(subject, buyer, amount, today)

        reserve = convert(self._get_grown(case))
        if case.checkpoint == "confirmation":
            # Others leave out of the credits what a quotation was paid with, before and after it is confirmed.
            reserve -= self._convert_booked(case, booked)
        return replace(
            case,
            prepaid=convert(prepaid),
            booked=booked,
            released=convert(release.release_amount - subject._credit_invoiced()) if release else None,
            secured=None if secured is None else convert(secured),
            reserve=reserve,
        )

    @api.model
    def _convert_booked(self, case, rows):
        currency = self.env["res.currency"].browse(case.buyer.currency_id)
        amounts = self.env["credit.insurance.exposure"]._convert_rows(rows, case.company, currency, case.today)
        return amounts["credits"]

    @api.model
    def _get_secured(self, case):
        """What guarantees for its orders alone still secure, in the document's currency; None where there is none."""
        orders = case.subject._credit_order()
        if not case.buyer.secures_orders or not orders:
            return None
        found = self.env["credit.insurance.guarantee"]._get_secured(orders, case.today)
        if not found:
            return None
        currency = case.subject._credit_currency()
        return sum(
            order.currency_id._convert(
                # What was invoiced and is not paid yet has used its part.
                max(0.0, float(found.get(order._origin.id, 0)) - order._credit_owed()),
                currency,
                order.company_id,
                case.today,
            )
            for order in orders
        )

    @api.model
    def _get_grown(self, case):
        """What others do not see yet: a confirmed order takes only what it grew by, in its own currency."""
        if case.checkpoint != "growth":
            return case.open_amount
        live = case.subject.credit_pass_ids.filtered("live")
        same = live.partner_id.id == case.buyer.partner_id and live.currency_id == case.subject._credit_currency()
        return max(0, case.open_amount - live.open_amount) if same else case.open_amount

    @api.model
    def _in_limit_currency(self, subject, buyer, amount, today):
        currency, target = subject._credit_currency(), self.env["res.currency"].browse(buyer.currency_id)
        exact = to_decimal(amount, currency)
        return self.env["credit.insurance.exposure"]._convert(exact, currency, target, subject._credit_company(), today)
