import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/**
 * One notification after a confirmation that was stopped, wholly or in part, with a button that opens all orders it
 * held. Does what `display_notification` does otherwise.
 */
export function tellHeld(env, action) {
    const { message, title, type, sticky, next, credit_insurance: ids } = action.params;
    const buttons = [];
    if (ids.held.length > 1) {
        buttons.push({
            name: _t("Open the Held Orders"),
            primary: true,
            onClick: () => {
                close();
                env.services.action.doAction({
                    type: "ir.actions.act_window",
                    name: _t("Held by Credit"),
                    res_model: "sale.order",
                    domain: [["id", "in", ids.held]],
                    views: [
                        [false, "list"],
                        [false, "form"],
                    ],
                });
            },
        });
    }
    const close = env.services.notification.add(buttons.length ? `\n${message}` : message, {
        title,
        type,
        sticky,
        className: "o_credit_held_notification",
        buttons,
    });
    return next;
}

registry.category("actions").add("credit_insurance.tell_held", tellHeld);
