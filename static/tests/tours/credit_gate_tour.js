import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// Opening an app or a form for the first time also builds its assets, which takes long on a small machine.
const FIRST_LOAD = 60000;

// The sales rep confirms an order above the limit, sees why it was stopped and asks for a release.
registry.category("web_tour.tours").add("credit_gate_rep", {
    steps: () => [
        { trigger: "button[name=action_confirm]:visible", run: "click", timeout: FIRST_LOAD },
        { trigger: ".o_credit_card h4:contains('500.00')", timeout: FIRST_LOAD },
        { trigger: ".o_credit_card li:contains('1,500.00 for this document against a limit of')" },
        { trigger: ".o_credit_card:contains('What would pass now'):contains('1,000.00')" },
        { trigger: ".o_statusbar_status button[data-value=draft].o_arrow_button_current" },
        { trigger: "button[name=action_credit_request_release]", run: "click" },
        { trigger: ".modal div[name=note] textarea", run: "edit They always pay on time" },
        { trigger: ".modal button[name=action_request]", run: "click" },
        { trigger: ".o_credit_card:contains('Release asked for by')" },
        { trigger: "body:not(:has(button[name=action_credit_request_release]))" },
    ],
});

// The credit manager finds the hold in the list, sees the figures and the request, and releases the order.
registry.category("web_tour.tours").add("credit_gate_manager", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        { trigger: ".o_app[data-menu-xmlid='credit_insurance.credit_insurance_menu_root']", run: "click" },
        { trigger: ".o_data_row:contains('Alpha Trading Ltd') td[name=order_name]", run: "click", timeout: FIRST_LOAD },
        { trigger: "div[name=request_note]:contains('They always pay on time')", timeout: FIRST_LOAD },
        { trigger: "div[name=shortfall]:contains('500.00')" },
        { trigger: "button[name=action_release]", run: "click" },
        { trigger: ".modal div[name=reason_id] input", run: "edit Payment" },
        { trigger: ".dropdown-item:contains('Payment announced')", run: "click" },
        { trigger: ".modal div[name=note] textarea", run: "edit Payment seen on the way" },
        { trigger: ".modal button[name=action_decide]:visible", run: "click" },
        { trigger: ".o_statusbar_status button[data-value=released].o_arrow_button_current" },
        { trigger: "div[name=decided_by_id]:contains('Manager of the story')" },
    ],
});
