"""Calls are counted by the insurer's customer, no more by connection: the count of the last hour begins anew."""


def migrate(cr, version):
    cr.execute("DROP TABLE IF EXISTS credit_insurance_call")
