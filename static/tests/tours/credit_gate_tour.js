import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// Opening an app or a form for the first time also builds its assets, which takes long on a small machine.
const FIRST_LOAD = 60000;

// The sales rep confirms an order above the limit, sees why it was stopped and asks for a release.
registry.category("web_tour.tours").add("credit_gate_rep", {
    steps: () => [
        { trigger: ".o_credit_card[data-tone=hold][data-state='']", timeout: FIRST_LOAD },
        { trigger: "body:not(:has(.o_credit_gate_banner))" }, // no word about a gate that is on
        { trigger: "button[name=action_confirm]:visible", run: "click" },
        { trigger: ".o_credit_card[data-state=held] .o_credit_headline:contains('500.00')", timeout: FIRST_LOAD },
        { trigger: ".o_credit_reasons li[data-kind=hold]:contains('1,500.00 for this document against a limit of')" },
        { trigger: ".o_credit_ways li[data-way=split]:contains('1,000.00')" },
        { trigger: ".o_credit_ways li[data-way=prepay]:contains('500.00')" },
        { trigger: ".o_statusbar_status button[data-value=draft].o_arrow_button_current" },
        { trigger: ".o_credit_ways li[data-way=release] button", run: "click" },
        { trigger: ".modal div[name=note] textarea", run: "edit They always pay on time" },
        { trigger: ".modal button[name=action_request]", run: "click" },
        { trigger: ".o_credit_decider:contains('Release asked for by')" },
        { trigger: "body:not(:has(.o_credit_ways li[data-way=release]))" },
    ],
});

// The sales rep types a quotation: the card follows, from allowed to not, and opens what a figure consists of.
registry.category("web_tour.tours").add("credit_card_live", {
    steps: () => [
        { trigger: ".o_credit_card[data-tone=pass] .o_credit_headline:contains('400.00 left')", timeout: FIRST_LOAD },
        { trigger: ".o_data_row td[name=price_unit]", run: "click" },
        { trigger: ".o_data_row td[name=price_unit] input", run: "edit 70" },
        { trigger: "div[name=note]", run: "click" },
        { trigger: ".o_credit_card[data-tone=hold] .o_credit_headline:contains('Would be held: short'):contains('200.00')" },
        { trigger: ".o_form_status_indicator_buttons:not(.invisible)" },
        { trigger: ".o_credit_toggle[aria-expanded=false]", run: "click" },
        { trigger: ".o_credit_ways li[data-way=split]:contains('500.00')" },
        { trigger: ".o_data_row td[name=price_unit]", run: "click" },
        { trigger: ".o_data_row td[name=price_unit] input", run: "edit 40" },
        { trigger: "div[name=note]", run: "click" },
        { trigger: ".o_credit_card[data-tone=pass] .o_credit_headline:contains('100.00 left')" },
        { trigger: ".o_credit_legend button[data-source=confirmed]:contains('500.00')", run: "click" },
        { trigger: ".breadcrumb-item:not(.active)" },
        { trigger: ".o_list_view .o_data_row:contains('500.00')", timeout: FIRST_LOAD },
    ],
});

// The sales rep makes the link with which the customer prepays what is missing.
registry.category("web_tour.tours").add("credit_card_prepayment", {
    steps: () => [
        { trigger: ".o_credit_toggle[aria-expanded=false]", run: "click", timeout: FIRST_LOAD },
        { trigger: ".o_credit_ways li[data-way=prepay]:contains('500.00') button", run: "click" },
        { trigger: ".modal div[name=amount] input:value('500.00')", timeout: FIRST_LOAD },
        { trigger: ".modal div[name=link] button:enabled" },
        { trigger: ".modal .btn-close", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

// The sales rep lets a confirmed order grow beyond its credit and leaves the form: the refusal is in plain words, its
// button asks for a release, and what was typed is still there.
registry.category("web_tour.tours").add("credit_growth_refused", {
    steps: () => [
        { trigger: ".o_data_row td[name=price_unit]", run: "click", timeout: FIRST_LOAD },
        { trigger: ".o_data_row td[name=price_unit] input", run: "edit 150" },
        { trigger: "div[name=note]", run: "click" },
        { trigger: "div[name=tax_totals]:contains('1,500.00')" },
        { trigger: ".breadcrumb-item a", run: "click" },
        { trigger: ".o_form_error_dialog p:contains('stays as it was'):not(:contains('ir.actions'))" },
        { trigger: ".o_form_error_dialog button:contains('Ask for Release')", run: "click" },
        { trigger: "body:not(:has(.o_form_error_dialog))" },
        { trigger: ".modal div[name=note] textarea", run: "edit Their season starts", timeout: FIRST_LOAD },
        { trigger: ".modal button[name=action_request]", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_data_row td[name=price_unit]:contains('150')" },
        { trigger: ".o_form_button_cancel", run: "click" },
        { trigger: ".o_data_row td[name=price_unit]:not(:contains('150'))" },
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

// Whoever opens the backend while the gate is off reads so, above everything else.
registry.category("web_tour.tours").add("credit_gate_off_banner", {
    steps: () => [
        { trigger: ".o_credit_gate_banner:contains('is off'):not(:contains('portal is down'))", timeout: FIRST_LOAD },
        { trigger: ".o_main_navbar" },
    ],
});
