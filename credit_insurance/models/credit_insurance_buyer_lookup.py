"""The insurer's numbers of buyers asked for by file, where it cannot be asked: what goes out and what comes back."""

import re
from dataclasses import asdict

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.connectors.files import BuyerLookup, FileError, FileForm, export

from .file_words import explain_to
from .marked_words import tell_error

REFERENCE = re.compile(r"BUYER-(\d{1,9})-(\d{1,9})")
SHOWN_CANDIDATES = 5


class CreditInsuranceBuyerLink(models.Model):
    _inherit = "credit.insurance.buyer.link"

    @api.model
    def _get_lookup_reference(self, buyer):
        """Our reference of the question for this buyer's number."""
        return f"BUYER-{buyer.company_id.id}-{buyer.id}"

    @api.model
    def _export_lookups(self, account, form=FileForm.XLSX):
        """The ``connectors.ReportFile`` that asks for the numbers of all buyers without one.

        :raise UserError: there are none, none of them has a country, or the file cannot hold one
        """
        policy = account.policy_ids[:1].number or ""
        queries = self._prepare_queries(self._get_buyers_without_number(account))
        lookups = [
            BuyerLookup(**asdict(query), reference=self._get_lookup_reference(buyer), policy_number=policy)
            for buyer, query in queries.items()
        ]
        if not lookups:
            raise UserError(self.env._("Every buyer with a country has a number of “%s”.", account.name))
        try:
            return export(lookups, form, explain=explain_to(self.env))
        except FileError as exc:
            raise UserError(tell_error(self.env, exc)) from exc

    @api.model
    def _take_candidates(self, account, candidates):
        """Link the buyers whom the insurer's answer proves; a name alone is left to a person.

        :return: sentences about those that were not linked
        """
        by_reference = {}
        for candidate in candidates:
            by_reference.setdefault(candidate.reference, []).append(candidate)
        buyers = {reference: self._get_looked_up(account, reference) for reference in by_reference}
        queries = self._prepare_queries(self.env["credit.insurance.buyer"].sudo().union(*buyers.values()))
        found, problems = [], []
        for reference, listed in by_reference.items():
            buyer = buyers[reference]
            query = queries.get(buyer)
            match = self._prove(buyer, query, listed) if query else None
            if match:
                found.append((buyer, match))
            else:
                problems.append(self._describe_candidates(buyer.display_name or reference, listed))
        links = self._link_entities(account, found)
        for buyer, match in found:
            if buyer not in links.buyer_id and match.candidate.buyer_id not in buyer.link_ids.mapped("external_id"):
                problems.append(self._describe_candidates(buyer.display_name, [match.candidate]))
        return problems

    @api.model
    def _get_looked_up(self, account, reference):
        asked = REFERENCE.fullmatch(reference.strip())
        buyers = self.env["credit.insurance.buyer"].sudo()
        if not asked or int(asked[1]) != account.company_id.id:
            return buyers
        return buyers.browse(int(asked[2])).exists().filtered(lambda buyer: buyer.company_id == account.company_id)

    @api.model
    def _describe_candidates(self, name, listed):
        shown = ", ".join(f"{one.buyer_id} {one.name}" for one in listed[:SHOWN_CANDIDATES])
        return self.env._(
            "%(buyer)s was not linked by itself: choose among %(candidates)s.",
            buyer=name,
            candidates=shown,
        )


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    def _download_lookups(self):
        """The workbook that asks for the numbers of buyers without one, as a download."""
        file = self.env["credit.insurance.buyer.link"]._export_lookups(self)
        vals = {"name": file.name, "raw": file.content, "mimetype": file.media_type}
        return self.env["ir.attachment"].create(vals)._get_download_action()
