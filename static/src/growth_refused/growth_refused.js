import { RedirectWarningDialog } from "@web/core/errors/error_dialogs";
import { registry } from "@web/core/registry";

// The button opens a dialog over the form, which keeps what was typed.
registry
    .category("error_dialogs")
    .add("odoo.addons.credit_insurance.credit_insurance.models.growth_refused.GrowthRefused", RedirectWarningDialog);
