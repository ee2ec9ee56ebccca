"""The limit and payment term we would recommend, beside what is in force; computed when it is looked at."""

from decimal import Decimal

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL, formatLang

from odoo.addons.credit_insurance.rules.policy import BuyerFigures, Figure, recommend

AMOUNTS = {
    Figure.TURNOVER,
    Figure.NEED,
    Figure.EQUITY_PART,
    Figure.SALES_PART,
    Figure.CAPACITY,
    Figure.FORMULA,
    Figure.COVER_CAP,
    Figure.AMOUNT,
}


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    statement_ids = fields.One2many("credit.insurance.statement", "buyer_id", string="Financial Statements")
    recommended_limit = fields.Monetary(compute="_compute_recommendation", help="In the limit's currency.")
    recommended_term_days = fields.Integer(string="Recommended Payment Term (days)", compute="_compute_recommendation")
    recommendation_html = fields.Html(
        string="How It Comes About", compute="_compute_recommendation", sanitize=False, exportable=False
    )

    @api.depends("statement_ids", "grade_ids", "own_limit_ids", "cover_ids")
    @api.depends_context("lang")
    def _compute_recommendation(self):
        for company, buyers in self.filtered("company_id").grouped("company_id").items():
            found = buyers._get_recommendations(company)
            for buyer in buyers:
                advice = found[buyer.id]
                buyer.recommended_limit = buyer._from_company_currency(advice.amount or Decimal(0))
                buyer.recommended_term_days = advice.term_days
                buyer.recommendation_html = buyer._describe_recommendation(advice)
        for buyer in self.filtered(lambda buyer: not buyer.company_id):
            buyer.recommended_limit, buyer.recommended_term_days, buyer.recommendation_html = 0.0, 0, False

    def _get_recommendations(self, company):
        """``{buyer_id: Recommendation}`` in the currency of ``company``: six statements for any number of buyers."""
        formula = self.env["credit.insurance.recommendation.formula"].sudo().search([("company_id", "=", company.id)])
        formula = formula._to_formula()
        return {buyer_id: recommend(facts, formula) for buyer_id, facts in self._get_figures(company).items()}

    def _get_figures(self, company):
        """What is known of these buyers of one company: ``{buyer_id: BuyerFigures}``."""
        buyers = self.filtered("id")
        until = company._credit_today()
        since = until - relativedelta(years=1)
        behaviour = self.env["credit.insurance.payment.behaviour"].sudo()
        payments = behaviour._get_payments(buyers, since, until)
        turnovers = behaviour._get_turnovers(buyers, since, until)
        statements = buyers._get_latest_statements(company, until)
        classes = buyers._get_risk_classes()
        pairs = {buyer: (buyer.partner_id.id, company.id) for buyer in buyers}
        limits = self.env["credit.insurance.limit"]._get_limits(pairs.values(), until)
        figures = {}
        for buyer in self:
            found = limits.get(pairs.get(buyer))
            figures[buyer.id] = BuyerFigures(
                **buyer._read_payments(payments.get(buyer.id), turnovers.get(buyer.id)),
                **statements.get(buyer.id, {}),
                risk_class=int(classes[buyer.id]) if classes.get(buyer.id) else None,
                cover=buyer._to_company_currency(found.limit.insured.amount) if found else Decimal(0),
                max_term_days=found
                and min((p.max_payment_term_days for p in found.policies if p.max_payment_term_days), default=None),
            )
        return figures

    @api.model
    def _read_payments(self, payments, turnover):
        late = payments.days_late if payments else None
        term = turnover.term_days if turnover else None
        return {
            "turnover": Decimal(turnover.amount) if turnover else Decimal(0),
            "term_days": max(round(term), 0) if term is not None else 30,
            "days_late": Decimal(f"{late:.1f}") if late is not None else None,
        }

    def _get_latest_statements(self, company, today):
        """Figures of each buyer's latest statement in the currency of ``company``; lines left at zero are not known."""
        self.env["credit.insurance.statement"].flush_model()
        query = SQL(
            """
            SELECT DISTINCT ON (buyer_id) buyer_id, currency_id, turnover::text, equity::text, total_assets::text,
                   result::text, cash::text, debts::text
              FROM credit_insurance_statement
             WHERE buyer_id = ANY(%s) ORDER BY buyer_id, year_end DESC, id DESC
            """,
            self.ids,
        )
        names = ("buyer_turnover", "equity", "total_assets", "result", "cash", "debts")
        convert = self.env["credit.insurance.exposure"]._convert
        found = {}
        for buyer_id, currency_id, *amounts in self.env.execute_query(query):
            currency = self.env["res.currency"].browse(currency_id)
            known = {name: Decimal(amount) for name, amount in zip(names, amounts, strict=True) if Decimal(amount or 0)}
            found[buyer_id] = {
                name: convert(amount, currency, company.currency_id, company, today) for name, amount in known.items()
            }
        return found

    def _get_risk_classes(self):
        """The risk class of each buyer's latest grade: ``{buyer_id: "1".."5" or None}``."""
        self.env["credit.insurance.grade"].flush_model()
        query = SQL(
            """
            SELECT DISTINCT ON (buyer_id) buyer_id, risk_class
              FROM credit_insurance_grade WHERE buyer_id = ANY(%s) ORDER BY buyer_id, graded_on DESC, id DESC
            """,
            self.ids,
        )
        return dict(self.env.execute_query(query))

    def _to_company_currency(self, amount):
        company = self.company_id
        return self.env["credit.insurance.exposure"]._convert(
            amount, self.currency_id, company.currency_id, company, company._credit_today()
        )

    def _from_company_currency(self, amount):
        company = self.company_id
        converted = self.env["credit.insurance.exposure"]._convert(
            amount, company.currency_id, self.currency_id, company, company._credit_today()
        )
        return float(converted)

    # === WORDS === #

    def _describe_recommendation(self, advice):
        """The breakdown as a table in the reader's language."""
        words = self._get_figure_words()
        rows = Markup().join(
            Markup("<tr><td>%s</td><td class='text-end text-nowrap'>%s</td></tr>")
            % (words[line.figure], self._format_figure(line))
            for line in advice.lines
        )
        problem = Markup()
        if advice.problem:
            text = self.env._("The formula has no value for this buyer: %s", advice.problem)
            problem = Markup("<div class='alert alert-warning' role='alert'>%s</div>") % text
        return problem + Markup("<table class='table table-sm w-auto'><tbody>%s</tbody></table>") % rows

    def _format_figure(self, line):
        if line.value is None:
            return self.env._("not known")
        if line.figure in AMOUNTS:
            return self.company_id.currency_id.format(float(line.value))
        if line.figure in (Figure.OPEN_DAYS, Figure.DAYS_LATE, Figure.TERM):
            return self.env._("%s days", f"{line.value:.0f}")
        decimals = f"{line.value:.2f}".rstrip("0").partition(".")[2]
        return formatLang(self.env, float(line.value), digits=len(decimals))

    @api.model
    def _get_figure_words(self):
        return {
            Figure.TURNOVER: self.env._("Invoiced to it in 12 months"),
            Figure.OPEN_DAYS: self.env._("Days an invoice stays open (payment term and average delay)"),
            Figure.NEED: self.env._("Need: what stays open, with the buffer"),
            Figure.EQUITY_PART: self.env._("Share of its equity"),
            Figure.SALES_PART: self.env._("Share of its yearly turnover"),
            Figure.CAPACITY: self.env._("Capacity: the smaller of the two, else the need"),
            Figure.GRADE_CLASS: self.env._("Risk class of the insurer's grade"),
            Figure.SCORE: self.env._("Score of its payments and statements (0 to 100)"),
            Figure.CLASS_FACTOR: self.env._("Factor of the worse class"),
            Figure.DAYS_LATE: self.env._("Average days late in 12 months"),
            Figure.BEHAVIOUR_FACTOR: self.env._("Factor of the payment behaviour"),
            Figure.FORMULA: self.env._("Result of the formula"),
            Figure.COVER_CAP: self.env._("Cover and our own risk at most"),
            Figure.AMOUNT: self.env._("Recommended limit"),
            Figure.TERM: self.env._("Recommended payment term"),
        }
