import { registry } from "@web/core/registry";

// Opening an app or a form for the first time also builds its assets, which takes long on a small machine.
const FIRST_LOAD = 60000;

// An administrator tries a derived signal on a buyer, completes another one into it, and saves.
registry.category("web_tour.tours").add("credit_signal_text", {
    steps: () => [
        { trigger: ".o_credit_signal_editor .o_credit_copy [class^=o_credit_token_]", timeout: FIRST_LOAD },
        { trigger: ".o_credit_signal_trial input", run: "edit Alpha" },
        { trigger: ".o-autocomplete--dropdown-item:contains('Alpha Trading')", run: "click" },
        { trigger: ".o_credit_signal_value:contains('100')" },
        { trigger: ".o_credit_signal_trial tr[data-signal=amount_overdue_30]:contains('12,300')" },
        {
            trigger: ".o_credit_area",
            run({ anchor }) {
                const word = "amount_overdue_30";
                const at = anchor.value.indexOf(word);
                anchor.focus();
                anchor.setRangeText("amount_overdue_9", at, at + word.length, "end");
                anchor.dispatchEvent(new InputEvent("input", { bubbles: true }));
            },
        },
        { trigger: ".o_credit_signal_problems li:contains('did you mean')" },
        { trigger: ".o_credit_completion .dropdown-item:contains('amount_overdue_90')", run: "click" },
        { trigger: ".o_credit_signal_trial tr[data-signal=amount_overdue_90]" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
    ],
});

// What a company overrides of a rule is tried instead of the text, and said so.
registry.category("web_tour.tours").add("credit_rule_override", {
    steps: () => [
        { trigger: ".o_credit_rule_editor[data-checked=yes]", timeout: FIRST_LOAD },
        { trigger: ".o_credit_subject input", run: "edit Alpha" },
        { trigger: ".o-autocomplete--dropdown-item:contains('Alpha Trading')", run: "click" },
        { trigger: ".o_credit_verdict[data-state=quiet]" },
        { trigger: ".o_credit_overridden:contains('overrides this rule')" },
        { trigger: ".o_credit_overridden td:contains('20,000')" },
        { trigger: "body:not(:has(.o_credit_comparison[data-path=when] [data-answer]))" },
    ],
});
