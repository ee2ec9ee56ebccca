"""Administrators see rules whose companies are all archived: record rules that nobody changed follow the addon's."""

OWN = "['|', ('{0}', '=', False), ('{0}', 'parent_of', company_ids)]"
ARCHIVED = "['|', '|', ('{0}', '=', False), ('{0}', 'parent_of', company_ids)] + ([('{0}', 'not any', [('active', '=', \
True)])] if user.has_group('credit_insurance.credit_insurance_group_admin') else [(0, '=', 1)])"
FIELDS = {
    "credit_insurance_rule_rule_company": "company_ids",
    "credit_insurance_rule_version_rule_company": "rule_id.company_ids",
}


def migrate(cr, version):
    for name, field in FIELDS.items():
        cr.execute(
            """
            UPDATE ir_rule r SET domain_force = %s
              FROM ir_model_data d
             WHERE d.module = 'credit_insurance' AND d.name = %s AND d.res_id = r.id AND r.domain_force = %s
            """,
            (ARCHIVED.format(field), name, OWN.format(field)),
        )
