"""Decisions and the passes that rest on them, written by one statement as ``create`` would write them.

The currencies stand before the amounts in the values: an amount is rounded to its currency.
"""

import json
from collections import defaultdict
from functools import lru_cache

from odoo import api, models
from odoo.tools import SQL, float_repr, json_default

from odoo.addons.credit_insurance.rules.policy import Outcome

DECISION, PASS = "credit.insurance.decision", "credit.insurance.pass"
ALWAYS = SQL("TRUE")
LOG_ACCESS = SQL("create_uid, create_date, write_uid, write_date")


class CreditInsuranceGate(models.AbstractModel):
    _inherit = "credit.insurance.gate"

    @api.model
    def _record(self, decided, checkpoint, evaluated=None):
        """Log decisions about orders and give those that pass their live pass; the pass before it ends.

        :param decided: ``[(Case, Decision)]``, an order once
        :param evaluated: what :meth:`_screen_orders` returned
        :return: the decisions' records in the same order
        """
        if not decided:
            return self.env[DECISION].sudo()
        decisions = self._prepare_decisions(decided, checkpoint, evaluated)
        passing = [
            (case, vals)
            for (case, decision), vals in zip(decided, decisions, strict=True)
            if decision.outcome is Outcome.PASS
        ]
        passes = [
            self._prepare_pass_vals(case, vals, case.subject.credit_pass_ids.filtered("live").deliveries_wait)
            for case, vals in passing
        ]
        self.env["sale.order"].union(*(case.subject for case, _vals in passing))._credit_end_passes()
        found = self.env.execute_query(
            SQL(
                "WITH %s SELECT d.id, p.id FROM decided d LEFT JOIN passed p ON p.decision_id = d.id ORDER BY d.id",
                self._insert_sql(decisions, passes),
            )
        )
        return self._take_inserted(found, decisions, passes)

    @api.model
    def _insert_sql(self, decisions, passes, condition=ALWAYS):
        """The steps ``decided`` and ``passed`` of a statement, which return the ids of both."""
        stamp = SQL("%s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC'", self.env.uid, self.env.uid)
        decision_names, decision_rows = self._to_json(DECISION, decisions)
        pass_names, pass_rows = self._to_json(PASS, passes)
        return SQL(
            """
            decided AS (
                INSERT INTO credit_insurance_decision (%(decision_columns)s, %(log_access)s)
                SELECT %(decision_given)s, %(stamp)s
                  FROM json_populate_recordset(NULL::credit_insurance_decision, %(decisions)s) g
                 WHERE %(condition)s
                RETURNING id, order_id
            ), passed AS (
                INSERT INTO credit_insurance_pass (%(pass_columns)s, decision_id, %(log_access)s)
                SELECT %(pass_given)s, d.id, %(stamp)s
                  FROM json_populate_recordset(NULL::credit_insurance_pass, %(passes)s) g
                  JOIN decided d ON d.order_id = g.order_id
                RETURNING id, decision_id
            )
            """,
            decision_columns=_columns(decision_names),
            decision_given=_columns(decision_names, "g"),
            decisions=decision_rows,
            pass_columns=_columns(pass_names),
            pass_given=_columns(pass_names, "g"),
            passes=pass_rows,
            log_access=LOG_ACCESS,
            stamp=stamp,
            condition=condition,
        )

    @api.model
    def _to_json(self, name, vals_list):
        """The names of the columns, and the rows as JSON with the defaults and the rounding of ``create``."""
        model = self.env[name].sudo()
        for vals in vals_list:
            self._add_defaults(model, vals)
        rows = [_to_row(model, vals) for vals in vals_list]
        names = tuple(sorted({"order_id"}.union(*rows)))
        return names, json.dumps(rows, default=json_default)

    @api.model
    def _add_defaults(self, model, vals):
        """Those of the fields, whatever the context says."""
        for field in model._fields.values():
            if field.default and field.store and field.name not in vals:
                vals[field.name] = field.convert_to_write(field.default(model), model)

    @api.model
    def _take_inserted(self, found, decisions, passes):
        """Tell Odoo what was inserted, as ``create`` does. ``found`` are the ids of each decision and of its pass.

        :return: the decisions' records
        """
        of_order = {vals["order_id"]: vals for vals in passes}
        given = [
            (pass_id, {**of_order[vals["order_id"]], "decision_id": decision_id})
            for (decision_id, pass_id), vals in zip(found, decisions, strict=True)
            if pass_id
        ]
        self._put_in_cache(PASS, given)
        return self._put_in_cache(
            DECISION, [(decision_id, vals) for (decision_id, _id), vals in zip(found, decisions, strict=True)]
        )

    @api.model
    def _put_in_cache(self, name, given):
        """The records of these ids with the values they were made with, and what depends on them to be computed."""
        records = self.env[name].sudo().browse([id_ for id_, _vals in given])
        inverses = defaultdict(list)
        for record, (_id, vals) in zip(records, given, strict=True):
            for field_name, value in vals.items():
                field = records._fields[field_name]
                cached = field.convert_to_cache(value, record)
                field._update_cache(record, cached)
                if records.pool.field_inverses[field]:
                    inverses[field, cached].append(record.id)
        for (field, value), ids in inverses.items():
            field._update_inverses(records.browse(ids), value)
        records.modified(records._fields, create=True)
        return records


@lru_cache(maxsize=64)
def _columns(names, alias=None):
    return SQL(", ").join(SQL.identifier(alias, name) if alias else SQL.identifier(name) for name in names)


def _to_row(model, vals):
    row = {}
    for name, value in vals.items():
        field = model._fields[name]
        if field.type == "monetary":
            currency = model.env["res.currency"].browse(vals[field.get_currency_field(model)])
            row[name] = float_repr(currency.round(float(value or 0)), currency.decimal_places)
        elif field.type == "json":
            row[name] = field.convert_to_cache(value, model)
        else:
            row[name] = field.convert_to_column_insert(value, model, vals)
    return row
