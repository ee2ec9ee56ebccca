import { registry } from "@web/core/registry";

// Opening an app or a form for the first time also builds its assets, which takes long on a small machine.
const FIRST_LOAD = 60000;
const CHECKED = ".o_credit_rule_editor[data-checked=yes]";

// An administrator tries a rule on a buyer, changes a number until it no longer fires, writes a test, and saves.
registry.category("web_tour.tours").add("credit_rule_form", {
    steps: () => [
        { trigger: `${CHECKED}[data-mode=form] .o_credit_precedence:contains('Exclusions first')`, timeout: FIRST_LOAD },
        { trigger: ".o_credit_subject input", run: "edit Alpha" },
        { trigger: ".o-autocomplete--dropdown-item:contains('Alpha Trading')", run: "click" },
        { trigger: ".o_credit_verdict[data-state=fired]" },
        { trigger: ".o_credit_comparison[data-path=when] [data-answer=yes]" },
        { trigger: ".o_credit_trial tr[data-signal=amount_overdue_30]:contains('12,300')" },
        { trigger: ".o_credit_comparison[data-path=when] .o_credit_value", run: "edit 20000" },
        { trigger: ".o_credit_verdict[data-state=quiet]:contains('62 %')" },
        { trigger: ".o_credit_comparison[data-path=when] [data-answer=no]" },
        // A second condition makes a group of the first one.
        { trigger: ".o_credit_section[data-section=when] .o_credit_add button:contains('Condition')", run: "click" },
        { trigger: ".o_credit_comparison[data-path='when.all[1]'] .o_credit_value", run: "edit 5" },
        { trigger: `${CHECKED} .o_credit_status[data-count='0']` },
        { trigger: ".o_credit_comparison[data-path='when.all[1]'] .o_credit_remove", run: "click" },
        { trigger: "label[data-action=notify] input", run: "click" },
        // A placeholder that is wrong is told while it is typed.
        { trigger: ".o_credit_message", run: "edit {buyer} owes {amonut_overdue}" },
        { trigger: ".o_credit_section[data-section=then] .o_credit_rule_problem:contains('did you mean')" },
        { trigger: ".o_credit_message", run: "edit {buyer} owes {amount_overdue}" },
        { trigger: `${CHECKED} .o_credit_status[data-count='0']` },
        // An example that fails is named, and saved it is not.
        { trigger: ".o_credit_section[data-section=tests] button:contains('Example')", run: "click" },
        { trigger: ".o_credit_test input:first", run: "edit not yet" },
        { trigger: ".o_credit_test .o_credit_rule_problem:contains('not yet')" },
        { trigger: ".o_credit_fact .o_credit_number", run: "edit 20001 && press Tab" },
        { trigger: ".o_credit_test .text-success:contains('as expected')" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        { trigger: CHECKED },
    ],
});

// The same rule as text: what is wrong is marked, a completion is taken over, and the form shows what was typed.
registry.category("web_tour.tours").add("credit_rule_text", {
    steps: () => [
        { trigger: `${CHECKED}[data-mode=form]`, timeout: FIRST_LOAD },
        { trigger: ".o_credit_mode_text", run: "click" },
        { trigger: ".o_credit_copy [class^=o_credit_token_]" },
        {
            // Tab indents, and who has only a keyboard still gets out.
            trigger: ".o_credit_area",
            run({ anchor }) {
                const press = (key) => anchor.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
                press("Escape");
                if (!press("Tab")) {
                    throw new Error("Tab after Escape stays in the text");
                }
            },
        },
        {
            // On an empty line as well completions stand under the caret.
            trigger: ".o_credit_area",
            run({ anchor }) {
                anchor.focus();
                anchor.setSelectionRange(anchor.value.length, anchor.value.length);
                anchor.dispatchEvent(new KeyboardEvent("keydown", { key: " ", ctrlKey: true, bubbles: true }));
            },
        },
        {
            trigger: ".o_credit_completion",
            run({ anchor }) {
                const line = document.querySelector(".o_credit_lines > :last-child").getBoundingClientRect();
                const gap = anchor.getBoundingClientRect().top - line.bottom;
                if (gap < 0 || gap > line.height) {
                    throw new Error(`Completions of the last line stand ${gap} px below it`);
                }
            },
        },
        { trigger: "body:has(.o_credit_completion) .o_credit_area", run: "press Escape" },
        { trigger: "body:not(:has(.o_credit_completion))" },
        {
            trigger: ".o_credit_area",
            run({ anchor }) {
                const at = anchor.value.indexOf("amount_overdue_30");
                anchor.focus();
                anchor.setRangeText("days_overdue_old", at, at + "amount_overdue_30 > 0".length, "end");
                anchor.dispatchEvent(new InputEvent("input", { bubbles: true }));
            },
        },
        { trigger: ".o_credit_wrong_line" },
        { trigger: ".o_credit_completion .dropdown-item:contains('days_overdue_oldest')", run: "click" },
        {
            trigger: ".o_credit_area",
            run({ anchor }) {
                anchor.setRangeText(" > 30 days", anchor.selectionStart, anchor.selectionEnd, "end");
                anchor.dispatchEvent(new InputEvent("input", { bubbles: true }));
            },
        },
        { trigger: `${CHECKED} .o_credit_status[data-count='0']` },
        { trigger: ".o_credit_mode_form", run: "click" },
        { trigger: ".o_credit_comparison[data-path=when] .o_credit_value:value('30')" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        { trigger: CHECKED },
    ],
});
