import { RedirectWarningDialog } from "@web/core/errors/error_dialogs";
import { registry } from "@web/core/registry";
import { patch } from "@web/core/utils/patch";
import { FormErrorDialog } from "@web/views/form/form_error_dialog/form_error_dialog";

const GROWTH_REFUSED = "odoo.addons.credit_insurance.credit_insurance.models.growth_refused.GrowthRefused";

/** The refusal with its button, which opens a dialog over the form: the form keeps what was typed. */
export class GrowthRefusedDialog extends RedirectWarningDialog {
    setup() {
        super.setup();
        const { action, button } = this.props.data.context;
        this.actionId = action;
        this.buttonText = button;
    }
}

// Whoever leaves the form with such a change gets the same button beside those that stay and discard.
patch(FormErrorDialog.prototype, {
    setup() {
        super.setup();
        const { name, context } = this.props.data;
        if (name === GROWTH_REFUSED) {
            this.redirectAction = context.action;
            this.redirectBtnLabel = context.button;
        }
    },
});

registry.category("error_dialogs").add(GROWTH_REFUSED, GrowthRefusedDialog);
