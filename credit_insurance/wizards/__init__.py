from . import (
    base_partner_merge,
    credit_insurance_alert_dismiss,
    credit_insurance_exposure_line,
    credit_insurance_gate_switch,
    credit_insurance_growth_request,
    credit_insurance_hold_release,
    credit_insurance_hold_request,
    credit_insurance_limit_explanation,
    credit_insurance_limit_import,
    credit_insurance_limit_import_buyers,
    credit_insurance_limit_request_decide,
    credit_insurance_reconciliation,
)
