"""Two contacts become one: their credit records do too, without a limit growing and without anything being lost.

What decides a limit is never added together. Where both buyers have own limits, or both have covers under one policy,
the survivor's stand; the merged buyer keeps its rows, ended or out of force, on its archived record, which names the
survivor. What the survivor lacks, or has from a later day only, it takes over, since it is the same debtor: own
limits, an insurer's number with the covers that came under it, grades. Everything else (holds, requests, claims,
guarantees, statements, alerts) moves; where both have one of what there may be only one of, the merged buyer keeps
its own, and the survivor's chatter says which.
"""

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, mute_logger

from odoo.addons.credit_insurance.rules.risk.marking import _ as _lt

# From the mildest to the strictest: the stricter of the two stays.
STRICTNESS = ("normal", "watch", "cash_only", "blocked")
# Rows of the insurer's history that say nothing about an amount yet.
UNANSWERED = ("none", "requested")
# What makes up limits and insurer's data is moved by its own rules, the rest as a whole.
BY_RULE = {
    "credit_insurance_own_limit",
    "credit_insurance_cover",
    "credit_insurance_grade",
    "credit_insurance_buyer_link",
    "credit_insurance_discretionary_limit",
    "credit_insurance_buyer",
}


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    @api.model
    def _check_merge(self, partners):
        """:raise AccessError: a buyer with a credit record would change hands, and no credit manager does it"""
        if self.env.su or self.env.user.has_group("credit_insurance.credit_insurance_group_manager"):
            return
        entities = partners.sudo().commercial_partner_id
        known = self.sudo().with_context(active_test=False).search([("partner_id", "in", entities.ids)], limit=1)
        if len(entities) > 1 and known:
            raise AccessError(
                self.env._(
                    "%s has a credit record: a credit manager has to merge these contacts.",
                    known.partner_id.display_name,
                )
            )

    @api.model
    def _merge_partners(self, sources, target):
        """Bring the buyers of ``sources`` to ``target`` before core points every document to it."""
        entity = self._find_merged_entity(sources, target)
        records = self.sudo().with_context(active_test=False)
        buyers = records.search([("partner_id", "in", (sources - entity).ids)], order="id")
        for company, group in buyers.grouped("company_id").items():
            survivor = records.search(
                [("partner_id", "=", entity.id), ("company_id", "=", company.id), ("merged_into_id", "=", False)]
            )
            for buyer in group:
                if buyer.merged_into_id:
                    buyer._point_to(entity)
                elif survivor:
                    survivor._absorb(buyer)
                else:
                    buyer.message_post(
                        body=self.env._("Was %s before contacts were merged.", buyer.partner_id.display_name)
                    )
                    buyer._point_to(entity)
                    survivor = buyer

    @api.model
    def _find_merged_entity(self, sources, target):
        """The legal entity that ``target`` belongs to once core has merged: it becomes a company if one of them is."""
        parent = target.parent_id or sources.filtered("parent_id")[-1:].parent_id
        entity = target if any((sources | target).mapped("is_company")) else parent.commercial_partner_id
        return target if not entity or entity in sources else entity

    def _point_to(self, partner):
        # By SQL: the target becomes a commercial entity, if it is none, only when core has finished.
        self.env.flush_all()
        self.env.cr.execute(
            SQL("UPDATE credit_insurance_buyer SET partner_id = %s WHERE id = ANY(%s)", partner.id, self.ids)
        )
        self.invalidate_recordset()

    def _absorb(self, merged):
        """Take over ``merged``, a buyer of the same company, and archive what is left of it as history."""
        self.ensure_one()
        name = merged.display_name
        self._end_twin_alerts(merged)
        notes = [*self._absorb_status(merged), *self._absorb_limits(merged), *self._absorb_insurers(merged)]
        notes += self._absorb_rest(merged)
        merged.message_post(body=_lt("Merged into %(buyer)s.", buyer=self.display_name))
        merged.write({"active": False, "merged_into_id": self.id, "merged_name": name})
        merged._point_to(self.partner_id)
        if not self.active:
            self.active = True
        self.env.invalidate_all()
        self.message_post(
            body=self.env._("%(name)s was merged into this buyer. %(notes)s", name=name, notes=" ".join(notes))
        )

    def _end_twin_alerts(self, merged):
        """Of two alerts of one rule about the buyers the one of this buyer stands, unless only that was dismissed."""
        about = [("buyer_id", "in", (self | merged).ids), ("ended_on", "=", False), ("res_model", "=", False)]
        live, over = self.env["credit.insurance.alert"].search(about), self.env["credit.insurance.alert"]
        own = {alert.rule_id: alert for alert in live if alert.buyer_id == self}
        for alert in live - over.union(*own.values()):
            if twin := own.get(alert.rule_id):
                over |= twin if twin.state == "dismissed" and alert.state != "dismissed" else alert
        over._end(_lt("Merged into %(buyer)s.", buyer=self.display_name))

    def _absorb_status(self, merged):
        """The stricter status stays, and of two alike the one that people set: rules do not take that back."""
        vals, notes = {}, []
        stricter = STRICTNESS.index(merged.status) - STRICTNESS.index(self.status)
        if stricter > 0 or (not stricter and self.status_by_rules and not merged.status_by_rules):
            vals |= {"status": merged.status, "status_reason": merged.status_reason}
            if merged.status_by_rules:
                stays = max(self, merged, key=lambda buyer: STRICTNESS.index(buyer._get_status_without_rules()[0]))
                status, reason = stays._get_status_without_rules()
                vals |= {"status_by_rules": True, "status_before": status, "status_reason_before": reason}
            notes.append(self.env._("Its stricter credit status stays."))
        if merged.adverse_since and (not self.adverse_since or merged.adverse_since < self.adverse_since):
            vals |= {"adverse_since": merged.adverse_since, "adverse_source": merged.adverse_source}
        for field in ("group_id", "profile_id"):
            if merged[field] and not self[field]:
                vals[field] = merged[field].id
        if vals:
            self.write(vals)
        return notes

    def _absorb_limits(self, merged):
        """Own limits stand once: the survivor's, or those of the merged buyer when the survivor has none. Until the
        survivor's begin it has none: nobody's limit becomes none at all."""
        today = self.company_id._credit_today()
        if not merged.own_limit_ids:
            return []
        first_days = self.own_limit_ids.filtered(lambda row: not row.cancelled).mapped("date_from")
        first = min(first_days, default=None)
        if first is None or first > today:
            for row in merged.own_limit_ids:
                if first and not row.cancelled:
                    row._end_before(first)
            self._take("credit_insurance_own_limit", merged, SQL("TRUE"))
            return [self.env._("Its own limits were taken over.")]
        for row in merged.own_limit_ids:
            if not row.cancelled:
                row._end_before(today)
        return [self.env._("Both had own limits: those of this buyer stand, the other ones were ended.")]

    def _absorb_insurers(self, merged):
        """Covers belong to what was insured: they come along only where no answer of that insurer about the survivor
        has taken effect. Without them nothing would limit it until the first one does."""
        stays = []
        policies, own = merged._get_insured_policies(), self._get_insured_policies()
        answered = self._get_answered_policies()
        for account in merged.link_ids.account_id | policies.account_id:
            mine = self.link_ids.filtered(lambda link, account=account: link.account_id == account)
            there = (policies | own).filtered(lambda policy, account=account: policy.account_id == account)
            if there & answered or (mine and not there & policies):
                stays.append(account.name)
                policies -= there
            elif not mine:
                self._take("credit_insurance_buyer_link", merged, SQL("account_id = %s", account.id))
            elif account in merged.link_ids.account_id and not there & own:
                self._swap_numbers(merged, mine)
        movable = policies - answered
        stays += (policies & answered).insurer_id.mapped("name")  # policies without a connection to their insurer
        notes = [
            self.env._("The insurer's cover of this buyer at %s stands, the other one does not count.", name)
            for name in stays
        ]
        if movable:
            wanted = SQL("policy_id = ANY(%s)", movable.ids)
            self._take("credit_insurance_cover", merged, wanted)
            self._take("credit_insurance_discretionary_limit", merged, wanted)
            notes.append(self.env._("Its covers under %s were taken over.", ", ".join(movable.mapped("number"))))
        insurers = merged.grade_ids.insurer_id - self.grade_ids.insurer_id
        self._take("credit_insurance_grade", merged, SQL("insurer_id = ANY(%s)", insurers.ids))
        return notes

    def _get_insured_policies(self):
        return self.with_context(active_test=False).cover_ids.policy_id | self.discretionary_limit_ids.policy_id

    def _get_answered_policies(self):
        """The policies under which an answer about this buyer is in force: an amount, or that there is none."""
        today = self.company_id._credit_today()
        covers = self.with_context(active_test=False).cover_ids
        limits = self.discretionary_limit_ids.filtered(lambda row: not row.cancelled and row.date_from <= today)
        answers = covers.filtered(lambda row: row.status not in UNANSWERED and row.effective_from <= today)
        return answers.policy_id | limits.policy_id

    def _swap_numbers(self, merged, mine):
        """The number under which the insurer covers the debtor goes on; the one of this buyer stays with ``merged``."""
        values = mine.copy_data({"buyer_id": merged.id})
        account = mine.account_id
        mine.unlink()
        self._take("credit_insurance_buyer_link", merged, SQL("account_id = %s", account.id))
        self.env["credit.insurance.buyer.link"].create(values)

    def _absorb_rest(self, merged):
        """Whatever else hangs on the merged buyer hangs on this one from now on; nothing is ever deleted."""
        notes = []
        self.env.flush_all()
        for table, column in self.env["base.partner.merge.automatic.wizard"]._get_fk_on(self._table):
            if table in BY_RULE or table.endswith("_rel"):
                continue
            query = SQL("SELECT id FROM %s WHERE %s = %s", SQL.identifier(table), SQL.identifier(column), merged.id)
            ids = [row_id for (row_id,) in self.env.execute_query(query)]
            if stayed := self._move_rows(table, column, ids):
                notes.append(self._describe_stayed(table, stayed))
        self._take_thread(merged)
        return notes

    def _move_rows(self, table, column, ids):
        """Point these rows to this buyer, all but those of which it has one and there may be only one.

        :return: the ids of those that stay
        """
        if not ids:
            return []
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                query = "UPDATE %s SET %s = %s WHERE id = ANY(%s)"
                self.env.cr.execute(SQL(query, SQL.identifier(table), SQL.identifier(column), self.id, ids))
        except UniqueViolation:
            half = len(ids) // 2
            if not half:
                return ids
            return [*self._move_rows(table, column, ids[:half]), *self._move_rows(table, column, ids[half:])]
        return []

    def _describe_stayed(self, table, ids):
        """Which rows stay with the merged buyer, in words."""
        name = next(name for name, model in self.env.registry.items() if model._table == table and not model._abstract)
        rows = self.env[name].sudo().browse(ids)
        return self.env._(
            "This buyer has one of the same, so these stay with the merged one: %(kind)s: %(names)s.",
            kind=self.env["ir.model"]._get(name).name,
            names=", ".join(rows.mapped("display_name")),
        )

    def _take_thread(self, merged):
        """Documents and open activities are looked for on the buyer that goes on; what was said stays where it was."""
        for model in ("ir.attachment", "mail.activity"):
            rows = self.env[model].sudo().search([("res_model", "=", self._name), ("res_id", "=", merged.id)])
            rows.write({"res_id": self.id})

    def _take(self, table, merged, condition):
        # By SQL: covers and grades are history that nobody writes through the ORM.
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET buyer_id = %s WHERE buyer_id = %s AND (%s)",
                SQL.identifier(table),
                self.id,
                merged.id,
                condition,
            )
        )
        self.env.invalidate_all()
