from . import (
    credit_insurance_alert_dismiss,
    credit_insurance_gate_switch,
    credit_insurance_hold_release,
    credit_insurance_hold_request,
)
