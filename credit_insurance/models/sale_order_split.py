"""A quotation split in two by value: what a release lets pass, and the rest as a second quotation.

Lines keep their order, price, discount and taxes. A quantity that is a whole number stays one in both parts; a combo
goes as a whole; what is negative or free stays in the first part. A section stands wherever lines of it stand, a note
wherever the line before it stands.
"""

import math
from dataclasses import dataclass

from odoo import Command, fields, models
from odoo.exceptions import UserError

KEPT_AS_IS = ("price_unit", "technical_price_unit", "discount", "name", "customer_lead")


@dataclass
class SplitLine:
    """Of ``quantity`` units of ``line``, ``moved`` go to the second quotation. Texts are moved, kept or both."""

    line: object
    quantity: float
    moved: float = 0.0
    stays: bool = True
    goes: bool = False

    @property
    def kept(self):
        return self.quantity - self.moved

    def keep(self, quantity):
        self.moved = self.quantity - quantity
        self.stays, self.goes = quantity > 0 or not self.quantity, self.moved > 0


class SaleOrder(models.Model):
    _inherit = "sale.order"

    credit_split_from_id = fields.Many2one(
        "sale.order",
        string="Split From",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The quotation of which a part was released; this one is the rest.",
    )

    def _credit_get_split_origin(self):
        """The quotation this one is a rest of, back to the first one."""
        order = self
        while order.credit_split_from_id:
            order = order.credit_split_from_id
        return order

    def _credit_get_split_family(self):
        """All the parts of what was one quotation once."""
        family = found = self._credit_get_split_origin()
        while found := self.search([("credit_split_from_id", "in", found.ids), ("id", "not in", family.ids)]):
            family |= found
        return family

    def _credit_plan_split(self, amount):
        """How to split so that the first part's total, tax included, is ``amount`` at most: ``[SplitLine]``.

        :raise UserError: the order is no quotation any more or has left in part, all of it fits, or nothing does
        """
        self.ensure_one()
        if self.state not in ("draft", "sent"):
            raise UserError(self.env._("%s is not a quotation any more: it cannot be split.", self.name))
        # One that was confirmed before: a copy of such a line would be invoiced and delivered once more.
        if any(not line.is_downpayment and (line.qty_invoiced or line.qty_delivered) for line in self.order_line):
            raise UserError(
                self.env._("Something of %s was delivered or invoiced already: it cannot be split.", self.name)
            )
        if self.currency_id.compare_amounts(self.amount_total, amount) <= 0:
            raise UserError(self.env._("All of %s fits: release it as it is.", self.name))
        plan = [SplitLine(line, line.product_uom_qty) for line in self.order_line.sorted()]
        # A discount line lowers the first part's total, so more fits.
        room = amount - sum(self._credit_block_total(item.line) for item in plan if self._credit_stays_first(item.line))
        for item in plan:
            if item.line.display_type or item.line.linked_line_id or self._credit_stays_first(item.line):
                continue
            total = self._credit_block_total(item.line)
            kept = item.quantity if self.currency_id.compare_amounts(total, room) <= 0 else 0.0
            if not kept and not item.line.linked_line_ids:
                kept = self._credit_fitting_quantity(item.line, room)
            item.keep(kept)
            room -= total * kept / item.quantity
        self._credit_plan_followers(plan)
        if not any(item.stays and item.line.price_total > 0 for item in plan if not item.line.display_type):
            raise UserError(self.env._("Nothing of %s fits: no line can be split that far.", self.name))
        return plan

    def _credit_block_total(self, line):
        """The line with what belongs to it, such as the items of a combo."""
        return line.price_total + sum(line.linked_line_ids.mapped("price_total"))

    def _credit_stays_first(self, line):
        if line.display_type or line.linked_line_id:
            return False
        return line.is_downpayment or line.product_uom_qty <= 0 or self._credit_block_total(line) <= 0

    def _credit_fitting_quantity(self, line, room):
        """The largest quantity whose total fits; whole where the ordered one is."""
        quantity = line.product_uom_qty
        step = 1.0 if float(quantity).is_integer() else line.product_uom_id.rounding or 0.01
        steps = math.floor(max(room, 0) / line.price_total * quantity / step + 1e-9)
        fitting = min(quantity, round(steps * step, 6))
        if self.currency_id.compare_amounts(line._credit_get_total(fitting), room) > 0:  # a cent of rounding
            fitting = max(0.0, round(fitting - step, 6))
        return fitting

    def _credit_plan_followers(self, plan):
        """Linked lines, sections and notes go where what they belong to goes."""
        by_line = {item.line: item for item in plan}
        for item in plan:
            parent = by_line.get(item.line.linked_line_id)
            if parent and not parent.kept and parent.quantity:
                item.keep(0.0)
        self._credit_plan_headings(plan)
        before = None
        for item in plan:
            if item.line.display_type == "line_note" and before:
                item.stays, item.goes = before.stays, before.goes
            elif item.line.display_type != "line_note":
                before = item

    def _credit_plan_headings(self, plan):
        levels = {"line_section": 1, "line_subsection": 2}
        for position, item in enumerate(plan):
            level = levels.get(item.line.display_type)
            if not level:
                continue
            below = []
            for follower in plan[position + 1 :]:
                if levels.get(follower.line.display_type, 3) <= level:
                    break
                below += [follower] if not follower.line.display_type else []
            if below:
                item.stays = any(follower.stays for follower in below)
                item.goes = any(follower.goes for follower in below)

    def _credit_get_part_totals(self, plan):
        """What the two parts will come to, tax included and rounded as orders are: together maybe not the whole."""
        return tuple(
            self._credit_get_lines_total({item.line: getattr(item, part) for item in plan if getattr(item, whether)})
            for part, whether in (("kept", "stays"), ("moved", "goes"))
        )

    def _credit_get_lines_total(self, quantities):
        """The total that core would compute for lines of the order with other quantities: ``{line: quantity}``."""
        taxes = self.env["account.tax"]
        base_lines = [
            line._prepare_base_line_for_taxes_computation(quantity=quantity)
            for line, quantity in quantities.items()
            if not line.display_type
        ]
        taxes._add_tax_details_in_base_lines(base_lines, self.company_id)
        taxes._round_base_lines_tax_details(base_lines, self.company_id)
        summary = taxes._get_tax_totals_summary(
            base_lines=base_lines, currency=self.currency_id, company=self.company_id
        )
        return summary["total_amount_currency"]

    def _credit_describe_rounding(self, parts, whole):
        """A sentence when rounding makes the parts of a split more or less than the whole, else nothing."""
        difference = self.currency_id.round(sum(parts) - whole)
        if not difference:
            return ""
        amount = self.currency_id.format(abs(difference))
        if difference > 0:
            return self.env._("Rounding makes both parts together %s more than the whole.", amount)
        return self.env._("Rounding makes both parts together %s less than the whole.", amount)

    def _credit_split(self, amount):
        """Keep up to ``amount`` here and put the rest into a second quotation, which is returned.

        :raise UserError: see :meth:`_credit_plan_split`
        """
        first = self.sudo().with_company(self.company_id)
        plan = first._credit_plan_split(amount)
        before = first.amount_total
        second = first.copy(first._credit_prepare_rest_vals(plan))
        for item in plan:
            if item.goes and item.stays and not item.line.display_type:
                item.line.write({**self._credit_keep_vals(item.line), "product_uom_qty": item.kept})
        self.env["sale.order.line"].concat(*(item.line for item in plan if not item.stays)).exists().unlink()
        if first.currency_id.compare_amounts(first.amount_total, amount) > 0:
            raise UserError(self.env._("Rounding takes the first part above the amount: release a little more."))
        first._credit_tell_split(second, before)
        return second

    def _credit_prepare_rest_vals(self, plan):
        lines = []
        for item in plan:
            if not item.goes:
                continue
            [vals] = item.line.copy_data()
            vals |= {"sequence": item.line.sequence, "virtual_id": f"rest-{item.line.id}", "linked_line_id": False}
            if item.line.linked_line_id:
                vals["linked_virtual_id"] = f"rest-{item.line.linked_line_id.id}"
            if not item.line.display_type:
                vals["product_uom_qty"] = item.moved
            lines.append(Command.create(vals))
        return {
            "order_line": lines,
            "credit_split_from_id": self.id,
            # For the day on which this one is deleted.
            "credit_author_ids": [Command.set(self.env["credit.insurance.hold"]._get_authors(self).ids)],
            "origin": self.name,
            "validity_date": self.validity_date,
            "client_order_ref": self.client_order_ref,
            "commitment_date": self.commitment_date,
            "user_id": self.user_id.id,
            "team_id": self.team_id.id,
        }

    def _credit_keep_vals(self, line):
        """Given with the quantity, they are not computed anew: the customer keeps the price of the whole order."""
        values = {name: line[name] for name in KEPT_AS_IS}
        return {**values, "tax_ids": [Command.set(line.tax_ids.ids)]}

    def _credit_tell_split(self, second, before):
        rounding = self._credit_describe_rounding((self.amount_total, second.amount_total), before)
        self.message_post(
            body=self.env._(
                "Split: %(kept)s of %(before)s stays here, the other %(rest)s are in %(order)s. %(rounding)s",
                kept=self.currency_id.format(self.amount_total),
                before=self.currency_id.format(before),
                rest=self.currency_id.format(second.amount_total),
                order=second._get_html_link(),
                rounding=rounding,
            )
        )
        second.message_post(
            body=self.env._(
                "The rest of %(order)s, which was split so that a part of it could be confirmed. %(rounding)s",
                order=self._get_html_link(),
                rounding=rounding,
            )
        )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _credit_get_total(self, quantity):
        """What this line would come to with another quantity, tax included."""
        self.ensure_one()
        base_line = self._prepare_base_line_for_taxes_computation(quantity=quantity)
        taxes, company = self.env["account.tax"], self.company_id or self.env.company
        taxes._add_tax_details_in_base_line(base_line, company)
        taxes._round_base_lines_tax_details([base_line], company)
        return base_line["tax_details"]["total_included_currency"]
