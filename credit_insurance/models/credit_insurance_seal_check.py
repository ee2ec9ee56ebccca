"""Verifying the sealed decision log: what was changed, removed, inserted or cut off."""

from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

from .company_calendar import company_day
from .credit_insurance_seal import REFERENCES, START, content_columns, hash_chain, hash_content, split_row

BATCH = 5000
FINDINGS_KEPT = 100
# An entry carries the time at which its transaction began; one that claims to be much older than those before it
# was not written when it says.
TOLERANCE = timedelta(days=1)


class Findings:
    """The first findings in words, and how many there are in all."""

    def __init__(self):
        self.lines, self.count = [], 0

    def add(self, text):
        self.count += 1
        if self.count <= FINDINGS_KEPT:
            self.lines.append(text)


class CreditInsuranceSealCheck(models.Model):
    """One verification of one company's log, with the head of the chain at that time. Later ones compare with it."""

    _name = "credit.insurance.seal.check"
    _description = "Verification of the Decision Log"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _rec_name = "head_hash"
    _mail_post_access = "read"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    user_id = fields.Many2one("res.users", string="By", readonly=True, default=lambda self: self.env.user)
    entry_count = fields.Integer(string="Sealed Entries", readonly=True)
    unsealed_count = fields.Integer(
        string="Not Sealed Yet", readonly=True, help="Entries so new that they wait for the next sealing."
    )
    head_sequence = fields.Integer(string="Last Number", readonly=True)
    head_hash = fields.Char(
        readonly=True, help="The hash that covers every entry up to the last one. Note it outside of this database."
    )
    finding_count = fields.Integer(string="Findings", readonly=True)
    findings = fields.Text(readonly=True)
    state = fields.Selection([("intact", "Intact"), ("broken", "Broken")], required=True, readonly=True)

    def write(self, vals):
        """Core keeps the chatter's own columns here; what was found is never changed.

        :raise UserError: somebody changes a finding
        """
        if any(name in vals for name, field in self._fields.items() if field._module == "credit_insurance"):
            self.check_access("write")
            raise UserError(self.env._("Verifications of the log are never changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Verifications of the log are never removed."))

    # === ACTIONS === #

    @api.model
    def action_verify(self):
        """Verify the log of the companies ticked in the switcher, and show what was found.

        :raise AccessError: the user is no credit manager
        """
        if not self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            raise AccessError(self.env._("Only a credit manager verifies the decision log."))
        checks = self._verify(self.env.companies.root_id & self.env.user.company_ids.root_id)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Verification of the Decision Log"),
            "res_model": self._name,
            "view_mode": "list,form",
            "domain": [("id", "in", checks.ids)],
        }

    # === BUSINESS METHODS === #

    @api.model
    def _cron_publish(self):
        """Verify every company's log and send the head to its credit administrators, so that it is noted outside."""
        # A chain of which nothing is left is known from its earlier verifications.
        sealed = self.env["credit.insurance.seal"]._read_group([], ["company_id"])
        verified = self._read_group([("head_sequence", ">", 0)], ["company_id"])
        for check in self._verify(self.env["res.company"].union(*(company for (company,) in sealed + verified))):
            check._publish()
            self.env["ir.cron"]._commit_progress(1)

    def _publish(self):
        self.ensure_one()
        admins = self.env.ref("credit_insurance.credit_insurance_group_admin").sudo().all_user_ids
        admins = admins.filtered(lambda user: user.active and self.company_id in user.company_ids)
        self.message_post(
            body=self.env._(
                "Decision log of %(company)s: %(entries)s sealed entries, %(findings)s findings. Head: %(hash)s",
                company=self.company_id.name,
                entries=self.entry_count,
                findings=self.finding_count,
                hash=self.head_hash or "-",
            ),
            partner_ids=admins.partner_id.ids,
        )

    @api.model
    def _verify(self, companies):
        """Read the chain of each company in batches, and write down what was found."""
        self.env["credit.insurance.decision"].flush_model()
        self.env["credit.insurance.seal"].flush_model()
        checks = self.sudo().browse()
        for company in companies.sudo():
            findings = Findings()
            count, head = self._verify_chain(company, findings)
            self._find_inserted(company, findings)
            self._compare_with_earlier(company, findings)
            checks |= checks.create(
                {
                    "company_id": company.id,
                    "user_id": self.env.uid,
                    "entry_count": count,
                    "unsealed_count": self._count_unsealed(company),
                    "head_sequence": head[0],
                    "head_hash": head[1],
                    "finding_count": findings.count,
                    "findings": "\n".join(findings.lines),
                    "state": "broken" if findings.count else "intact",
                }
            )
        return checks.with_env(self.env)

    @api.model
    def _verify_chain(self, company, findings):
        """Follow the chain from its first entry: ``(number of entries, (last sequence, last hash))``."""
        count, sequence, before, latest = 0, 0, START, None
        while rows := self._read_batch(company, sequence):
            existing = self._find_existing(rows)
            for number, chain_hash, content_hash, sealed, decision_id, found_id, *row in rows:
                name = self.env._("Entry %(number)s (id %(id)s)", number=number, id=decision_id)
                if number != sequence + 1:
                    findings.add(
                        self.env._("Seals %(first)s to %(last)s are missing.", first=sequence + 1, last=number - 1)
                    )
                if found_id is None:
                    findings.add(self.env._("%s is missing from the log.", name))
                else:
                    latest = self._verify_entry(name, row, sealed or {}, content_hash, existing, latest, findings)
                if hash_chain(before, company.id, number, content_hash) != chain_hash:
                    findings.add(self.env._("%s: the seal does not follow from the one before it.", name))
                count, sequence, before = count + 1, number, chain_hash
        return count, (sequence, before if count else False)

    @api.model
    def _verify_entry(self, name, row, sealed, content_hash, existing, latest, findings):
        """Compare one entry with its seal; return the latest time seen so far.

        What was deleted leaves its reference empty, and a contact that was merged hands it to another one.
        """
        content, references = split_row(row)
        if hash_content(content, sealed) != content_hash:
            findings.add(self.env._("%s was changed.", name))
        for field, value in {**sealed, **references}.items():
            then, now = sealed.get(field), references.get(field)
            deleted = then is not None and then not in existing[field]
            if then != now and not (deleted and (now is None or field == "partner_id")):
                findings.add(
                    self.env._("%(entry)s points to another %(field)s (%(id)s).", entry=name, field=field, id=value)
                )
        written = datetime.fromisoformat(content["create_date"]) if content["create_date"] else None
        if written and latest and written < latest - TOLERANCE:
            findings.add(self.env._("%s claims to be older than the entries before it.", name))
        return max(filter(None, (written, latest)), default=None)

    @api.model
    def _read_batch(self, company, sequence):
        return self.env.execute_query(
            SQL(
                """SELECT s.sequence, s.chain_hash, s.content_hash, s."references", s.decision_id, d.id, %s
                     FROM credit_insurance_seal s
                     LEFT JOIN credit_insurance_decision d ON d.id = s.decision_id
                    WHERE s.company_id = %s AND s.sequence > %s
                    ORDER BY s.sequence
                    LIMIT %s""",
                content_columns(),
                company.id,
                sequence,
                BATCH,
            )
        )

    @api.model
    def _find_existing(self, rows):
        """Which of the records that the sealed entries pointed to still exist: ``{field: {ids}}``."""
        decisions, existing = self.env["credit.insurance.decision"].sudo(), {}
        for field in REFERENCES:
            ids = {row[3][field] for row in rows if row[3] and field in row[3]}
            existing[field] = set(decisions[field].browse(ids).exists().ids)
        return existing

    @api.model
    def _find_inserted(self, company, findings):
        """Entries are sealed in order of id: what has no seal and a lower id than a sealed entry was put in later."""
        horizon = SQL("(SELECT COALESCE(MAX(decision_id), 0) FROM credit_insurance_seal)")
        where = SQL(
            """FROM credit_insurance_decision d
              WHERE d.company_id = %s AND d.id < %s
                AND NOT EXISTS (SELECT FROM credit_insurance_seal s WHERE s.decision_id = d.id)""",
            company.id,
            horizon,
        )
        rows = self.env.execute_query(SQL("SELECT d.id, d.order_name %s ORDER BY d.id LIMIT %s", where, FINDINGS_KEPT))
        for decision_id, order_name in rows:
            findings.add(
                self.env._("Id %(id)s (%(order)s) was inserted after sealing.", id=decision_id, order=order_name)
            )
        if len(rows) == FINDINGS_KEPT:
            [(number,)] = self.env.execute_query(SQL("SELECT COUNT(*) %s", where))
            findings.count += number - len(rows)

    @api.model
    def _count_unsealed(self, company):
        [(number,)] = self.env.execute_query(
            SQL(
                """SELECT COUNT(*) FROM credit_insurance_decision
                    WHERE company_id = %s
                      AND id > (SELECT COALESCE(MAX(decision_id), 0) FROM credit_insurance_seal)""",
                company.id,
            )
        )
        return number

    @api.model
    def _compare_with_earlier(self, company, findings):
        """Earlier verifications know heads of this chain: one that is not in it any more was cut off or rewritten."""
        rows = self.env.execute_query(
            SQL(
                """SELECT c.head_sequence, c.create_date
                     FROM credit_insurance_seal_check c
                     LEFT JOIN credit_insurance_seal s
                            ON s.company_id = c.company_id AND s.sequence = c.head_sequence
                    WHERE c.company_id = %s AND c.head_sequence > 0 AND s.chain_hash IS DISTINCT FROM c.head_hash
                    ORDER BY c.id
                    LIMIT %s""",
                company.id,
                FINDINGS_KEPT,
            )
        )
        for sequence, moment in rows:
            findings.add(
                self.env._(
                    "The verification of %(day)s saw entry %(number)s; the chain was cut off or rewritten since.",
                    day=format_date(self.env, company_day(company, moment)),
                    number=sequence,
                )
            )

    @api.model
    def _knows_hash(self, company, noted):
        """Whether a head hash noted outside is in the company's chain; its number, or zero."""
        seal = (
            self.env["credit.insurance.seal"]
            .sudo()
            .search([("company_id", "=", company.id), ("chain_hash", "=", (noted or "").strip().lower())], limit=1)
        )
        return seal.sequence
