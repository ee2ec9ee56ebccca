"""Under which numbers insurers know our buyers, and which of their buyers we could not tell apart from ours."""

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL, split_every

from odoo.addons.credit_insurance.connectors import BuyerQuery
from odoo.addons.credit_insurance.connectors.matching import has_number, proven

BUYERS_PER_JOB = 20


class CreditInsuranceBuyerLink(models.Model):
    """Under which number an insurer knows a buyer."""

    _name = "credit.insurance.buyer.link"
    _description = "Buyer at an Insurer"
    _rec_name = "external_id"
    _check_company_auto = True

    buyer_id = fields.Many2one(
        "credit.insurance.buyer", required=True, ondelete="restrict", index=True, check_company=True
    )
    account_id = fields.Many2one(
        "credit.insurance.account",
        string="Connection",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )
    insurer_id = fields.Many2one(related="account_id.insurer_id")
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    external_id = fields.Char(string="Insurer's Number", required=True)
    missing_since = fields.Datetime(
        readonly=True,
        copy=False,
        help="First pull whose complete list lacked this buyer's cover, although nothing had ended it, or in which "
        "that cover could not be read.",
    )
    last_seen_at = fields.Datetime(
        readonly=True, copy=False, help="The last pull that contained a buyer that is missing since."
    )
    grade_missing_since = fields.Datetime(
        readonly=True, copy=False, help="First pull in which the insurer gave this buyer no grade any more."
    )

    _external_uniq = models.UniqueIndex("(account_id, external_id)", "Another buyer has this number at the insurer.")
    _buyer_uniq = models.UniqueIndex("(account_id, buyer_id)", "The buyer has a number at this insurer already.")

    @api.model_create_multi
    def create(self, vals_list):
        links = super().create([{**vals, "external_id": (vals.get("external_id") or "").strip()} for vals in vals_list])
        outdated = self.env["credit.insurance.unlinked.buyer"].sudo()  # a report, nobody's data
        for account, rows in links.grouped("account_id").items():
            domain = [("account_id", "=", account.id), ("external_id", "in", rows.mapped("external_id"))]
            outdated.search(domain).unlink()
        return links

    # === MATCHING === #

    @api.model
    def _start_matching(self, account, buyers=None):
        """Queue the search for the insurer's numbers of ``buyers``, or of all buyers without one."""
        if buyers is None:
            buyers = self._get_buyers_without_number(account)
        self._enqueue("_job_match", account, buyers.ids)

    @api.model
    def _enqueue(self, job, account, ids):
        """Queue a method of this model, for a few of the ids at a time: an insurer may only answer some in a minute."""
        links = self.with_user(SUPERUSER_ID).with_context(queue_job__no_delay=False)
        for some in split_every(BUYERS_PER_JOB, ids, list):
            key = f"credit_insurance{job}-{account.id}-{some[0]}-{some[-1]}"
            getattr(links.with_delay(identity_key=key), job)(account.id, some)

    @api.model
    def _get_buyers_without_number(self, account):
        linked = [("account_id", "=", account.id)]
        domain = [("company_id", "=", account.company_id.id), ("link_ids", "not any", linked)]
        return self.env["credit.insurance.buyer"].sudo().search(domain, order="id")

    @api.model
    def _job_match(self, account_id, buyer_ids):
        account = self.env["credit.insurance.account"].browse(account_id)
        with account._job_errors():
            self._match_buyers(account, self.env["credit.insurance.buyer"].browse(buyer_ids).exists())

    @api.model
    def _match_buyers(self, account, buyers):
        """Link the buyers of whom the insurer knows exactly one entity under our own reference or, where it keeps none,
        with the same number in the same country.

        A name is never enough: two entities of one group have similar names and different debts.

        :return: the new links
        :raise ConnectorError: the insurer could not be asked
        """
        linked = self.search([("account_id", "=", account.id)]).buyer_id
        with account._connect() as insurer:
            queries = self._prepare_queries(buyers - linked)
            found = [(buyer, self._find_entity(insurer, buyer, query)) for buyer, query in queries.items()]
        return self._link_entities(account, found)

    @api.model
    def _link_entities(self, account, found):
        """Link buyers to their ``connectors.matching.Match``, ``[(buyer, match)]``; who comes first has the number."""
        account_links = self.search([("account_id", "=", account.id)])
        taken, linked = set(account_links.mapped("external_id")), account_links.buyer_id
        values = []
        for buyer, match in found:
            if match and buyer not in linked and match.candidate.buyer_id not in taken:
                taken.add(match.candidate.buyer_id)
                entity = self._prepare_entity_vals(match.candidate)
                proof = {"matched_by": match.proof.value}
                values.append({"buyer_id": buyer.id, "account_id": account.id, **proof, **entity})
        return self.sudo().create(values).with_env(self.env)

    @api.model
    def _find_entity(self, insurer, buyer, query):
        """The ``connectors.matching.Match`` of the buyer among the insurer's entities, or None."""
        if not has_number(query) and not (query.own_reference and insurer.finds_own_references):
            return None
        return self._prove(buyer, query, insurer.find_buyer(query))

    @api.model
    def _prove(self, buyer, query, candidates):
        """The ``connectors.matching.Match`` that is certainly the buyer, or None."""
        match = proven(query, candidates)
        own = match.candidate.own_reference.strip() if match else ""
        # What the insurer keeps under another customer's reference is not this one's, whatever its number.
        if own and self._get_referenced([own], buyer.company_id).get(own, buyer.partner_id) != buyer.partner_id:
            return None
        return match

    @api.model
    def _get_referenced(self, references, company):
        """Whose own reference each of these is: ``{reference: commercial partners}``; more than one is ambiguous."""
        domain = [("ref", "in", list(references)), ("company_id", "in", [False, company.id])]
        found = self.env["res.partner"].sudo().search(domain)
        return {ref: partners.commercial_partner_id for ref, partners in found.grouped("ref").items()}

    @api.model
    def _get_own_references(self, buyers):
        """Our own numbers of buyers of one company, ``{buyer id: number}``; of those whom it names alone."""
        own = {buyer: (buyer.sudo().partner_id.ref or "").strip() for buyer in buyers}
        references = {reference for reference in own.values() if reference}
        carriers = self._get_referenced(references, buyers.company_id) if references else {}
        return {buyer.id: reference for buyer, reference in own.items() if len(carriers.get(reference, ())) == 1}

    @api.model
    def _prepare_queries(self, buyers):
        """Buyers of one company as insurers are asked for them, ``{buyer: query}``.

        Those without a country, in which numbers mean nothing, are absent.
        """
        references = self._get_own_references(buyers)
        queries = {buyer: self._prepare_query(buyer, references.get(buyer.id, "")) for buyer in buyers}
        return {buyer: query for buyer, query in queries.items() if query}

    @api.model
    def _prepare_query(self, buyer, own_reference):
        partner = buyer.partner_id
        country = partner.country_id.code
        if not country or not (partner.name or partner.vat or partner.company_registry):
            return None
        return BuyerQuery(
            country=country,
            name=partner.name or "",
            vat_number=partner.vat or "",
            registration_number=partner.company_registry or "",
            street=" ".join(filter(None, [partner.street, partner.street2])),
            postal_code=partner.zip or "",
            city=partner.city or "",
            own_reference=own_reference,
        )

    @api.model
    def _link_own_references(self, account, told):
        """Link the insurer's buyers of a list that carry our own reference and are not linked yet.

        :param told: ``{the insurer's number: our reference}``
        :return: sentences on what could not be linked because it is ambiguous
        """
        numbers = self._group_unlinked(account, told) if told else {}
        if not numbers:
            return []
        values, problems = [], []
        for own, partners in self._get_referenced(numbers, account.company_id).items():
            domain = [("partner_id", "in", partners.ids), ("company_id", "=", account.company_id.id)]
            buyers = self.env["credit.insurance.buyer"].sudo().search(domain)
            if problem := self._find_ambiguity(account, own, numbers[own], partners, buyers):
                problems.append(problem)
            elif buyers:
                vals = {"buyer_id": buyers.id, "external_id": numbers[own][0], "matched_by": "reference"}
                values.append({**vals, "account_id": account.id})
        self.sudo().create(values)
        return problems

    @api.model
    def _group_unlinked(self, account, told):
        """``{our reference: the insurer's numbers under it}`` of those that are linked to none of ours."""
        links = self.search([("account_id", "=", account.id), ("external_id", "in", list(told))])
        numbers = {}
        for number in set(told) - set(links.mapped("external_id")):
            numbers.setdefault(told[number], []).append(number)
        return {own: sorted(found) for own, found in numbers.items()}

    @api.model
    def _find_ambiguity(self, account, own, numbers, partners, buyers):
        """Why the insurer's ``numbers`` under our reference ``own`` are not linked by themselves, or None."""
        if len(partners) > 1:
            return self.env._(
                "Reference %(reference)s is carried by %(partners)s: number %(number)s of %(insurer)s was not linked.",
                reference=own,
                partners=", ".join(partners.mapped("display_name")),
                number=", ".join(numbers),
                insurer=account.name,
            )
        known = buyers.link_ids.filtered(lambda link: link.account_id == account).mapped("external_id")
        if len(numbers) > 1 or known:
            return self.env._(
                "%(insurer)s keeps our reference %(reference)s (%(partner)s) at several numbers, %(numbers)s: "
                "link the right one.",
                insurer=account.name,
                reference=own,
                partner=partners.display_name,
                numbers=", ".join([*known, *numbers]),
            )
        return None

    # === WHO IS MISSING === #

    @api.model
    def _mark_missing(self, pull):
        """After a complete pull: note the buyers whose cover we take to stand and the insurer's list no longer has.

        Their data stay and grow old from the last pull that had them. Only what changes is written.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH seen AS MATERIALIZED (%(seen)s), latest AS (
                    SELECT DISTINCT ON (c.policy_id, c.external_id) c.policy_id, c.buyer_id, c.external_id,
                           c.status IN ('requested', 'approved', 'partial', 'reduced')
                           AND (c.effective_to IS NULL OR c.effective_to >= %(today)s) AS stands
                      FROM credit_insurance_cover c
                     WHERE c.policy_id = ANY(%(policies)s) AND c.external_id IS NOT NULL AND c.active
                       AND c.layer = 'permanent'
                     ORDER BY c.policy_id, c.external_id, c.id DESC
                ), buyer AS (
                    SELECT latest.policy_id, buyer_id, BOOL_OR(stands) AS stands,
                           BOOL_OR(s.reference IS NOT NULL) AS present
                      FROM latest
                      LEFT JOIN seen s ON s.policy_id = latest.policy_id AND s.reference = latest.external_id
                     GROUP BY 1, 2
                ), link AS (
                    SELECT l.id, BOOL_OR(b.stands AND NOT b.present) AS missing, BOOL_OR(b.present) AS present
                      FROM credit_insurance_buyer_link l JOIN buyer b ON b.buyer_id = l.buyer_id
                     WHERE l.account_id = %(account)s
                     GROUP BY 1
                )
                UPDATE credit_insurance_buyer_link l
                   SET missing_since = CASE WHEN link.missing THEN %(pulled)s::timestamp END,
                       last_seen_at = CASE WHEN link.missing THEN %(before)s::timestamp END,
                       write_date = now() AT TIME ZONE 'UTC', write_uid = %(uid)s
                  FROM link
                 WHERE link.id = l.id
                   AND (link.missing AND l.missing_since IS NULL
                        OR NOT link.missing AND link.present AND l.missing_since IS NOT NULL)
                """,
                seen=pull._seen_sql(),
                today=fields.Date.context_today(self),
                policies=pull.account_id._get_pulled_policies().ids,
                account=pull.account_id.id,
                pulled=pull.started_at,
                before=pull.account_id.covers_pulled_at or None,
                uid=self.env.uid,
            )
        )
        self.invalidate_model(["missing_since", "last_seen_at"])


class CreditInsuranceUnlinkedBuyer(models.Model):
    """A buyer in the insurer's list that is linked to none of ours: reported, never created blindly."""

    _name = "credit.insurance.unlinked.buyer"
    _description = "Insurer's Buyer Not Linked"
    _rec_name = "external_id"
    _order = "account_id, amount desc, id"

    account_id = fields.Many2one("credit.insurance.account", string="Connection", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    policy_id = fields.Many2one("credit.insurance.policy", required=True, ondelete="cascade")
    external_id = fields.Char(string="Insurer's Number", required=True)
    own_reference = fields.Char(help="Our number of the customer, as the insurer keeps it.")
    reference = fields.Char(string="Cover")
    status = fields.Selection("_selection_status", string="Cover Status")
    amount = fields.Monetary()
    currency_id = fields.Many2one("res.currency")

    _external_uniq = models.UniqueIndex("(account_id, policy_id, external_id)", "This buyer is listed already.")

    @api.model
    def _selection_status(self):
        return self.env["credit.insurance.cover"]._fields["status"]._description_selection(self.env)

    def action_link(self):
        """Choose the buyer that carries this number."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Link Buyer %s", self.external_id),
            "res_model": "credit.insurance.buyer.link",
            "view_mode": "form",
            "target": "new",
            "context": {"default_account_id": self.account_id.id, "default_external_id": self.external_id},
        }

    @api.model
    def _remove_outdated(self, pull):
        """After a complete pull: remove what is linked meanwhile or gone from the insurer's list."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM credit_insurance_unlinked_buyer u
                 WHERE u.account_id = %(account)s
                   AND (EXISTS (SELECT 1 FROM credit_insurance_buyer_link l
                                 WHERE l.account_id = u.account_id AND l.external_id = u.external_id)
                        OR NOT EXISTS (SELECT 1 FROM (%(seen)s) seen
                                        WHERE seen.policy_id = u.policy_id AND seen.reference = u.reference))
                """,
                account=pull.account_id.id,
                seen=pull._seen_sql(),
            )
        )
        self.invalidate_model()
